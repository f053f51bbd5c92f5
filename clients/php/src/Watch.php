<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\ConnectionFailedException;
use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\Exception\Failures;
use ExportMiddleware\Client\Exception\TimedOutException;
use ExportMiddleware\Client\Transport\Deadline;

/**
 * Asks for the state of an export again and again, first often and then less so.
 *
 * @internal
 */
final class Watch
{
    private const FIRST_STEP = 0.02;
    private const LONGEST_STEP = 1.0;

    /** How long an unreachable server is still asked; null while it answers. */
    private ?Deadline $patience = null;

    public function __construct(
        private readonly Calls $calls,
        private readonly Deadline $deadline,
    ) {
    }

    /**
     * The state in which it is Completed.
     *
     * A server that cannot be reached may be starting anew: it is asked again for as long as
     * ClientOptions::$recoveryTimeout says.
     *
     * @param (callable(TaskState): void)|null $onState
     * @throws ExportException why it failed; TimedOutException at the deadline
     */
    public function untilEnd(string $taskId, ?callable $onState = null): TaskState
    {
        $state = $this->final($taskId, $onState);
        return self::completed($state ?? throw Failures::of(
            ErrorCode::TimedOut,
            "export $taskId has not ended yet; ask for its status later",
            $taskId,
        ));
    }

    /**
     * The same, but `$lost` is thrown instead if nothing can be learnt until the deadline.
     *
     * @throws ExportException
     */
    public function untilEndOr(ExportException $lost, string $taskId): TaskState
    {
        try {
            return self::completed($this->final($taskId) ?? throw $lost);
        } catch (ConnectionFailedException | TimedOutException) {
            throw $lost;
        }
    }

    /**
     * The state, if it is Completed.
     *
     * @throws ExportException why it failed
     */
    public static function completed(TaskState $state): TaskState
    {
        if ($state->status === TaskStatus::Completed) {
            return $state;
        }
        $why = $state->errorMessage ?? 'the server did not say why';
        throw Failures::of($state->errorCode ?? ErrorCode::Internal, $why, $state->taskId);
    }

    /** The last state, or null at the deadline. */
    private function final(string $taskId, ?callable $onState = null): ?TaskState
    {
        for ($step = self::FIRST_STEP; ; $step = min($step * 1.5, self::LONGEST_STEP)) {
            $state = $this->ask($taskId);
            if ($state !== null && $onState !== null) {
                $onState($state);
            }
            if ($state?->status->isFinal()) {
                return $state;
            }
            if ($this->deadline->isOver()) {
                return null;
            }
            $this->deadline->sleep($step);
        }
    }

    /** Null while the server cannot be reached, and there is patience. */
    private function ask(string $taskId): ?TaskState
    {
        try {
            $state = $this->calls->status($taskId, $this->deadline);
            $this->patience = null;
            return $state;
        } catch (ConnectionFailedException | TimedOutException $unreachable) {
            $this->patience ??= Deadline::in($this->calls->options->recoveryTimeout);
            return $this->patience->isOver() ? throw $unreachable : null;
        }
    }
}
