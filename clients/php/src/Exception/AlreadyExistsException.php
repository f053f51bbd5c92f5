<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * The request id is in progress (see `taskId()`), or belongs to another request.
 */
final class AlreadyExistsException extends ExportException
{
}
