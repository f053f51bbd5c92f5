<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

/**
 * What a call came to: the server's status, and what came with it.
 */
final class Reply
{
    /**
     * @param string|null $message of the contract; null if none came, whatever the status is
     * @param string $detail the server's sentence, decoded
     * @param array<string, string> $metadata initial and trailing, by lower-case name; what came
     *     last counts
     */
    public function __construct(
        public readonly StatusCode $status,
        public readonly ?string $message,
        public readonly string $detail,
        private readonly array $metadata,
    ) {
    }

    /** A value of the metadata. */
    public function metadata(string $name): ?string
    {
        return $this->metadata[$name] ?? null;
    }
}
