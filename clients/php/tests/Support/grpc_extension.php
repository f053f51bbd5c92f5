<?php

declare(strict_types=1);

/*
 * A fake of the grpc extension, which no package of Debian has: its classes as call.c, channel.c and
 * timeval.c of grpc/src/php/ext/grpc describe them, on top of this client's own libcurl transport.
 * Each batch of operations blocks, messages for a call that has ended are dropped in silence, and
 * what went wrong is a status.
 */

namespace Grpc;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Transport\CurlTransport;
use ExportMiddleware\Client\Transport\Deadline;
use ExportMiddleware\Client\Transport\Reply;
use ExportMiddleware\Client\Transport\Stream;
use ExportMiddleware\Client\Transport\TransportException;
use InvalidArgumentException;
use stdClass;

const OP_SEND_INITIAL_METADATA = 0;
const OP_SEND_MESSAGE = 1;
const OP_SEND_CLOSE_FROM_CLIENT = 2;
const OP_RECV_INITIAL_METADATA = 4;
const OP_RECV_MESSAGE = 5;
const OP_RECV_STATUS_ON_CLIENT = 6;

final class ChannelCredentials
{
    /** @param list<string|null> $pems */
    private function __construct(public readonly array $pems)
    {
    }

    public static function createSsl(?string $roots = null, ?string $key = null, ?string $certificate = null): self
    {
        return new self([$roots, $key, $certificate]);
    }

    public static function createInsecure(): ?self
    {
        return null;
    }
}

final class Channel
{
    public static ?self $last = null;

    /** @param array<string, ChannelCredentials|int|string|null> $arguments */
    public function __construct(public readonly string $target, public readonly array $arguments)
    {
        array_key_exists('credentials', $arguments) || throw new InvalidArgumentException('no credentials');
        foreach (array_diff_key($arguments, ['credentials' => 0]) as $value) {
            is_int($value) || is_string($value) || throw new InvalidArgumentException('args values must be int or string');
        }
        self::$last = $this;
    }
}

final class Timeval
{
    public function __construct(public readonly int|float $microseconds)
    {
    }

    public static function now(): self
    {
        return new self(hrtime(true) / 1e3);
    }

    public static function infFuture(): self
    {
        return new self(INF);
    }

    public function add(self $other): self
    {
        return new self($this->microseconds + $other->microseconds);
    }
}

final class Call
{
    private const KNOWN = ['x-task-id', 'x-error', 'x-error-code'];

    private CurlTransport $transport;
    private ?Stream $stream = null;
    private readonly Deadline $deadline;

    public function __construct(private readonly Channel $channel, private readonly string $method, Timeval $deadline)
    {
        $left = ($deadline->microseconds - Timeval::now()->microseconds) / 1e6;
        $this->deadline = Deadline::in(is_infinite($left) ? null : $left);
    }

    /** @param array<int, mixed> $operations */
    public function startBatch(array $operations): stdClass
    {
        $event = new stdClass();
        $event->metadata = [];
        if (isset($operations[OP_SEND_INITIAL_METADATA])) {
            $this->open($operations[OP_SEND_INITIAL_METADATA]);
        }
        try {
            $this->exchange($operations, $event);
        } catch (TransportException $broken) {
            if (isset($operations[OP_RECV_STATUS_ON_CLIENT])) {
                $event->status = self::broken($broken);
            }
        }
        return $event;
    }

    public function cancel(): void
    {
        $this->stream?->cancel();
    }

    /** @param array<string, list<string>> $metadata */
    private function open(array $metadata): void
    {
        $options = new ClientOptions(metadata: array_map(static fn(array $values): string => $values[0], $metadata));
        $this->transport = new CurlTransport(Address::of($this->channel->target), $options);
    }

    private function stream(): Stream
    {
        return $this->stream ??= $this->transport->stream($this->method, $this->deadline);
    }

    /** @param array<int, mixed> $operations */
    private function exchange(array $operations, stdClass $event): void
    {
        $message = $operations[OP_SEND_MESSAGE]['message'] ?? null;
        $isLast = isset($operations[OP_RECV_STATUS_ON_CLIENT]);
        if ($isLast) {
            // One batch for all of it is a question, which libcurl wants to know whole.
            self::end($event, $message === null
                ? $this->stream()->finish()
                : $this->transport->call($this->method, $message, $this->deadline));
        } elseif ($message !== null) {
            $this->stream()->send($message);
        } elseif (isset($operations[OP_RECV_INITIAL_METADATA])) {
            $metadata = $this->stream()->metadata($this->deadline->remaining());
            $event->metadata = array_map(static fn(string $value): array => [$value], $metadata);
        }
    }

    private static function end(stdClass $event, Reply $reply): void
    {
        $found = array_map($reply->metadata(...), array_combine(self::KNOWN, self::KNOWN));
        $event->message = $reply->message;
        $event->status = (object) [
            'code' => $reply->status->value,
            'details' => $reply->detail,
            'metadata' => array_map(static fn(string $value): array => [$value], array_filter($found, is_string(...))),
        ];
    }

    private static function broken(TransportException $broken): stdClass
    {
        $code = $broken->errorCode === ErrorCode::TimedOut ? 4 : 14;
        return (object) ['code' => $code, 'details' => $broken->getMessage(), 'metadata' => []];
    }
}
