<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Contract;

use ExportMiddleware\Client\Columns;
use ExportMiddleware\Client\Exception\TaskNotFoundException;
use ExportMiddleware\Client\Format;
use ExportMiddleware\Client\TaskStatus;
use ExportMiddleware\Client\Tests\Support\Server;
use ExportMiddleware\Client\Transport\Reply;
use ExportMiddleware\Client\Transport\StatusCode;
use ExportMiddleware\Client\Wire\Answers;
use ExportMiddleware\Client\Wire\Field;
use ExportMiddleware\Client\Wire\Requests;
use PHPUnit\Framework\TestCase;

/** What the contract says of messages, told by the server to a client that breaks it. */
final class RulesTest extends TestCase
{
    private static int $number = 0;

    public function testABatchFirstIsRefused(): void
    {
        self::assertRefused('metadata as the first message', Server::answer(self::batch(1, ['1', 'a'])), 'INVALID_DESCRIPTOR');
    }

    public function testASecondMetadataIsRefused(): void
    {
        self::assertRefused('metadata was sent twice', Server::answer(self::metadata(), self::metadata()), 'INVALID_DATA');
    }

    public function testAnEmptyPayloadIsRefused(): void
    {
        self::assertRefused('payload', Server::answer(''), 'INVALID_DATA');
        self::assertRefused('payload', Server::answer(self::metadata(), ''), 'INVALID_DATA');
    }

    public function testWhatIsMissingIsNamed(): void
    {
        $column = Field::bytes(4, Field::text(1, 'a') . Field::int(2, 1));
        $fields = [
            'request_id' => Field::text(1, 'r'),
            'format' => Field::int(2, 2),
            'filename' => Field::text(3, 'o.csv'),
            'columns' => $column,
        ];
        foreach (array_keys($fields) as $missing) {
            $message = Field::bytes(1, implode('', array_diff_key($fields, [$missing => 0])));
            self::assertRefused("metadata.$missing is missing", Server::answer($message), 'INVALID_DESCRIPTOR');
        }
        foreach (['name' => Field::int(2, 1), 'data_type' => Field::text(1, 'a')] as $missing => $rest) {
            $message = Field::bytes(1, implode('', ['columns' => Field::bytes(4, $rest)] + $fields));
            self::assertRefused($missing, Server::answer($message), 'INVALID_DESCRIPTOR');
        }
    }

    public function testARowOfAnotherWidthIsNamed(): void
    {
        foreach ([['3'], ['3', 'c', 'x']] as $row) {
            $reply = Server::answer(self::metadata(), self::batch(1, ['1', 'a'], ['2', 'b'], $row));
            self::assertRefused('row 3', $reply, 'INVALID_DATA');
        }
    }

    public function testTextThatIsNotUtf8IsRefused(): void
    {
        self::assertRefused('', Server::answer(self::metadata(), self::batch(1, ['1', "\xB6\xA9"])), 'INVALID_DATA');
    }

    public function testABatchThatIsThereTwiceCountsOnce(): void
    {
        $twice = self::batch(2, ['2', 'b']);
        $reply = Server::answer(self::metadata(), self::batch(1, ['1', 'a']), $twice, $twice, self::batch(3, ['3', 'c']));
        self::assertSame(3, self::rows($reply));
    }

    public function testAGapIsAnError(): void
    {
        $reply = Server::answer(self::metadata(), self::batch(1, ['1', 'a']), self::batch(3, ['3', 'c']));
        self::assertRefused('batch_sequence 3', $reply, 'INVALID_DATA');
    }

    public function testBatchesWithoutNumbersAllCount(): void
    {
        $batches = [self::batch(0, ['1', 'a']), self::batch(0, ['2', 'b']), self::batch(0, ['3', 'c'])];
        self::assertSame(3, self::rows(Server::answer(self::metadata(), ...$batches)));
    }

    public function testAMessageOfManyMebibytesIsTaken(): void
    {
        $reply = Server::answer(self::metadata(), self::batch(1, ['1', str_repeat('x', 20 << 20)]));
        self::assertSame(1, self::rows($reply));
    }

    public function testAFailureStaysReadable(): void
    {
        $reply = Server::answer(self::metadata(), self::batch(1, ['1']));
        $taskId = (string) $reply->metadata('x-task-id');
        $state = Server::client()->status($taskId);
        self::assertSame(
            [$taskId, TaskStatus::Failed, 'INVALID_DATA', null],
            [$state->taskId, $state->status, $state->errorCode?->value, $state->url],
        );
        self::assertStringContainsString('row 1', (string) $state->errorMessage);
    }

    public function testAnUnknownTaskIsNotFound(): void
    {
        $this->expectException(TaskNotFoundException::class);
        Server::client()->status('nobody');
    }

    private static function metadata(): string
    {
        $id = 'rules-' . getmypid() . '-' . ++self::$number;
        return Requests::metadata($id, Format::Csv, 'o.csv', Columns::of(['id', 'name']), null);
    }

    /** @param list<string> ...$rows */
    private static function batch(int $sequence, array ...$rows): string
    {
        $records = '';
        foreach ($rows as $row) {
            $values = array_map(static fn(string $value): string => Field::bytes(1, $value), $row);
            $records .= Field::bytes(1, implode('', $values));
        }
        return Field::bytes(2, $records . Field::int(2, $sequence));
    }

    private static function rows(Reply $reply): int
    {
        self::assertSame(StatusCode::Ok, $reply->status, $reply->detail);
        return Answers::export((string) $reply->message)[0]->rows;
    }

    private static function assertRefused(string $part, Reply $reply, string $code): void
    {
        self::assertSame(StatusCode::InvalidArgument, $reply->status, "$part: $reply->detail");
        self::assertStringContainsString($part, $reply->detail);
        self::assertStringStartsWith($code, $reply->detail);
    }
}
