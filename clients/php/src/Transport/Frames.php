<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use ExportMiddleware\Client\Exception\ErrorCode;

/**
 * Messages as gRPC sends them over HTTP/2: a byte for compression, four for the length, the message.
 *
 * Source: grpc/doc/PROTOCOL-HTTP2.md.
 *
 * @internal
 */
final class Frames
{
    private const HEAD_BYTES = 5;

    private function __construct()
    {
    }

    /** One message, not compressed. */
    public static function of(string $message): string
    {
        return "\0" . pack('N', strlen($message)) . $message;
    }

    /**
     * The first message of a body; null if there is none, or only a part of it.
     *
     * @throws TransportException if it is compressed, which this client never asks for
     */
    public static function first(string $body): ?string
    {
        if (strlen($body) < self::HEAD_BYTES) {
            return null;
        }
        if ($body[0] !== "\0") {
            throw new TransportException('the server sent a compressed answer unasked', ErrorCode::Internal);
        }
        $length = unpack('N', $body, 1)[1];
        return strlen($body) < self::HEAD_BYTES + $length ? null : substr($body, self::HEAD_BYTES, $length);
    }
}
