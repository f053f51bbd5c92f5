<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

/**
 * A moment after which nothing is waited for, by a clock that nobody sets.
 */
final class Deadline
{
    private function __construct(private readonly float $at)
    {
    }

    /** So many seconds from now; null is never. */
    public static function in(?float $seconds): self
    {
        return new self($seconds === null ? INF : self::now() + $seconds);
    }

    /** So many seconds from now, but not after this one. */
    public function within(float $seconds): self
    {
        return new self(min($this->at, self::now() + $seconds));
    }

    /** Seconds that are left, INF without a deadline; never below 0. */
    public function remaining(): float
    {
        return max(0.0, $this->at - self::now());
    }

    public function isOver(): bool
    {
        return $this->remaining() <= 0.0;
    }

    public function isNever(): bool
    {
        return is_infinite($this->at);
    }

    /** Milliseconds that are left, at least 1. */
    public function milliseconds(): int
    {
        return (int) max(1.0, min(ceil($this->remaining() * 1e3), 2e9));
    }

    /** Wait so many seconds, or as long as there is. */
    public function sleep(float $seconds): void
    {
        usleep((int) (min($seconds, $this->remaining()) * 1e6));
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
