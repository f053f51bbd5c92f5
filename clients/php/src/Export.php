<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\Exception\Failures;
use ExportMiddleware\Client\Exception\InvalidRowException;
use ExportMiddleware\Client\Row\Encoder;
use ExportMiddleware\Client\Row\PdoRows;
use ExportMiddleware\Client\Transport\Deadline;
use ExportMiddleware\Client\Transport\Reply;
use ExportMiddleware\Client\Transport\Stream;
use ExportMiddleware\Client\Transport\TransportException;
use PDOStatement;

/**
 * The stream of one export, from its first message to what the server makes of the last.
 *
 * @internal
 */
final class Export
{
    private const TASK_ID = 'x-task-id';
    private const REFUSED = 'x-error';

    /** Whether the end of the rows was sent: from then on the server can finish without this client. */
    private bool $committed = false;

    public function __construct(
        private readonly Calls $calls,
        private readonly ExportRequest $request,
        private readonly Reporter $reporter,
        private readonly Deadline $deadline,
    ) {
    }

    /**
     * @param iterable<mixed> $rows
     * @throws ExportException
     */
    public function run(iterable $rows): ExportResult
    {
        $stream = null;
        try {
            $stream = $this->calls->export($this->deadline);
            $reply = $this->exchange($stream, $rows);
        } catch (TransportException $broken) {
            return $this->outcome()->afterLoss(Failures::ofTransport($broken, $this->reporter->taskId()));
        } catch (InvalidRowException $invalid) {
            throw $invalid->ofTask($this->reporter->taskId());
        } finally {
            // Whatever was thrown on the way: the server must not take these rows for all rows.
            $stream?->cancel();
        }
        return $this->outcome()->of($reply);
    }

    /** @param iterable<mixed> $rows */
    private function exchange(Stream $stream, iterable $rows): Reply
    {
        $wanted = $stream->send($this->request->message())
            && $this->isAccepted($stream, $this->calls->options->acceptTimeout);
        if ($wanted && $this->send($stream, $rows instanceof PDOStatement ? PdoRows::of($rows) : $rows)) {
            $this->reporter->ended();
            $this->committed = true;
        }
        // A refused call is finished too: libcurl 7.88 loses the status of one that it has not ended.
        return $stream->finish();
    }

    /**
     * @param iterable<mixed> $rows
     * @return bool false if the server wanted no more of them
     */
    private function send(Stream $stream, iterable $rows): bool
    {
        foreach ((new Encoder($this->request->columns))->batches($rows) as $batch) {
            if (!$stream->send($batch->message) || !$this->isAccepted($stream, 0.0)) {
                return false;
            }
            $this->reporter->sent($batch->rows, strlen($batch->message));
        }
        return true;
    }

    /** Whether the server has not refused the export, as far as it has said anything yet. */
    private function isAccepted(Stream $stream, float $seconds): bool
    {
        if ($this->reporter->taskId() !== null) {
            return true;
        }
        $metadata = $stream->metadata($seconds);
        if (isset($metadata[self::TASK_ID])) {
            $this->reporter->started($metadata[self::TASK_ID]);
        }
        return !isset($metadata[self::REFUSED]);
    }

    private function outcome(): Outcome
    {
        return new Outcome($this->calls, $this->request, $this->reporter, $this->deadline, $this->committed);
    }
}
