<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use function strlen;
use function substr;

/**
 * Bytes that wait to be sent, in the order in which they came.
 *
 * @internal
 */
final class Outbox
{
    /** @var list<string> */
    private array $waiting = [];
    private string $first = '';
    private int $offset = 0;
    private int $size = 0;

    public function add(string $bytes): void
    {
        $this->waiting[] = $bytes;
        $this->size += strlen($bytes);
    }

    /** Bytes that wait. */
    public function size(): int
    {
        return $this->size;
    }

    /**
     * Take at most so many bytes, at least one if any wait.
     *
     * libcurl drops what is longer than it has asked for (measured): the rest stays here.
     */
    public function take(int $length): string
    {
        while ($this->offset === strlen($this->first) && $this->waiting !== []) {
            $this->first = array_shift($this->waiting);
            $this->offset = 0;
        }
        $bytes = substr($this->first, $this->offset, $length);
        $this->offset += strlen($bytes);
        $this->size -= strlen($bytes);
        return $bytes;
    }
}
