<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * The server cannot do it now; the same request can succeed later.
 */
final class UnavailableException extends ExportException
{
}
