<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

/**
 * Calls of gRPC on one server. Messages are bytes here.
 */
interface Transport
{
    /**
     * Ask one question.
     *
     * @param string $method `/package.Service/Method`
     * @throws TransportException if no reply came, after the deadline at the latest
     */
    public function call(string $method, string $message, Deadline $deadline): Reply;

    /**
     * Open a call to which messages are sent one after another.
     *
     * @throws TransportException if that cannot even begin
     */
    public function stream(string $method, Deadline $deadline): Stream;
}
