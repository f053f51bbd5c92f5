<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * No token, a wrong one, or no right to this export.
 */
final class UnauthorizedException extends ExportException
{
}
