<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Faults;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\Columns;
use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\InvalidRowException;
use ExportMiddleware\Client\Exception\TimedOutException;
use ExportMiddleware\Client\ExportRequest;
use ExportMiddleware\Client\Format;
use ExportMiddleware\Client\Progress;
use ExportMiddleware\Client\TaskStatus;
use ExportMiddleware\Client\Tests\Support\Exports;
use ExportMiddleware\Client\Tests\Support\StandIn;
use ExportMiddleware\Client\Transport\CurlTransport;
use ExportMiddleware\Client\Transport\Deadline;
use PHPUnit\Framework\TestCase;
use RuntimeException;

/** How rows go over: in order, held back where the server does not read, and given up as a whole. */
final class FlowTest extends TestCase
{
    public function testMessagesAreNumberedCutAndOfTheRowsThatWereGiven(): void
    {
        $result = Exports::of(StandIn::client(), rows: Exports::rows(2_500), filename: '订单.xlsx', requestId: 'r1');
        $seen = StandIn::seen($result->taskId);
        self::assertSame([[1, 1_000], [2, 1_000], [3, 500]], array_map(static fn($batch) => array_slice($batch, 0, 2), $seen['batches']));
        self::assertSame([['1', 'name 1'], ['2', 'name 2']], array_slice($seen['first_rows'], 0, 2));
        self::assertSame(
            ['request_id' => 'r1', 'format' => 1, 'filename' => '订单.xlsx',
                'columns' => [['name' => 'id', 'data_type' => 1], ['name' => 'name', 'data_type' => 1]]],
            $seen['asked'],
        );
        self::assertSame([true, false], [$seen['half_closed'], $seen['cancelled']]);
    }

    public function testARowOfManyMebibytesIsSentWhole(): void
    {
        $text = str_repeat('订', 3 << 20);
        $result = Exports::of(StandIn::client(), rows: [['1', 'a'], ['2', $text], ['3', 'c']]);
        [$before, $large, $after] = StandIn::seen($result->taskId)['batches'];
        self::assertSame([1, 1, 1], [$before[1], $large[1], $after[1]]);
        self::assertGreaterThan(9 << 20, $large[2]);
    }

    public function testAnExportWithoutRowsIsOne(): void
    {
        $result = Exports::of(StandIn::client(), rows: []);
        self::assertSame(0, $result->rows);
        self::assertTrue(StandIn::seen($result->taskId)['half_closed']);
    }

    public function testWhatTheClientIsGivenIsSentWithEachCall(): void
    {
        $client = StandIn::client(token: 'secret', metadata: ['traceparent' => '00-1-2-03', 'x-empty' => '']);
        $headers = StandIn::seen(Exports::of($client)->taskId)['headers'];
        self::assertSame(
            ['Bearer secret', '00-1-2-03', ''],
            [$headers['authorization'], $headers['traceparent'], $headers['x-empty']],
        );
        self::assertStringContainsString('export-middleware-php', $headers['user-agent']);
    }

    public function testTheServerIsToldTheDeadline(): void
    {
        $seen = StandIn::seen(Exports::of(StandIn::client(), timeout: 15.0)->taskId);
        self::assertGreaterThan(5.0, $seen['time']);
        self::assertLessThanOrEqual(15.0, $seen['time']);
        $seen = StandIn::seen(Exports::of(StandIn::client(exportTimeout: null), timeout: null)->taskId);
        self::assertGreaterThan(1e9, $seen['time'], 'grpcio has no other word for never');
    }

    public function testTheTaskIdIsThereBeforeAnyRowIsTaken(): void
    {
        $told = null;
        $atFirstRow = null;
        $rows = (static function () use (&$told, &$atFirstRow) {
            $atFirstRow = $told;
            yield ['1', 'a'];
        })();
        $result = Exports::of(StandIn::client(), rows: $rows, onStarted: static function (string $taskId) use (&$told): void {
            $told = $taskId;
        });
        self::assertSame($result->taskId, $atFirstRow);
    }

