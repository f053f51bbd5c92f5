<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Faults;

use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\Exception\ConnectionFailedException;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\Tests\Support\Exports;
use ExportMiddleware\Client\Tests\Support\StandIn;
use ExportMiddleware\Client\TlsOptions;
use PHPUnit\Framework\TestCase;

/** Certificates of either side. */
final class TlsTest extends TestCase
{
    public function testAServerWhoseAuthorityIsTrustedIsTalkedToAgainAndAgain(): void
    {
        $client = self::client('tls', new TlsOptions(StandIn::address('authority')));
        for ($time = 0; $time < 3; $time++) {
            $result = Exports::of($client, rows: Exports::rows(2_000));
            self::assertSame(2_000, $client->status($result->taskId)->rows);
        }
    }

    public function testAServerOfAnUnknownAuthorityIsNotTrusted(): void
    {
        $failed = Exports::failed(ConnectionFailedException::class, self::client('tls'));
        self::assertStringContainsString('its certificate is not to be trusted', $failed->getMessage());
        self::assertStringContainsString('TlsOptions::caFile', $failed->getMessage());
    }

    public function testACertificateOfTheClientIsShownWhereItIsAskedFor(): void
    {
        $authority = StandIn::address('authority');
        $own = new TlsOptions($authority, StandIn::address('certificate'), StandIn::address('key'));
        self::assertSame(3, Exports::of(self::client('mutual', $own))->rows);
        Exports::failed(ConnectionFailedException::class, self::client('mutual', new TlsOptions($authority)));
    }

    public function testAFileThatIsMissingIsNamedByItsOption(): void
    {
        foreach ([new TlsOptions('/nowhere.pem'), new TlsOptions(certificateFile: '/nowhere.pem')] as $tls) {
            $failed = Exports::failed(ConnectionFailedException::class, self::client('tls', $tls));
            self::assertStringContainsString('TlsOptions::', $failed->getMessage());
            self::assertStringNotContainsString('nowhere', $failed->getMessage());
        }
    }

    public function testTheWrongSchemeIsSaidToBeThat(): void
    {
        $failed = Exports::failed(ConnectionFailedException::class, new ExportClient(
            'https://' . StandIn::address('plain'),
        ));
        self::assertStringContainsString('http:// for those without', $failed->getMessage());
        $failed = Exports::failed(ConnectionFailedException::class, new ExportClient('http://' . StandIn::address('tls')));
        self::assertStringContainsString('it asks for TLS', $failed->getMessage());
    }

    private static function client(string $door, ?TlsOptions $tls = null): ExportClient
    {
        return new ExportClient('https://' . StandIn::address($door), new ClientOptions(tls: $tls, acceptTimeout: 5.0));
    }
}
