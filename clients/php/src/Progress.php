<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

/**
 * How far an export is.
 */
final class Progress
{
    /**
     * @param string|null $taskId null while the server has not told it
     * @param int $rows taken from the source and handed to the connection
     * @param int $bytes of their messages
     * @param TaskState|null $server the last answer, where it is asked for
     */
    public function __construct(
        public readonly ?string $taskId,
        public readonly int $rows,
        public readonly int $bytes,
        public readonly ?TaskState $server = null,
    ) {
    }
}
