<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * The client waited as long as it was told to.
 */
final class TimedOutException extends ExportException
{
}
