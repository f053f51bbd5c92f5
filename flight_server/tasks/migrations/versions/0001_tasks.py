"""Tasks and secrets, as version 1 had them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_LIVE = sa.text("state IN ('QUEUED', 'PROCESSING', 'UPLOADING', 'COMPLETED')")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "export_tasks",
        sa.Column("task_id", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("rows_expected", sa.BigInteger),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("sha256", sa.Text),
        sa.Column("sheets", sa.Integer),
        sa.Column("warnings", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("completed_at", sa.BigInteger),
    )
    op.create_index(
        "export_tasks_one_live",
        "export_tasks",
        ["client", "request_id"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index("export_tasks_by_request", "export_tasks", ["client", "request_id", "task_id"])
    op.create_index("export_tasks_by_client", "export_tasks", ["client", "task_id"])
    op.create_index("export_tasks_by_state", "export_tasks", ["state", "task_id"])
    op.create_table(
        "export_secrets",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
