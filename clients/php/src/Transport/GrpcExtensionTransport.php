<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\InvalidRequestException;
use ExportMiddleware\Client\TlsOptions;
use Grpc\Call;
use Grpc\Channel;
use Grpc\ChannelCredentials;
use Grpc\Timeval;

/**
 * gRPC over the extension of that name, by its own classes: no generated code is needed.
 *
 * Source: grpc/src/php/ext/grpc, call.c and channel.c.
 */
final class GrpcExtensionTransport implements Transport
{
    private readonly Channel $channel;

    public function __construct(
        Address $address,
        private readonly ClientOptions $options = new ClientOptions(),
    ) {
        $tls = $address->tls ? self::credentials($options->tls ?? new TlsOptions()) : null;
        $this->channel = new Channel($address->target(), [
            // Without TLS the extension wants this key, and null in it.
            'credentials' => $tls ?? ChannelCredentials::createInsecure(),
            'grpc.max_send_message_length' => -1,
            'grpc.enable_http_proxy' => 0,
            'grpc.primary_user_agent' => 'export-middleware-php',
        ]);
    }

    public function call(string $method, string $message, Deadline $deadline): Reply
    {
        $call = $this->open($method, $deadline);
        $event = $call->startBatch([
            \Grpc\OP_SEND_INITIAL_METADATA => $this->metadata(),
            \Grpc\OP_SEND_MESSAGE => ['message' => $message],
            \Grpc\OP_SEND_CLOSE_FROM_CLIENT => true,
            \Grpc\OP_RECV_INITIAL_METADATA => true,
            \Grpc\OP_RECV_MESSAGE => true,
            \Grpc\OP_RECV_STATUS_ON_CLIENT => true,
        ]);
        return GrpcExtensionStream::reply($event, (array) ($event->metadata ?? []));
    }

    public function stream(string $method, Deadline $deadline): Stream
    {
        $call = $this->open($method, $deadline);
        $call->startBatch([\Grpc\OP_SEND_INITIAL_METADATA => $this->metadata()]);
        return new GrpcExtensionStream($call, $deadline);
    }

    private function open(string $method, Deadline $deadline): Call
    {
        $until = $deadline->isNever()
            ? Timeval::infFuture()
            : Timeval::now()->add(new Timeval($deadline->milliseconds() * 1000));
        return new Call($this->channel, $method, $until);
    }

    /** @return array<string, list<string>> */
    private function metadata(): array
    {
        return array_map(static fn(string $value): array => [$value], $this->options->headers());
    }

    private static function credentials(TlsOptions $tls): ChannelCredentials
    {
        return ChannelCredentials::createSsl(
            self::pem($tls->caFile, 'caFile'),
            self::pem($tls->keyFile, 'keyFile'),
            self::pem($tls->certificateFile, 'certificateFile'),
        );
    }

    private static function pem(?string $file, string $option): ?string
    {
        if ($file === null) {
            return null;
        }
        $text = is_file($file) && is_readable($file) ? file_get_contents($file) : false;
        return $text !== false
            ? $text
            : throw new InvalidRequestException("the file of TlsOptions::$option cannot be read", ErrorCode::ConnectionFailed);
    }
}
