<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\Exception\Failures;
use ExportMiddleware\Client\Transport\Deadline;
use ExportMiddleware\Client\Transport\Reply;
use ExportMiddleware\Client\Transport\StatusCode;

/**
 * What became of an export whose stream has ended, one way or another.
 *
 * @internal
 */
final class Outcome
{
    /** @param bool $committed whether all rows were sent, and their end */
    public function __construct(
        private readonly Calls $calls,
        private readonly ExportRequest $request,
        private readonly Reporter $reporter,
        private readonly Deadline $deadline,
        private readonly bool $committed,
    ) {
    }

    /**
     * The result that a reply tells of.
     *
     * @throws ExportException
     */
    public function of(Reply $reply): ExportResult
    {
        $taskId = $this->reporter->taskId();
        if ($reply->status !== StatusCode::Ok) {
            $failed = Failures::ofReply($reply, $taskId);
            // Without a code it may be a proxy or a library that speaks, and not the server.
            return Failures::isCoded($reply) ? throw $failed : $this->afterLoss($failed);
        }
        $answer = Calls::exported($reply, $taskId);
        if ($answer === null) {
            $message = 'the call ended well but without an answer';
            return $this->afterLoss(Failures::of(ErrorCode::ConnectionFailed, $message, $taskId));
        }
        [$state, $sha256] = $answer;
        return $state->status->isFinal()
            ? $this->finished($state, $sha256)
            : $this->finished($this->watch($this->deadline)->untilEnd($state->taskId), $sha256);
    }

    /**
     * The result of an export whose reply did not come: the server is asked.
     *
     * @throws ExportException the server's reason, or what was lost if there is nothing to learn
     */
    public function afterLoss(ExportException $lost): ExportResult
    {
        $taskId = $lost->taskId();
        if ($taskId === null || $lost->errorCode() === ErrorCode::TimedOut) {
            throw $lost;
        }
        if ($this->committed) {
            return $this->finished($this->watch($this->deadline)->untilEnd($taskId));
        }
        // It cannot come to a good end now; but the reason may be one that the server has noted.
        $soon = $this->deadline->within($this->calls->options->recoveryTimeout);
        return $this->finished($this->watch($soon)->untilEndOr($lost, $taskId), previous: $lost);
    }

    private function watch(Deadline $deadline): Watch
    {
        return new Watch($this->calls, $deadline);
    }

    private function finished(
        TaskState $state,
        ?string $sha256 = null,
        ?ExportException $previous = null,
    ): ExportResult {
        $state = Watch::completed($state);
        $this->checkRows($state, $previous);
        return new ExportResult(
            taskId: $state->taskId,
            url: $state->url ?? '',
            rows: $state->rows,
            sizeBytes: $state->sizeBytes ?? 0,
            sha256: $sha256,
            startedAt: $state->startedAt,
            completedAt: $state->completedAt,
        );
    }

    /** A request id of the caller's may be of an export that was finished before: it has its own rows. */
    private function checkRows(TaskState $state, ?ExportException $lost): void
    {
        if ($this->request->isRepeatable) {
            return;
        }
        if (!$this->committed) {
            throw $lost ?? Failures::of(
                ErrorCode::IncompleteStream,
                'the server ended the export before all rows were sent; its file is not complete',
                $state->taskId,
            );
        }
        if ($state->rows !== $this->reporter->rows()) {
            throw Failures::of(
                ErrorCode::RowCountMismatch,
                "{$this->reporter->rows()} rows were sent and {$state->rows} are in the file",
                $state->taskId,
            );
        }
    }
}
