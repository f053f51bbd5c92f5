<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;

/**
 * Which transport this PHP has.
 *
 * @internal
 */
final class Transports
{
    private function __construct()
    {
    }

    /** The grpc extension where it is loaded, libcurl otherwise. */
    public static function best(Address $address, ClientOptions $options): Transport
    {
        return extension_loaded('grpc')
            ? new GrpcExtensionTransport($address, $options)
            : new CurlTransport($address, $options);
    }
}
