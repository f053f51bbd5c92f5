<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Support;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\Transport\CurlTransport;
use ExportMiddleware\Client\Transport\Deadline;
use RuntimeException;

/**
 * The server that misbehaves as it is told: tests/support/standin of the project.
 */
final class StandIn
{
    /** Where its addresses are; test_php_client.py starts it and sets this. */
    private const VARIABLE = 'EXPORT_STANDIN';

    private function __construct()
    {
    }

    /** A client whose calls meet a scenario. */
    public static function client(string $scenario = 'well', mixed ...$options): ExportClient
    {
        $metadata = ['x-scenario' => $scenario] + ($options['metadata'] ?? []);
        $given = ['metadata' => $metadata] + $options + ['recoveryTimeout' => 0.5];
        return new ExportClient(self::address('plain'), new ClientOptions(...$given));
    }

    /** One of its doors, or another place that it knows of. */
    public static function address(string $name): string
    {
        $file = getenv(self::VARIABLE);
        if ($file === false) {
            throw new RuntimeException(
                self::VARIABLE . ' is not set: run these by pytest, tests/acceptance/test_php_client.py',
            );
        }
        return json_decode((string) file_get_contents($file), true, flags: JSON_THROW_ON_ERROR)[$name];
    }

    /**
     * What it has seen of an export, once its call is over; of the last one without an id.
     *
     * @return array<string, mixed>
     */
    public static function seen(string $taskId = ''): array
    {
        $transport = new CurlTransport(Address::of(self::address('plain')), new ClientOptions());
        $reply = $transport->call('/standin.Control/Seen', $taskId, Deadline::in(15.0));
        return json_decode($reply->message ?? throw new RuntimeException($reply->detail), true);
    }
}
