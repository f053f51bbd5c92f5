<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use CurlHandle;
use CurlMultiHandle;
use ExportMiddleware\Client\Address;
use WeakReference;

/**
 * A streamed call over libcurl, driven by its caller: nothing moves but in these methods.
 *
 * @internal
 */
final class CurlStream implements Stream
{
    /** Bytes that wait here before `send` waits for the server. */
    private const FULL_BYTES = 1 << 20;

    /** Seconds between two looks; a paused upload is not polled for reading (libcurl 7.88). */
    private const SHORTEST_STEP = 0.0002;
    private const LONGEST_STEP = 0.02;

    /** What libcurl reads at a time, at most 2 MiB. */
    private const CHUNK_BYTES = 128 << 10;

    private readonly CurlMultiHandle $multi;
    private ?CurlHandle $handle;
    private readonly Outbox $outbox;
    private readonly CurlAnswer $answer;
    private bool $paused = false;
    private bool $complete = false;
    /** libcurl's result once the call has ended. */
    private ?int $result = null;

    /** @param array<int, mixed> $settings of libcurl */
    public function __construct(
        private readonly Address $address,
        array $settings,
        private readonly Deadline $deadline,
    ) {
        $this->outbox = new Outbox();
        $this->answer = new CurlAnswer();
        $this->handle = curl_init();
        // No reference to this object, so that a stream that is forgotten ends at once.
        $stream = WeakReference::create($this);
        curl_setopt_array($this->handle, [
            CURLOPT_UPLOAD => true,
            CURLOPT_CUSTOMREQUEST => 'POST',
            CURLOPT_READFUNCTION => static fn($_, $__, int $length): string|int => $stream->get()?->read($length)
                ?? CURL_READFUNC_PAUSE,
            // Never shared: what is left of a cancelled upload would meet the next call.
            CURLOPT_FRESH_CONNECT => true,
            CURLOPT_FORBID_REUSE => true,
        ] + $settings);
        if (defined('CURLOPT_UPLOAD_BUFFERSIZE')) { // since PHP 8.2
            curl_setopt($this->handle, CURLOPT_UPLOAD_BUFFERSIZE, self::CHUNK_BYTES);
        }
        $this->answer->listen($this->handle);
        $this->multi = curl_multi_init();
        curl_multi_add_handle($this->multi, $this->handle);
    }

    public function __destruct()
    {
        $this->cancel();
    }

    public function send(string $message): bool
    {
        if ($this->takesMore()) {
            $this->outbox->add(Frames::of($message));
            $this->drive();
            while ($this->takesMore() && $this->outbox->size() > self::FULL_BYTES) {
                $this->wait($this->deadline);
            }
        }
        return $this->takesMore();
    }

    public function metadata(float $seconds): array
    {
        $this->drive();
        $until = $this->deadline->within($seconds);
        while (!$this->answer->hasBegun() && $this->result === null && !$until->isOver()) {
            $this->wait($until);
        }
        return $this->answer->hasBegun() ? $this->answer->metadata() : [];
    }

    public function finish(): Reply
    {
        $this->complete = true;
        $this->drive();
        while ($this->takesMore()) {
            $this->wait($this->deadline);
        }
        $this->cancel();
        return $this->answer->reply($this->result ?? CURLE_OK, $this->address);
    }

    public function cancel(): void
    {
        if ($this->handle !== null) {
            curl_multi_remove_handle($this->multi, $this->handle);
            $this->handle = null;
        }
    }

    /** The status is the server's last word, even while libcurl still has bytes to send. */
    private function takesMore(): bool
    {
        return $this->result === null && !$this->answer->hasStatus();
    }

    /** For libcurl: bytes to send, '' at their end, or that there are none yet. */
    private function read(int $length): string|int
    {
        $bytes = $this->outbox->take($length);
        $this->paused = $bytes === '' && !$this->complete;
        return $this->paused ? CURL_READFUNC_PAUSE : $bytes;
    }

    /** Move what can be moved now. */
    private function drive(): void
    {
        if ($this->handle === null || $this->result !== null) {
            return;
        }
        if ($this->paused && ($this->complete || $this->outbox->size() > 0)) {
            $this->paused = false;
            curl_pause($this->handle, CURLPAUSE_CONT);
        }
        curl_multi_exec($this->multi, $running);
        while (($message = curl_multi_info_read($this->multi)) !== false) {
            $this->result = $message['result'];
        }
    }

    /** Wait for the connection, then move what can be moved. */
    private function wait(Deadline $until): void
    {
        $step = $this->paused ? self::SHORTEST_STEP : self::LONGEST_STEP;
        if (curl_multi_select($this->multi, min($step, $until->remaining())) < 1) {
            $until->sleep(self::SHORTEST_STEP);
        }
        $this->drive();
        if ($this->deadline->isOver() && $this->result === null) {
            $this->cancel();
            throw CurlErrors::timedOut($this->address);
        }
    }
}
