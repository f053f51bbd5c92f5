<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\Exception\Failures;
use ExportMiddleware\Client\Transport\Deadline;
use ExportMiddleware\Client\Transport\Reply;
use ExportMiddleware\Client\Transport\StatusCode;
use ExportMiddleware\Client\Transport\Stream;
use ExportMiddleware\Client\Transport\Transport;
use ExportMiddleware\Client\Transport\TransportException;
use ExportMiddleware\Client\Wire\Answers;
use ExportMiddleware\Client\Wire\Requests;
use ExportMiddleware\Client\Wire\WireException;

/**
 * The two calls of the contract.
 *
 * @internal
 */
final class Calls
{
    private const EXPORT = '/export.ExportService/StreamExport';
    private const STATUS = '/export.ExportService/QueryTaskStatus';

    public function __construct(
        private readonly Transport $transport,
        public readonly ClientOptions $options,
    ) {
    }

    /** @throws TransportException */
    public function export(Deadline $deadline): Stream
    {
        return $this->transport->stream(self::EXPORT, $deadline);
    }

    /** @throws ExportException */
    public function status(string $taskId, ?Deadline $deadline = null): TaskState
    {
        $until = ($deadline ?? Deadline::in(null))->within($this->options->callTimeout);
        try {
            $reply = $this->transport->call(self::STATUS, Requests::status($taskId), $until);
        } catch (TransportException $broken) {
            throw Failures::ofTransport($broken, $taskId);
        }
        if ($reply->status !== StatusCode::Ok) {
            throw Failures::ofReply($reply, $taskId);
        }
        return self::read($reply, Answers::state(...), $taskId);
    }

    /**
     * The state and the checksum in the answer to an export; null if the answer has none.
     *
     * @return array{TaskState, ?string}|null
     * @throws ExportException
     */
    public static function exported(Reply $reply, ?string $taskId): ?array
    {
        return $reply->message === null ? null : self::read($reply, Answers::export(...), $taskId);
    }

    /**
     * @template T
     * @param \Closure(string): T $read
     * @return T
     */
    private static function read(Reply $reply, \Closure $read, ?string $taskId): mixed
    {
        try {
            return $read($reply->message ?? throw new WireException('there is no message'));
        } catch (WireException $wrong) {
            $message = "the server's answer is not of the contract: {$wrong->getMessage()}";
            throw Failures::of(ErrorCode::Internal, $message, $taskId, $wrong);
        }
    }
}
