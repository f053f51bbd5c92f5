"""What the owner of a task that is over is told."""

from flight_server.errors import ErrorCode, ServiceError
from flight_server.tasks.model import IllegalTransition, Task, TaskState


def ending(task: Task) -> Exception:
    """What the owner of a task that is over is told when it goes on."""
    if task.state is TaskState.CANCELLED:
        return ServiceError(ErrorCode.CANCELLED, "the export was cancelled", task_id=task.task_id)
    if task.error is not None:
        return ServiceError(task.error.code, task.error.message, task_id=task.task_id)
    if task.state.finished:
        return IllegalTransition(f"task {task.task_id} is {task.state} already")
    message = (
        "the export has been taken over, and its file will be published: "
        f"ask for the status of task {task.task_id}"
    )
    return ServiceError(ErrorCode.INTERRUPTED, message, task_id=task.task_id)
