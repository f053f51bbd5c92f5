<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use ExportMiddleware\Client\Exception\ErrorCode;
use Grpc\Call;
use stdClass;

/**
 * A streamed call over the grpc extension.
 *
 * Each batch of operations blocks until it is done: sending waits for the server by itself, and the
 * server's first metadata is waited for until the deadline, whatever time is given, so that it is
 * read only after the first message, which Export Middleware answers with it at once.
 *
 * @internal
 */
final class GrpcExtensionStream implements Stream
{
    /** @var array<string, list<string>>|null the server's first, once they were read */
    private ?array $initial = null;
    private bool $ended = false;

    public function __construct(
        private readonly Call $call,
        private readonly Deadline $deadline,
    ) {
    }

    public function __destruct()
    {
        $this->cancel();
    }

    /** A call that the server has ended takes messages still and drops them: `finish` tells why. */
    public function send(string $message): bool
    {
        if ($this->deadline->isOver()) {
            throw new TransportException(
                'the export server did not answer in the time that this client has',
                ErrorCode::TimedOut,
            );
        }
        $this->call->startBatch([\Grpc\OP_SEND_MESSAGE => ['message' => $message]]);
        return true;
    }

    public function metadata(float $seconds): array
    {
        if ($this->initial === null) {
            $event = $this->call->startBatch([\Grpc\OP_RECV_INITIAL_METADATA => true]);
            $this->initial = (array) ($event->metadata ?? []);
        }
        return self::flat($this->initial);
    }

    public function finish(): Reply
    {
        $event = $this->call->startBatch([
            \Grpc\OP_SEND_CLOSE_FROM_CLIENT => true,
            \Grpc\OP_RECV_MESSAGE => true,
            \Grpc\OP_RECV_STATUS_ON_CLIENT => true,
        ] + ($this->initial === null ? [\Grpc\OP_RECV_INITIAL_METADATA => true] : []));
        $this->ended = true;
        return self::reply($event, $this->initial ?? (array) ($event->metadata ?? []));
    }

    public function cancel(): void
    {
        if (!$this->ended) {
            $this->ended = true;
            $this->call->cancel();
        }
    }

    /**
     * What the extension gives at the end of a call.
     *
     * @param array<string, list<string>> $initial
     * @throws TransportException where its status is of the connection and not of a server
     */
    public static function reply(stdClass $event, array $initial): Reply
    {
        $status = $event->status;
        $code = StatusCode::tryFrom($status->code) ?? StatusCode::Unknown;
        $metadata = self::flat((array) $status->metadata) + self::flat($initial);
        if ($code === StatusCode::Unavailable && $metadata === []) {
            throw new TransportException("the export server cannot be reached, or the connection broke: $status->details");
        }
        if ($code === StatusCode::DeadlineExceeded && $metadata === []) {
            throw new TransportException('the export server did not answer in the time that this client has', ErrorCode::TimedOut);
        }
        return new Reply($code, $event->message ?? null, $status->details, $metadata);
    }

    /**
     * @param array<string, list<string>> $metadata
     * @return array<string, string>
     */
    private static function flat(array $metadata): array
    {
        return array_map(static fn(array $values): string => (string) end($values), $metadata);
    }
}