    public function testProgressGrowsToTheEndAndHasTheServersViewWhereAsked(): void
    {
        /** @var list<Progress> $seen */
        $seen = [];
        $onProgress = static function (Progress $progress) use (&$seen): void {
            $seen[] = $progress;
        };
        Exports::of(StandIn::client(), rows: Exports::rows(3_000), onProgress: $onProgress, askEvery: 0.000_001);
        self::assertSame([1_000, 3_000], [$seen[0]->rows, end($seen)->rows]);
        self::assertGreaterThan($seen[0]->bytes, end($seen)->bytes);
        self::assertSame(TaskStatus::Processing, end($seen)->server?->status);
    }

    public function testAServerThatDoesNotReadHoldsTheSourceBack(): void
    {
        $taken = $most = 0;
        $rows = (static function () use (&$taken, &$most) {
            $text = str_repeat('x', 1_000);
            while (true) {
                $taken++;
                $most = max($most, memory_get_usage());
                yield ['1', $text];
            }
        })();
        $before = memory_get_usage();
        $failed = Exports::failed(TimedOutException::class, StandIn::client('stall'), rows: $rows, timeout: 1.5);
        self::assertSame(ErrorCode::TimedOut, $failed->errorCode());
        self::assertNotNull($failed->taskId());
        self::assertLessThan(50_000, $taken, 'what fits into the sockets of both sides and of the proxy');
        self::assertLessThan(10 << 20, $most - $before);
        self::assertTrue(StandIn::seen((string) $failed->taskId())['cancelled']);
    }

    public function testAServerThatDoesNotAnswerIsWaitedForUntilTheDeadline(): void
    {
        $failed = Exports::failed(TimedOutException::class, StandIn::client('hang'), timeout: 0.5);
        self::assertStringContainsString('did not answer in the time that this client has', $failed->getMessage());
        self::assertNotNull($failed->taskId());
    }

    public function testASourceThatThrowsCancelsTheCallAndArrivesUnchanged(): void
    {
        $thrown = new RuntimeException('the database went away');
        $rows = (static function () use ($thrown) {
            yield from Exports::rows(2_500);
            throw $thrown;
        })();
        try {
            Exports::of(StandIn::client(), rows: $rows);
            self::fail('taken for whole');
        } catch (RuntimeException $caught) {
            self::assertSame($thrown, $caught);
        }
        $this->assertGivenUp();
    }

    public function testARowThatCannotBeSentCancelsTheCall(): void
    {
        $rows = (static function () {
            yield from Exports::rows(1_500);
            yield ['1', "\xB6\xA9"];
        })();
        $failed = Exports::failed(InvalidRowException::class, StandIn::client(), rows: $rows);
        self::assertSame([1_501, 'name'], [$failed->row(), $failed->column()]);
        self::assertNotNull($failed->taskId());
        $this->assertGivenUp();
    }

    public function testACallbackThatThrowsCancelsTheCall(): void
    {
        $throw = static fn() => throw new RuntimeException('enough');
        foreach (['onStarted', 'onProgress'] as $callback) {
            try {
                Exports::of(StandIn::client(), ...['rows' => Exports::rows(2_000), $callback => $throw]);
                self::fail('taken for whole');
            } catch (RuntimeException $enough) {
                self::assertSame('enough', $enough->getMessage());
            }
            $this->assertGivenUp();
        }
    }

    public function testAStreamThatIsForgottenIsCancelled(): void
    {
        $options = new ClientOptions(metadata: ['x-scenario' => 'hang']);
        $transport = new CurlTransport(Address::of(StandIn::address('plain')), $options);
        $stream = $transport->stream('/export.ExportService/StreamExport', Deadline::in(Exports::TIMEOUT));
        $request = new ExportRequest('r', 'o.csv', Format::Csv, Columns::of(['a']), null, false);
        self::assertTrue($stream->send($request->message()));
        self::assertArrayHasKey('x-task-id', $stream->metadata(Exports::TIMEOUT));
        unset($stream);
        $this->assertGivenUp();
    }

    private function assertGivenUp(): void
    {
        $seen = StandIn::seen();
        self::assertSame([false, true], [$seen['half_closed'], $seen['cancelled']]);
    }
}
