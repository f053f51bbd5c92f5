<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

/**
 * A call to which messages are sent one after another, answered by one reply.
 *
 * It ends by `finish` or by `cancel`; the server takes a cancelled one, and one that is forgotten,
 * for cancelled and never for complete.
 */
interface Stream
{
    /**
     * Send one message. A few MiB are held here; above that this waits until the server has read.
     *
     * @return bool false once the server takes no more: what remains is to `finish`
     * @throws TransportException when the connection breaks or the deadline has come
     */
    public function send(string $message): bool;

    /**
     * Wait until the server's first metadata is there, or the call has ended, or for so long.
     *
     * @return array<string, string> that metadata by lower-case name; empty if it has not come
     * @throws TransportException when the connection breaks or the deadline has come
     */
    public function metadata(float $seconds): array;

    /**
     * Say that all was sent, and wait for the reply.
     *
     * @throws TransportException if none came, after the deadline at the latest
     */
    public function finish(): Reply;

    /** Give the call up, if it has not ended; the server is told. */
    public function cancel(): void;
}
