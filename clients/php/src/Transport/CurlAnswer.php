<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use CurlHandle;
use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\Exception\ErrorCode;

/**
 * What libcurl has read of an answer: headers, trailers and the body, which is small.
 *
 * @internal
 */
final class CurlAnswer
{
    private const MAX_BODY = 1 << 20;

    private string $body = '';
    private bool $begun = false;
    private int $http = 0;
    private bool $tooLarge = false;

    /** @var array<string, string> headers and trailers alike; what came last counts */
    private array $metadata = [];

    /** Let a handle write into this. */
    public function listen(CurlHandle $handle): void
    {
        // References to this object in a handle of its owner would keep both alive: only the
        // collector of cycles would end a call that was forgotten.
        $answer = \WeakReference::create($this);
        curl_setopt_array($handle, [
            CURLOPT_HEADERFUNCTION => static fn($_, string $line): int => $answer->get()?->header($line) ?? 0,
            CURLOPT_WRITEFUNCTION => static fn($_, string $bytes): int => $answer->get()?->write($bytes) ?? 0,
        ]);
    }

    /** Whether the server's first metadata is there. */
    public function hasBegun(): bool
    {
        return $this->begun;
    }

    /** Whether the server's last word is there: what libcurl says afterwards does not matter. */
    public function hasStatus(): bool
    {
        return isset($this->metadata['grpc-status']);
    }

    /** @return array<string, string> */
    public function metadata(): array
    {
        return $this->metadata;
    }

    /**
     * The reply, once the call has ended.
     *
     * @param int $result of libcurl
     * @throws TransportException if there is none, or it is no gRPC
     */
    public function reply(int $result, Address $address): Reply
    {
        if (!$this->hasStatus()) {
            throw $this->without($result, $address);
        }
        return new Reply(
            StatusCode::tryFrom((int) $this->metadata['grpc-status']) ?? StatusCode::Unknown,
            Frames::first($this->body),
            rawurldecode($this->metadata['grpc-message'] ?? ''),
            $this->metadata,
        );
    }

    private function without(int $result, Address $address): TransportException
    {
        $at = "the export server at {$address->target()}";
        if ($this->tooLarge) {
            return new TransportException("$at: its answer is larger than 1 MiB", ErrorCode::Internal);
        }
        $isGrpc = str_starts_with($this->metadata['content-type'] ?? '', 'application/grpc');
        if ($this->http !== 0 && !($this->http === 200 && $isGrpc)) {
            $message = "$at answered HTTP $this->http without gRPC; is that the port of the contract, 9090 by default?";
            $gone = in_array($this->http, [502, 503, 504], true);
            return new TransportException($message, $gone ? ErrorCode::ConnectionFailed : ErrorCode::Unimplemented);
        }
        return CurlErrors::of($result, $address);
    }

    private function header(string $line): int
    {
        $text = rtrim($line, "\r\n");
        if ($text === '') {
            $this->begun = true;
        } elseif (preg_match('#^HTTP/\S+ (\d+)#', $text, $found) === 1) {
            $this->http = (int) $found[1];
        } elseif (preg_match('/^([^:]+):\s*(.*)$/Ds', $text, $found) === 1) {
            $this->metadata[strtolower($found[1])] = $found[2];
        }
        return strlen($line);
    }

    private function write(string $bytes): int
    {
        $this->tooLarge = strlen($this->body) + strlen($bytes) > self::MAX_BODY;
        if ($this->tooLarge) {
            return -1;
        }
        $this->body .= $bytes;
        return strlen($bytes);
    }
}
