<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Faults;

use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\Exception\IncompleteExportException;
use ExportMiddleware\Client\Exception\TaskNotFoundException;
use ExportMiddleware\Client\Exception\UnavailableException;
use ExportMiddleware\Client\Format;
use ExportMiddleware\Client\TaskState;
use ExportMiddleware\Client\TaskStatus;
use ExportMiddleware\Client\Tests\Support\Exports;
use ExportMiddleware\Client\Tests\Support\StandIn;
use PHPUnit\Framework\TestCase;

/** What a client makes of answers, the odd ones among them. */
final class AnswersTest extends TestCase
{
    public function testAnAnswerIsATypedResult(): void
    {
        $result = Exports::of(StandIn::client());
        self::assertSame(
            ["http://files.example/$result->taskId", 3, 4711, str_repeat('ab', 32), '2023-11-14T22:13:20+00:00', 1_700_000_009],
            [$result->url, $result->rows, $result->sizeBytes, $result->sha256, $result->startedAt?->format(DATE_ATOM),
                $result->completedAt?->getTimestamp()],
        );
    }

    public function testAServerThatSaysNothingBeforeItsAnswerIsWaitedForOnlyAsLongAsTold(): void
    {
        $started = [];
        $onStarted = static function (string $taskId) use (&$started): void {
            $started[] = $taskId;
        };
        $result = Exports::of(StandIn::client('silent', acceptTimeout: 0.05), onStarted: $onStarted);
        self::assertSame([3, []], [$result->rows, $started]);
    }

    public function testAnAnswerOfALaterVersionIsRead(): void
    {
        self::assertSame(3, Exports::of(StandIn::client('unknown-fields'))->rows);
    }

    public function testAnAnswerThatComesBeforeTheEndIsWaitedFor(): void
    {
        $result = Exports::of(StandIn::client('unfinished'));
        self::assertStringStartsWith('http://files.example/', $result->url);
        self::assertNotNull($result->completedAt);
    }

    public function testStatusZeroWithoutAMessageIsNoSuccessAndIsLookedUp(): void
    {
        $result = Exports::of(StandIn::client('empty'));
        self::assertSame([3, null], [$result->rows, $result->sha256]);
        self::assertSame(1, StandIn::seen($result->taskId)['questions']);
    }

    public function testAnAnswerThatIsNoneOfTheContractIsSaidToBeSo(): void
    {
        $failed = Exports::failed(ExportException::class, StandIn::client('garbage'));
        self::assertSame(ErrorCode::Internal, $failed->errorCode());
        self::assertStringContainsString("the server's answer is not of the contract", $failed->getMessage());
    }

    public function testAnAnswerThatIsTooLargeIsNotKept(): void
    {
        $failed = Exports::failed(ExportException::class, StandIn::client('huge'));
        self::assertStringContainsString('its answer is larger than 1 MiB', $failed->getMessage());
    }

    public function testAFileWithOtherRowsThanWereSentIsNoSuccess(): void
    {
        $failed = Exports::failed(IncompleteExportException::class, StandIn::client('short'));
        self::assertSame('3 rows were sent and 2 are in the file', $failed->getMessage());
        self::assertSame([ErrorCode::RowCountMismatch, true], [$failed->errorCode(), $failed->retryable()]);
    }

    public function testTheSameRequestAgainHasTheRowsOfTheFirst(): void
    {
        self::assertSame(123, Exports::of(StandIn::client('early'), requestId: 'again')->rows);
        $failed = Exports::failed(IncompleteExportException::class, StandIn::client('early'));
        self::assertSame('3 rows were sent and 123 are in the file', $failed->getMessage());
    }

    public function testACallThatEndsWellWithAFailedExportIsAFailure(): void
    {
        $failed = Exports::failed(UnavailableException::class, StandIn::client('answer-of-failure'));
        self::assertSame([ErrorCode::QueueTimeout, 'too late'], [$failed->errorCode(), $failed->getMessage()]);
    }

    public function testACodeOfALaterVersionIsShown(): void
    {
        $failed = Exports::failed(ExportException::class, StandIn::client('later-code'));
        self::assertSame('BRAND_NEW: something unheard of', $failed->getMessage());
        self::assertSame([ErrorCode::Internal, false], [$failed->errorCode(), $failed->retryable()]);
    }

    public function testEveryCodeOfTheServerArrives(): void
    {
        foreach (ErrorCode::cases() as $code) {
            $client = StandIn::client('coded', metadata: ['x-error-to-give' => "ABORTED $code->value"]);
            try {
                Exports::of($client);
                self::fail($code->value);
            } catch (ExportException $failed) {
                self::assertSame([$code, 'because'], [$failed->errorCode(), $failed->getMessage()]);
                self::assertNotNull($failed->taskId());
            }
        }
    }

    public function testAStateIsTyped(): void
    {
        $client = StandIn::client();
        $result = Exports::of($client);
        $state = $client->status($result->taskId);
        self::assertSame(
            [$result->taskId, TaskStatus::Completed, Format::Csv, 'orders.csv', 3, 100.0, $result->url, 4711, null, null, null],
            [$state->taskId, $state->status, $state->format, $state->filename, $state->rows, $state->progress, $state->url,
                $state->sizeBytes, $state->errorCode, $state->errorMessage, $state->remainingSeconds],
        );
    }

    public function testAnUnknownTaskIsNotFound(): void
    {
        $this->expectException(TaskNotFoundException::class);
        $this->expectExceptionMessage('no task nobody');
        StandIn::client()->status('nobody');
    }

    public function testAWaitTellsEveryStateUntilTheLast(): void
    {
        $client = StandIn::client('lose');
        $taskId = '';
        Exports::of($client, onStarted: static function (string $started) use (&$taskId): void {
            $taskId = $started;
        });
        $seen = [];
        $state = $client->wait($taskId, 5.0, static function (TaskState $state) use (&$seen): void {
            $seen[] = $state->status;
        });
        self::assertSame([TaskStatus::Completed, [TaskStatus::Completed]], [$state->status, $seen]);
    }
}
