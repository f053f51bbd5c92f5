<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use DateTimeImmutable;
use ExportMiddleware\Client\Exception\ErrorCode;

/**
 * An export as the server told of it.
 */
final class TaskState
{
    /**
     * @param float $progress percent
     * @param string|null $url the signed link, once it is Completed
     * @param int|null $sizeBytes of the finished file
     * @param ErrorCode|null $errorCode why it is Failed
     * @param int|null $remainingSeconds an estimate
     */
    public function __construct(
        public readonly string $taskId,
        public readonly TaskStatus $status,
        public readonly ?Format $format,
        public readonly string $filename,
        public readonly int $rows,
        public readonly float $progress,
        public readonly ?string $url,
        public readonly ?int $sizeBytes,
        public readonly ?ErrorCode $errorCode,
        public readonly ?string $errorMessage,
        public readonly ?DateTimeImmutable $startedAt,
        public readonly ?DateTimeImmutable $completedAt,
        public readonly ?int $remainingSeconds,
    ) {
    }
}
