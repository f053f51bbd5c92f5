<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;

/**
 * Options of libcurl that every call has.
 *
 * @internal
 */
final class CurlSettings
{
    public function __construct(
        private readonly Address $address,
        private readonly ClientOptions $options,
    ) {
    }

    /** @return array<int, mixed> */
    public function of(string $method, Deadline $deadline): array
    {
        return [
            CURLOPT_URL => $this->address->url($method),
            CURLOPT_HTTPHEADER => $this->headers($deadline),
            CURLOPT_CONNECTTIMEOUT_MS => $deadline->within($this->options->connectTimeout)->milliseconds(),
            CURLOPT_NOSIGNAL => true,
            // gRPC through an HTTP proxy needs one that speaks HTTP/2 without TLS: there is hardly any.
            CURLOPT_PROXY => '',
            CURLOPT_TCP_KEEPALIVE => true,
        ] + ($this->address->tls ? $this->tls() : self::plain());
    }

    /** @return list<string> */
    private function headers(Deadline $deadline): array
    {
        $headers = [
            'content-type: application/grpc+proto',
            'te: trailers',
            'user-agent: export-middleware-php',
            // Without these libcurl would add its own.
            'expect:',
            'accept:',
        ];
        if (!$deadline->isNever()) {
            $headers[] = 'grpc-timeout: ' . self::timeout($deadline->milliseconds());
        }
        foreach ($this->options->headers() as $name => $value) {
            $headers[] = $value === '' ? "$name;" : "$name: $value";
        }
        return $headers;
    }

    /** gRPC allows eight digits. */
    private static function timeout(int $milliseconds): string
    {
        return $milliseconds < 100_000_000 ? "{$milliseconds}m" : intdiv($milliseconds, 1000) . 'S';
    }

    /**
     * libcurl 7.87 to 7.99 fails with error 16 where a call without TLS takes a used connection.
     *
     * @return array<int, mixed>
     */
    private static function plain(): array
    {
        return [
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP,
            CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
            CURLOPT_FRESH_CONNECT => true,
            CURLOPT_FORBID_REUSE => true,
        ];
    }

    /** @return array<int, mixed> */
    private function tls(): array
    {
        $tls = $this->options->tls;
        return [
            CURLOPT_PROTOCOLS => CURLPROTO_HTTPS,
            CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_2TLS,
            CURLOPT_SSLVERSION => CURL_SSLVERSION_TLSv1_2,
        ] + array_filter([
            CURLOPT_CAINFO => $tls?->caFile,
            CURLOPT_SSLCERT => $tls?->certificateFile,
            CURLOPT_SSLKEY => $tls?->keyFile,
        ], is_string(...));
    }
}
