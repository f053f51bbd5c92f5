<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Row;

/**
 * One message of rows, ready to be sent.
 *
 * @internal
 */
final class Batch
{
    /**
     * @param string $message ExportRequest { batch }
     * @param int $rows in it
     */
    public function __construct(
        public readonly string $message,
        public readonly int $rows,
    ) {
    }
}
