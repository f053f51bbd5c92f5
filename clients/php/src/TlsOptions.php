<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

/**
 * Certificates, as PEM files. Of the server, its chain and its name are always checked.
 */
final class TlsOptions
{
    /**
     * @param string|null $caFile whom to trust; the system's authorities by default
     * @param string|null $certificateFile what this client shows, where the server asks for it
     * @param string|null $keyFile the key of that certificate
     */
    public function __construct(
        public readonly ?string $caFile = null,
        public readonly ?string $certificateFile = null,
        public readonly ?string $keyFile = null,
    ) {
    }
}
