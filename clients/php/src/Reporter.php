<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use Closure;
use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\Transport\Deadline;

/**
 * Tells the caller how far an export is.
 *
 * @internal
 */
final class Reporter
{
    private const EVERY = 0.2;

    private ?string $taskId = null;
    private int $rows = 0;
    private int $bytes = 0;
    private ?TaskState $server = null;
    private Deadline $next;
    private Deadline $nextQuestion;
    private readonly ?Closure $onStarted;
    private readonly ?Closure $onProgress;

    public function __construct(
        private readonly Calls $calls,
        ?callable $onStarted,
        ?callable $onProgress,
        private readonly ?float $askEvery,
    ) {
        $this->onStarted = $onStarted === null ? null : $onStarted(...);
        $this->onProgress = $onProgress === null ? null : $onProgress(...);
        $this->next = Deadline::in(0.0);
        $this->nextQuestion = Deadline::in($askEvery);
    }

    /** The export, once the server has told of it. */
    public function taskId(): ?string
    {
        return $this->taskId;
    }

    /** Rows that were handed to the connection. */
    public function rows(): int
    {
        return $this->rows;
    }

    /** The server has told of the export. */
    public function started(string $taskId): void
    {
        $this->taskId = $taskId;
        if ($this->onStarted !== null) {
            ($this->onStarted)($taskId);
        }
    }

    /** A message was handed to the connection. */
    public function sent(int $rows, int $bytes): void
    {
        $this->rows += $rows;
        $this->bytes += $bytes;
        if ($this->onProgress !== null && $this->next->isOver()) {
            $this->report();
            $this->next = Deadline::in(self::EVERY);
        }
    }

    /** All rows were. */
    public function ended(): void
    {
        if ($this->onProgress !== null) {
            $this->report();
        }
    }

    private function report(): void
    {
        $this->ask();
        ($this->onProgress)(new Progress($this->taskId, $this->rows, $this->bytes, $this->server));
    }

    /** An answer that does not come is no reason to end an export that goes well. */
    private function ask(): void
    {
        if ($this->askEvery === null || $this->taskId === null || !$this->nextQuestion->isOver()) {
            return;
        }
        try {
            $this->server = $this->calls->status($this->taskId);
        } catch (ExportException $unanswered) {
            $this->server = null;
        }
        $this->nextQuestion = Deadline::in($this->askEvery);
    }
}
