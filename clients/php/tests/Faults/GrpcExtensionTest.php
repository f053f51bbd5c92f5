<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Faults;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\Exception\ConnectionFailedException;
use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\InvalidRequestException;
use ExportMiddleware\Client\Exception\TaskNotFoundException;
use ExportMiddleware\Client\Exception\TimedOutException;
use ExportMiddleware\Client\Exception\UnavailableException;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\TaskStatus;
use ExportMiddleware\Client\Tests\Support\Exports;
use ExportMiddleware\Client\Tests\Support\StandIn;
use ExportMiddleware\Client\TlsOptions;
use ExportMiddleware\Client\Transport\GrpcExtensionTransport;
use Grpc\Channel;
use PHPUnit\Framework\TestCase;
use RuntimeException;

/** The other transport, against a fake of the extension: all that is known of it is its source. */
final class GrpcExtensionTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        if (!extension_loaded('grpc')) {
            require_once __DIR__ . '/../Support/grpc_extension.php';
        }
    }

    public function testAnExportAndItsStatusAreAsOverLibcurl(): void
    {
        $client = self::client('well', token: 'secret');
        $told = '';
        $result = Exports::of($client, rows: Exports::rows(2_500), onStarted: static function (string $taskId) use (&$told): void {
            $told = $taskId;
        });
        self::assertSame([2_500, str_repeat('ab', 32), $told], [$result->rows, $result->sha256, $result->taskId]);
        self::assertSame(TaskStatus::Completed, $client->status($result->taskId)->status);
        self::assertSame('Bearer secret', StandIn::seen($result->taskId)['headers']['authorization']);
    }

    public function testARefusalTakesNoRow(): void
    {
        $rows = (static function () {
            throw new RuntimeException('a row was taken');
            yield [];
        })();
        $failed = Exports::failed(InvalidRequestException::class, self::client('refuse'), rows: $rows);
        self::assertSame('metadata.filename: 订单 100% is refused', $failed->getMessage());
    }

    public function testAWrongRowIsTold(): void
    {
        $failed = Exports::failed(InvalidRequestException::class, self::client('fail'), rows: Exports::rows(5_000));
        self::assertSame(ErrorCode::InvalidData, $failed->errorCode());
        self::assertNotNull($failed->taskId());
    }

    public function testAfterALostAnswerTheServerIsAsked(): void
    {
        self::assertSame(3, Exports::of(self::client('lose'))->rows);
        Exports::failed(UnavailableException::class, self::client('lose-failure'));
    }

    public function testAnUnknownTaskIsNotFound(): void
    {
        $this->expectException(TaskNotFoundException::class);
        self::client('well')->status('nobody');
    }

    public function testTheDeadlineIsKept(): void
    {
        Exports::failed(TimedOutException::class, self::client('hang'), timeout: 0.5);
    }

    public function testNobodyAtTheAddressIsTold(): void
    {
        $transport = new GrpcExtensionTransport(Address::of(StandIn::address('closed')));
        $client = new ExportClient(StandIn::address('closed'), transport: $transport);
        self::assertTrue(Exports::failed(ConnectionFailedException::class, $client)->retryable());
    }

    public function testASourceThatThrowsCancelsTheCall(): void
    {
        $rows = (static function () {
            yield from Exports::rows(2_500);
            throw new RuntimeException('the database went away');
        })();
        try {
            Exports::of(self::client('well'), rows: $rows);
            self::fail('taken for whole');
        } catch (RuntimeException $thrown) {
            self::assertSame('the database went away', $thrown->getMessage());
        }
        self::assertSame([false, true], [StandIn::seen()['half_closed'], StandIn::seen()['cancelled']]);
    }

    public function testCertificatesAreReadForTheExtension(): void
    {
        $names = ['authority', 'key', 'certificate'];
        [$authority, $key, $certificate] = array_map(StandIn::address(...), $names);
        $tls = new TlsOptions($authority, $certificate, $key);
        new GrpcExtensionTransport(Address::of('https://h:1'), new ClientOptions(tls: $tls));
        self::assertSame(
            array_map('file_get_contents', [$authority, $key, $certificate]),
            Channel::$last?->arguments['credentials']->pems,
        );
        $this->expectExceptionMessage('the file of TlsOptions::caFile cannot be read');
        new GrpcExtensionTransport(Address::of('https://h:1'), new ClientOptions(tls: new TlsOptions('/nowhere.pem')));
    }

    private static function client(string $scenario, ?string $token = null): ExportClient
    {
        $options = new ClientOptions(token: $token, recoveryTimeout: 0.5, metadata: ['x-scenario' => $scenario]);
        $address = StandIn::address('plain');
        return new ExportClient($address, $options, new GrpcExtensionTransport(Address::of($address), $options));
    }
}
