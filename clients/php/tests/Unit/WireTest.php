<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Unit;

use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Format;
use ExportMiddleware\Client\TaskStatus;
use ExportMiddleware\Client\Transport\Frames;
use ExportMiddleware\Client\Transport\Outbox;
use ExportMiddleware\Client\Transport\TransportException;
use ExportMiddleware\Client\Wire\Answers;
use ExportMiddleware\Client\Wire\Field;
use ExportMiddleware\Client\Wire\Message;
use ExportMiddleware\Client\Wire\WireException;
use InvalidArgumentException;
use PHPUnit\Framework\TestCase;

/** Bytes to messages and back. */
final class WireTest extends TestCase
{
    public function testNumbersOfEveryLengthComeBack(): void
    {
        foreach ([1, 127, 128, 16_383, 16_384, 1 << 31, 1 << 56, PHP_INT_MAX] as $number) {
            self::assertSame($number, Message::of(Field::int(5, $number))->int(5));
        }
    }

    public function testANegativeNumberComesBackAndIsNeverSent(): void
    {
        self::assertSame(-1, Message::of("\x28" . str_repeat("\xFF", 9) . "\x01")->int(5));
        $this->expectException(InvalidArgumentException::class);
        Field::int(5, -1);
    }

    public function testWhatHasItsDefaultIsLeftOut(): void
    {
        self::assertSame('', Field::int(1, 0) . Field::text(1, '') . Field::of(1, false) . Field::of(2, ''));
        self::assertSame('0a00', bin2hex(Field::bytes(1, '')));
    }

    public function testOfAFieldThatIsThereTwiceTheLastCounts(): void
    {
        self::assertSame('b', Message::of(Field::text(1, 'a') . Field::text(1, 'b'))->text(1));
    }

    public function testAFieldOfAnotherKindIsAsIfItWereMissing(): void
    {
        $message = Message::of(Field::int(1, 5) . Field::text(2, 'x'));
        self::assertSame(['', null, 0, null, 0.0], [
            $message->text(1), $message->textOrNull(1), $message->int(2), $message->intOrNull(2), $message->float(2),
        ]);
    }

    public function testBytesThatAreNoMessageAreRefused(): void
    {
        foreach (["\x0A", "\x0A\x05ab", "\x08", "\x08\x80", "\x0B", "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
            "\x08" . str_repeat("\x80", 11), "\x0D\x00", "\x09\x00"] as $bytes) {
            try {
                Message::of($bytes);
                self::fail(bin2hex($bytes));
            } catch (WireException $refused) {
                self::assertNotSame('', $refused->getMessage());
            }
        }
    }

    public function testAStateHasEveryFieldOfTheContract(): void
    {
        $state = Answers::state(
            Field::text(1, 't') . Field::int(2, 3) . Field::int(3, 1) . Field::text(4, 'f') . Field::int(5, 7)
            . "\x35" . pack('g', 12.5) . Field::text(7, 'u') . Field::int(8, 9) . Field::text(9, 'm')
            . Field::text(10, 'UPLOAD_ERROR') . Field::int(11, 1) . Field::int(12, 2) . Field::int(13, 5),
        );
        self::assertSame(
            ['t', TaskStatus::Uploading, Format::Excel, 'f', 7, 12.5, 'u', 9, ErrorCode::UploadError, 'm', 1, 2, 5],
            [$state->taskId, $state->status, $state->format, $state->filename, $state->rows, $state->progress, $state->url,
                $state->sizeBytes, $state->errorCode, $state->errorMessage, $state->startedAt?->getTimestamp(),
                $state->completedAt?->getTimestamp(), $state->remainingSeconds],
        );
    }

    public function testAnEmptyStateHasNothing(): void
    {
        $state = Answers::state('');
        self::assertSame(
            [TaskStatus::Unspecified, null, null, null, null, null, null, null],
            [$state->status, $state->format, $state->url, $state->sizeBytes, $state->errorCode, $state->errorMessage,
                $state->startedAt, $state->remainingSeconds],
        );
    }

    public function testValuesOfALaterContractAreNoError(): void
    {
        $state = Answers::state(Field::int(2, 4) . Field::int(3, 99) . Field::text(10, 'NEW') . Field::int(200, 1));
        self::assertSame([TaskStatus::Completed, null, null], [$state->status, $state->format, $state->errorCode]);
    }

    public function testAFailureWithAnUnknownCodeIsInternal(): void
    {
        self::assertSame(ErrorCode::Internal, Answers::state(Field::int(2, 5) . Field::text(10, 'NEW'))->errorCode);
        self::assertSame(ErrorCode::Internal, Answers::state(Field::int(2, 5))->errorCode);
    }

    public function testAFrameComesBackOnlyWhole(): void
    {
        $frame = Frames::of('hello');
        self::assertSame('0000000005' . bin2hex('hello'), bin2hex($frame));
        self::assertSame('hello', Frames::first($frame));
        self::assertSame('', Frames::first(Frames::of('')));
        for ($length = 0; $length < strlen($frame); $length++) {
            self::assertNull(Frames::first(substr($frame, 0, $length)));
        }
        $this->expectException(TransportException::class);
        Frames::first("\1" . substr($frame, 1));
    }

    public function testNothingIsLostBetweenPiecesThatAreAskedFor(): void
    {
        foreach ([1, 2, 3, 7, 100] as $piece) {
            $box = new Outbox();
            $taken = '';
            foreach (['', 'abc', '', 'defghijk', 'l'] as $bytes) {
                $box->add($bytes);
            }
            self::assertSame(12, $box->size());
            while ($box->size() > 0) {
                $bytes = $box->take($piece);
                self::assertTrue($bytes !== '' && strlen($bytes) <= $piece);
                $taken .= $bytes;
            }
            self::assertSame(['abcdefghijkl', ''], [$taken, $box->take($piece)]);
        }
    }
}
