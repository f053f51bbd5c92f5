<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * The server cannot be reached, or the connection broke.
 */
final class ConnectionFailedException extends ExportException
{
}
