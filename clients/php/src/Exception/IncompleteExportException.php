<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * The stream ended early or with another number of rows than were sent.
 */
final class IncompleteExportException extends ExportException
{
}
