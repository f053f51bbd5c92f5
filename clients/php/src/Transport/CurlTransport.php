<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use CurlHandle;
use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;

/**
 * gRPC over libcurl, 7.88 and later, with HTTP/2.
 */
final class CurlTransport implements Transport
{
    private readonly CurlSettings $settings;
    private ?CurlHandle $handle = null;

    public function __construct(
        private readonly Address $address,
        ClientOptions $options = new ClientOptions(),
    ) {
        $this->settings = new CurlSettings($address, $options);
    }

    /** Sent whole, with its length: libcurl 7.88 gets this right where a streamed body is not. */
    public function call(string $method, string $message, Deadline $deadline): Reply
    {
        $handle = $this->handle ??= curl_init();
        curl_reset($handle);
        curl_setopt_array($handle, [
            CURLOPT_POSTFIELDS => Frames::of($message),
            CURLOPT_TIMEOUT_MS => $deadline->milliseconds(),
        ] + $this->settings->of($method, $deadline));
        $answer = new CurlAnswer();
        $answer->listen($handle);
        curl_exec($handle);
        return $answer->reply(curl_errno($handle), $this->address);
    }

    public function stream(string $method, Deadline $deadline): Stream
    {
        return new CurlStream($this->address, $this->settings->of($method, $deadline), $deadline);
    }
}
