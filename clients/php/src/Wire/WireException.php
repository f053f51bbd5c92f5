<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Wire;

use RuntimeException;

/**
 * Bytes that are not a message of protobuf.
 *
 * @internal
 */
final class WireException extends RuntimeException
{
}
