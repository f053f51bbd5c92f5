<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * There is no such export, or it is not this client's.
 */
final class TaskNotFoundException extends ExportException
{
}
