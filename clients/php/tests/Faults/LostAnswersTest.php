<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Faults;

use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\Exception\ConnectionFailedException;
use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\Exception\IncompleteExportException;
use ExportMiddleware\Client\Exception\UnavailableException;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\Tests\Support\Exports;
use ExportMiddleware\Client\Tests\Support\StandIn;
use PHPUnit\Framework\TestCase;

/** Connections that break: whether there is a file is asked, never guessed. */
final class LostAnswersTest extends TestCase
{
    public function testAfterALostAnswerTheServerIsAskedUntilTheFileIsThere(): void
    {
        $result = Exports::of(StandIn::client('lose'));
        self::assertSame([3, null, "http://files.example/$result->taskId"], [$result->rows, $result->sha256, $result->url]);
        self::assertGreaterThanOrEqual(3, StandIn::seen($result->taskId)['questions']);
    }

    public function testAfterALostAnswerTheServersReasonArrives(): void
    {
        $failed = Exports::failed(UnavailableException::class, StandIn::client('lose-failure'));
        self::assertSame([ErrorCode::StorageError, 'the store does not answer'], [$failed->errorCode(), $failed->getMessage()]);
        self::assertNotNull($failed->taskId());
    }

    public function testAConnectionThatBreaksWhileRowsAreSentIsNoSuccess(): void
    {
        $failed = Exports::failed(IncompleteExportException::class, StandIn::client('cut'), rows: Exports::rows(200_000));
        self::assertSame([ErrorCode::IncompleteStream, true], [$failed->errorCode(), $failed->retryable()]);
    }

    public function testWhereNothingCanBeLearntTheBreakItselfIsTold(): void
    {
        $client = StandIn::client('cut-unnoticed', recoveryTimeout: 0.1);
        $failed = Exports::failed(ConnectionFailedException::class, $client, rows: Exports::rows(200_000));
        self::assertNotNull($failed->taskId());
        self::assertTrue($failed->retryable());
    }

    public function testABreakBeforeTheServerHasSaidAnythingIsTold(): void
    {
        $failed = Exports::failed(ConnectionFailedException::class, StandIn::client('cut-unannounced'));
        self::assertNull($failed->taskId());
    }

    public function testAnErrorOfSomethingOnTheWayIsNotTheServersWord(): void
    {
        self::assertSame(3, Exports::of(StandIn::client('without-code'))->rows);
    }

    public function testNobodyAtTheAddressIsToldWithTheAddress(): void
    {
        $address = StandIn::address('closed');
        $failed = Exports::failed(ConnectionFailedException::class, new ExportClient($address));
        self::assertStringContainsString("the export server at $address: connection refused", $failed->getMessage());
    }

    public function testAHostThatDoesNotExistIsTold(): void
    {
        $failed = Exports::failed(ConnectionFailedException::class, new ExportClient('nobody.invalid:1'));
        self::assertStringContainsString('the host name is not known', $failed->getMessage());
    }

    public function testAPortOfAnotherProtocolIsToldForAnExportAndAQuestion(): void
    {
        $client = new ExportClient(StandIn::address('http'), new ClientOptions(acceptTimeout: 0.2));
        foreach ([fn() => Exports::of($client), fn() => $client->status('x')] as $ask) {
            try {
                $ask();
                self::fail('answered');
            } catch (ExportException $failed) {
                self::assertContains($failed->errorCode(), [ErrorCode::ConnectionFailed, ErrorCode::Unimplemented]);
                self::assertStringContainsString(StandIn::address('http'), $failed->getMessage());
            }
        }
    }
}
