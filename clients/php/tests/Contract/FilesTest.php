<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Contract;

use DateTimeImmutable;
use ExportMiddleware\Client\CsvOptions;
use ExportMiddleware\Client\DataType;
use ExportMiddleware\Client\Exception\AlreadyExistsException;
use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Exception\InvalidRequestException;
use ExportMiddleware\Client\Exception\InvalidRowException;
use ExportMiddleware\Client\Format;
use ExportMiddleware\Client\Progress;
use ExportMiddleware\Client\TaskState;
use ExportMiddleware\Client\TaskStatus;
use ExportMiddleware\Client\Tests\Support\Exports;
use ExportMiddleware\Client\Tests\Support\Server;
use PDO;
use PHPUnit\Framework\TestCase;
use RuntimeException;

/** Whole exports, by the server as it is deployed. */
final class FilesTest extends TestCase
{
    public function testACsvFileHasTheTextsAsTheyWereSent(): void
    {
        $rows = [['007', '2024-02-30', 'yes'], ['1e5', '', '订单, "x"'], [1.5, new DateTimeImmutable('2024-02-29 UTC'), true]];
        $columns = ['n' => DataType::Number, 'd' => DataType::Date, 'b' => DataType::Boolean];
        $result = Exports::of(Server::client(), rows: $rows, columns: $columns);
        self::assertSame(
            "n,d,b\n007,2024-02-30,yes\n1e5,,\"订单, \"\"x\"\"\"\n1.5,2024-02-29T00:00:00+00:00,true\n",
            Server::file($result),
        );
    }

    public function testAResultIsOfTheFile(): void
    {
        $before = time();
        $result = Exports::of(Server::client(), rows: Exports::rows(2_500));
        $file = Server::file($result);
        self::assertSame([2_500, strlen($file), hash('sha256', $file)], [$result->rows, $result->sizeBytes, $result->sha256]);
        self::assertGreaterThanOrEqual($before, $result->startedAt?->getTimestamp());
        self::assertGreaterThanOrEqual($result->startedAt, $result->completedAt);
        self::assertSame(2_501, substr_count($file, "\n"));
        self::assertStringEndsWith("2500,name 2500\n", $file);
    }

    public function testOptionsOfCsvAreDone(): void
    {
        $options = new CsvOptions(delimiter: ';', encoding: 'gbk', gzip: true);
        $result = Exports::of(Server::client(), rows: [['1', '订单']], options: $options);
        self::assertSame("id;name\n1;\xB6\xA9\xB5\xA5\n", gzdecode(Server::file($result)));
    }

    public function testAFileWithoutRowsHasItsHeader(): void
    {
        self::assertSame("id,name\n", Server::file(Exports::of(Server::client(), rows: [])));
    }

    public function testAStatementIsASource(): void
    {
        $database = new PDO('sqlite::memory:');
        $database->exec("CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, '订单')");
        $statement = $database->query('SELECT name, id FROM t ORDER BY id');
        self::assertNotFalse($statement);
        self::assertSame("id,name\n1,a\n2,\n3,订单\n", Server::file(Exports::of(Server::client(), rows: $statement)));
    }

    public function testTheStateIsThatOfTheResult(): void
    {
        $client = Server::client();
        $result = Exports::of($client, filename: '订单.csv');
        $seen = [];
        $waited = $client->wait($result->taskId, 5.0, static function (TaskState $state) use (&$seen): void {
            $seen[] = $state;
        });
        self::assertEquals([$waited], $seen);
        self::assertSame(
            [$result->taskId, TaskStatus::Completed, Format::Csv, '订单.csv', 3, 100.0, $result->sizeBytes, null],
            [$waited->taskId, $waited->status, $waited->format, $waited->filename, $waited->rows, $waited->progress,
                $waited->sizeBytes, $waited->errorCode],
        );
        self::assertSame(Server::file($result), file_get_contents((string) $waited->url));
    }

    public function testTheTaskCanBeAskedForWhileRowsAreSent(): void
    {
        $client = Server::client();
        $state = null;
        $taskId = '';
        $rows = (static function () use ($client, &$taskId, &$state) {
            yield from Exports::rows(1_000);
            $state = $client->status($taskId);
            yield ['1001', 'last'];
        })();
        $result = Exports::of($client, rows: $rows, onStarted: static function (string $told) use (&$taskId): void {
            $taskId = $told;
        });
        self::assertSame([$result->taskId, TaskStatus::Processing], [$taskId, $state?->status]);
    }

    public function testProgressHasTheServersView(): void
    {
        $last = null;
        $onProgress = static function (Progress $progress) use (&$last): void {
            $last = $progress;
        };
        $result = Exports::of(Server::client(), onProgress: $onProgress, askEvery: 0.000_001);
        self::assertSame([3, $result->taskId], [$last?->rows, $last?->server?->taskId]);
    }

    public function testTheSameRequestAgainIsTheSameExport(): void
    {
        $id = 'again-' . getmypid();
        $first = Exports::of(Server::client(), requestId: $id);
        $again = Exports::of(Server::client(), rows: Exports::rows(50_000), requestId: $id);
        self::assertSame([$first->taskId, 3, $first->sha256], [$again->taskId, $again->rows, $again->sha256]);
        $failed = Exports::failed(AlreadyExistsException::class, Server::client(), requestId: $id, filename: 'other.csv');
        self::assertSame(ErrorCode::RequestIdConflict, $failed->errorCode());
    }

    public function testARefusalHasItsCodeAndNamesWhatIsWrong(): void
    {
        $refusals = [
            'metadata.filename' => ['filename' => '../orders.csv'],
            'csv_encoding' => ['options' => new CsvOptions(encoding: 'klingon')],
            'csv_delimiter' => ['options' => new CsvOptions(delimiter: 'xy')],
        ];
        foreach ($refusals as $part => $arguments) {
            $failed = Exports::failed(InvalidRequestException::class, Server::client(), ...$arguments);
            self::assertSame([ErrorCode::InvalidDescriptor, false], [$failed->errorCode(), $failed->retryable()]);
            self::assertStringContainsString($part, $failed->getMessage());
        }
    }

    public function testARefusalIsUnderstoodEachTime(): void
    {
        for ($time = 0; $time < 50; $time++) {
            $failed = Exports::failed(InvalidRequestException::class, Server::client(), filename: 'a/b.csv');
            self::assertSame(ErrorCode::InvalidDescriptor, $failed->errorCode(), "time $time");
        }
    }

    public function testWhatIsGivenUpIsFailedAndHasNoFile(): void
    {
        $sources = [
            InvalidRowException::class => static fn() => yield from [['1', 'a'], ['2']],
            RuntimeException::class => static function () {
                yield from Exports::rows(5_000);
                throw new RuntimeException('the database went away');
            },
        ];
        foreach ($sources as $class => $source) {
            $taskId = '';
            try {
                Exports::of(Server::client(), rows: $source(), onStarted: static function (string $told) use (&$taskId): void {
                    $taskId = $told;
                });
                self::fail('taken for whole');
            } catch (RuntimeException $thrown) {
                self::assertSame($class, $thrown::class);
            }
            try {
                Server::client()->wait($taskId, 10.0);
                self::fail('there is a file');
            } catch (\ExportMiddleware\Client\Exception\ExportException $failed) {
                self::assertContains($failed->errorCode(), [ErrorCode::Cancelled, ErrorCode::IncompleteStream]);
                self::assertSame($taskId, $failed->taskId());
            }
            self::assertNull(Server::client()->status($taskId)->url);
        }
    }
}
