<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\InvalidRequestException;

/**
 * How a client talks to its server. All times are in seconds.
 */
final class ClientOptions
{
    /**
     * @param string|null $token sent as a bearer token; in clear over an address without TLS
     * @param TlsOptions|null $tls for https addresses; the system's authorities by default
     * @param float $connectTimeout until a connection is there
     * @param float $callTimeout of one question for a status
     * @param float|null $exportTimeout of a whole export, unless it says another; null for none
     * @param float $acceptTimeout how long the first rows wait for the server's word that it takes
     *     the export; then they are sent without it
     * @param float $recoveryTimeout how long to ask for the end of an export whose call broke
     * @param array<string, string> $metadata sent with each call, `['traceparent' => …]` say
     *
     * @throws InvalidRequestException that names what is wrong
     */
    public function __construct(
        #[\SensitiveParameter]
        private readonly ?string $token = null,
        public readonly ?TlsOptions $tls = null,
        public readonly float $connectTimeout = 5.0,
        public readonly float $callTimeout = 10.0,
        public readonly ?float $exportTimeout = 3600.0,
        public readonly float $acceptTimeout = 1.0,
        public readonly float $recoveryTimeout = 10.0,
        public readonly array $metadata = [],
    ) {
        $times = ['connectTimeout', 'callTimeout', 'exportTimeout', 'acceptTimeout', 'recoveryTimeout'];
        foreach ($times as $name) {
            if ($this->$name !== null && !($this->$name > 0)) {
                throw new InvalidRequestException("$name is {$this->$name}; it must be above 0 seconds");
            }
        }
        foreach ($this->headers() as $name => $value) {
            self::check((string) $name, $value);
        }
    }

    /**
     * What is sent with each call, the token among it.
     *
     * @internal
     * @return array<string, string>
     */
    public function headers(): array
    {
        $token = $this->token === null ? [] : ['authorization' => "Bearer $this->token"];
        return $token + $this->metadata;
    }

    /**
     * What `var_dump` shows: all but the token and what goes with it.
     *
     * @return array<string, mixed>
     */
    public function __debugInfo(): array
    {
        $shown = get_object_vars($this);
        return ['token' => $this->token === null ? null : '…', 'metadata' => array_keys($this->metadata)] + $shown;
    }

    /** A line break in a value would be a header of its own. */
    private static function check(string $name, string $value): void
    {
        if (preg_match('/^[a-z0-9_.-]+$/D', $name) !== 1 || str_starts_with($name, 'grpc-')) {
            throw new InvalidRequestException(
                "the metadata key '$name' must be of a-z, 0-9, '_', '.' and '-', and not begin with 'grpc-'",
            );
        }
        if (preg_match('/^[\x20-\x7E]*$/D', $value) !== 1) {
            $what = $name === 'authorization' ? 'the token' : "the metadata value of '$name'";
            throw new InvalidRequestException("$what must be of printable ASCII characters");
        }
    }
}
