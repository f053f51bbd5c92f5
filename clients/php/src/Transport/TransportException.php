<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use ExportMiddleware\Client\Exception\ErrorCode;
use RuntimeException;
use Throwable;

/**
 * No reply came. Whether the server has finished the call is not known.
 *
 * Only transports throw it, so that it is never mistaken for what the rows' own source throws; a
 * caller of the client sees an ExportException instead.
 */
final class TransportException extends RuntimeException
{
    public function __construct(
        string $message,
        public readonly ErrorCode $errorCode = ErrorCode::ConnectionFailed,
        ?Throwable $previous = null,
    ) {
        parent::__construct($message, 0, $previous);
    }
}
