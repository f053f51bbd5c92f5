<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Support;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\ExportResult;
use ExportMiddleware\Client\Transport\CurlTransport;
use ExportMiddleware\Client\Transport\Deadline;
use ExportMiddleware\Client\Transport\Reply;
use RuntimeException;

/**
 * The server of the project, as it is deployed.
 */
final class Server
{
    /** Where its door of the contract is; test_php_client.py starts it and sets this. */
    private const VARIABLE = 'EXPORT_SERVER';

    private function __construct()
    {
    }

    public static function address(): string
    {
        $address = getenv(self::VARIABLE);
        return $address !== false ? $address : throw new RuntimeException(
            self::VARIABLE . ' is not set: run these by pytest, tests/acceptance/test_php_client.py',
        );
    }

    public static function client(): ExportClient
    {
        return new ExportClient(self::address());
    }

    /** The file of an export, fetched by its link. */
    public static function file(ExportResult $result): string
    {
        return (string) file_get_contents($result->url);
    }

    /** What it answers to messages that the client itself would never send so. */
    public static function answer(string ...$messages): Reply
    {
        $transport = new CurlTransport(Address::of(self::address()), new ClientOptions());
        $stream = $transport->stream('/export.ExportService/StreamExport', Deadline::in(Exports::TIMEOUT));
        foreach ($messages as $message) {
            if (!$stream->send($message)) {
                break;
            }
        }
        return $stream->finish();
    }
}
