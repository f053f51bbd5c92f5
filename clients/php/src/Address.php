<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\InvalidRequestException;

/**
 * Where a server is, and whether it speaks TLS.
 */
final class Address
{
    private const TLS = ['https' => true, 'grpc+tls' => true, 'grpcs' => true];
    private const PLAIN = ['http' => true, 'grpc' => true, 'grpc+tcp' => true];
    private const PORT = 9090;

    private function __construct(
        public readonly string $host,
        public readonly int $port,
        public readonly bool $tls,
    ) {
    }

    /**
     * `http://host:9090`, `grpc://…` and `host:9090` are plain, `https://…` and `grpc+tls://…` are TLS.
     *
     * The port is 9090 unless given.
     *
     * @throws InvalidRequestException for anything else; credentials do not belong in an address
     */
    public static function of(string $text): self
    {
        $url = parse_url(str_contains($text, '://') ? $text : "http://$text");
        $scheme = strtolower($url['scheme'] ?? '');
        $known = isset(self::TLS[$scheme]) || isset(self::PLAIN[$scheme]);
        if (!$known || !isset($url['host']) || trim($url['path'] ?? '', '/') !== '' || isset($url['user'])) {
            throw new InvalidRequestException(
                'the address of the server is not understood; it looks like http://host:9090, '
                . 'or https://host:9090 for TLS, without a path and without credentials',
            );
        }
        return new self($url['host'], $url['port'] ?? self::PORT, isset(self::TLS[$scheme]));
    }

    /** `host:port`, as gRPC names its targets. */
    public function target(): string
    {
        return "$this->host:$this->port";
    }

    /** As libcurl wants it. */
    public function url(string $path = ''): string
    {
        return ($this->tls ? 'https://' : 'http://') . $this->target() . $path;
    }
}
