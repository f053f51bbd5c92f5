<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Faults;

use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\Exception\InvalidRequestException;
use ExportMiddleware\Client\Exception\UnavailableException;
use ExportMiddleware\Client\Tests\Support\Exports;
use ExportMiddleware\Client\Tests\Support\StandIn;
use PHPUnit\Framework\TestCase;

/** What the server refuses, before or among the rows. */
final class RefusalsTest extends TestCase
{
    public function testARefusedRequestTakesNoRowAndTellsWhyInAnyScript(): void
    {
        $taken = 0;
        $rows = (static function () use (&$taken) {
            foreach (Exports::rows(10_000) as $row) {
                $taken++;
                yield $row;
            }
        })();
        $failed = Exports::failed(InvalidRequestException::class, StandIn::client('refuse'), rows: $rows);
        self::assertSame('metadata.filename: 订单 100% is refused', $failed->getMessage());
        self::assertSame([ErrorCode::InvalidDescriptor, false, 0], [$failed->errorCode(), $failed->retryable(), $taken]);
    }

    public function testAFullQueueTellsWhenToRetry(): void
    {
        $failed = Exports::failed(UnavailableException::class, StandIn::client('crowded'));
        self::assertSame(
            [ErrorCode::QueueFull, true, 12.5],
            [$failed->errorCode(), $failed->retryable(), $failed->retryAfter()],
        );
        self::assertNull(Exports::failed(InvalidRequestException::class, StandIn::client('refuse'))->retryAfter());
    }

    public function testTheReasonIsRightEachTime(): void
    {
        for ($time = 0; $time < 50; $time++) {
            $failed = Exports::failed(InvalidRequestException::class, StandIn::client('refuse'));
            self::assertSame(ErrorCode::InvalidDescriptor, $failed->errorCode(), "time $time");
        }
    }

    public function testAWrongRowIsToldWhileRowsAreStillSent(): void
    {
        foreach (['fail', 'fail-at-once'] as $scenario) {
            $failed = Exports::failed(InvalidRequestException::class, StandIn::client($scenario), rows: Exports::rows(100_000));
            self::assertSame('row 7 has 3 values and the export 2 columns', $failed->getMessage(), $scenario);
            self::assertNotNull($failed->taskId());
        }
    }

    /** libcurl 7.88 loses the status of a call that ends before its client: then it is no success still. */
    public function testARefusalWithoutADrainIsNeverASuccess(): void
    {
        $this->expectException(ExportException::class);
        Exports::of(StandIn::client('refuse-at-once', acceptTimeout: 0.2));
    }
}
