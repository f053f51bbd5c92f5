<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use DateTimeImmutable;

/**
 * A finished export. There is no such thing for one that failed: that is an exception.
 */
final class ExportResult
{
    /**
     * @param string $url the signed link; it ends some day, `status()` gives a new one
     * @param int $rows as many as were sent, without the header
     * @param string|null $sha256 of the file, in hexadecimal; null when the server's answer was lost
     *     on its way and the rest is from `QueryTaskStatus`, which does not tell it
     */
    public function __construct(
        public readonly string $taskId,
        public readonly string $url,
        public readonly int $rows,
        public readonly int $sizeBytes,
        public readonly ?string $sha256,
        public readonly ?DateTimeImmutable $startedAt,
        public readonly ?DateTimeImmutable $completedAt,
    ) {
    }
}
