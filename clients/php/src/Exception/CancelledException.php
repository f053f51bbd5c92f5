<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * The export was cancelled.
 */
final class CancelledException extends ExportException
{
}
