<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

use Throwable;

/**
 * What was asked for is refused, by the server or before it was sent; retrying cannot help.
 */
class InvalidRequestException extends ExportException
{
    public function __construct(
        string $message,
        ErrorCode $errorCode = ErrorCode::InvalidRequest,
        ?Throwable $previous = null,
    ) {
        parent::__construct($message, $errorCode, $previous);
    }
}
