<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Examples;

use App\Console\Commands\ExportOrders;
use App\Http\Controllers\ExportController;
use App\Providers\ExportServiceProvider;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\Tests\Support\Server;
use Illuminate\Config\Repository;
use Illuminate\Foundation\Application;
use Illuminate\Support\Facades\DB;
use PDO;
use PHPUnit\Framework\TestCase;

/** The examples, run against the server. */
final class ExamplesTest extends TestCase
{
    private const DIRECTORY = __DIR__ . '/../../examples';

    public function testThePlainOneMakesAWorkbook(): void
    {
        $said = self::output('plain.php');
        self::assertMatchesRegularExpression('/^export \S+\n(\d+ rows sent\n)+20000 rows, \d+ bytes, SHA-256 [0-9a-f]{64}\nhttp/', $said);
        self::assertStringStartsWith("PK\3\4", self::linked($said));
    }

    public function testThatOfPdoMakesACsvFile(): void
    {
        $file = self::linked(self::output('pdo.php'));
        self::assertSame(50_001, substr_count($file, "\n"));
        self::assertStringContainsString("\n10,customer 10,12,加急\n11,customer 11,13,\n", $file);
    }

    public function testThatOfLaravelExportsOrdersAndShowsTheirState(): void
    {
        $app = self::application(Server::address());
        $command = new ExportOrders();
        $command->given = ['filename' => 'orders.csv'];
        self::assertSame(ExportOrders::SUCCESS, $command->handle($app->make(ExportClient::class)), implode("\n", $command->said));
        $url = (string) end($command->said);
        self::assertSame("id,customer,total\n1,王,9.5\n2,李,\n", file_get_contents($url));
        self::assertSame([ExportOrders::class], $app->commands);

        $controller = new ExportController($app->make(ExportClient::class));
        self::assertSame(404, $controller->show('nobody')->status);
        $taskId = explode('/', (string) parse_url($url, PHP_URL_PATH))[2];
        $shown = $controller->show($taskId);
        self::assertSame([200, 'Completed', 2], [$shown->status, $shown->data['status'], $shown->data['rows']]);
    }

    public function testThatOfLaravelTellsAFailureWithItsCode(): void
    {
        $command = new ExportOrders();
        $command->given = ['filename' => '../orders.csv'];
        $app = self::application(Server::address());
        self::assertSame(ExportOrders::FAILURE, $command->handle($app->make(ExportClient::class)));
        self::assertStringStartsWith('error: INVALID_DESCRIPTOR: ', $command->said[0]);
    }

    private static function application(string $address): Application
    {
        require_once __DIR__ . '/../Support/laravel.php';
        $laravel = self::DIRECTORY . '/laravel';
        foreach (['Providers/ExportServiceProvider', 'Console/Commands/ExportOrders', 'Http/Controllers/ExportController'] as $file) {
            require_once "$laravel/app/$file.php";
        }
        DB::$connection = new PDO('sqlite::memory:');
        DB::$connection->exec("CREATE TABLE orders (id INTEGER, customer TEXT, total NUMERIC);
            INSERT INTO orders VALUES (2, '李', NULL), (1, '王', 9.5)");
        $config = ['address' => $address] + require "$laravel/config/export.php";
        $app = new Application(['config' => new Repository(['export' => $config])]);
        $provider = new ExportServiceProvider($app);
        $provider->register();
        $provider->boot();
        return $app;
    }

    private static function output(string $file): string
    {
        $command = [PHP_BINARY, '-d', 'display_errors=stderr', self::DIRECTORY . "/$file", Server::address()];
        $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes);
        [$said, $complained] = [stream_get_contents($pipes[1]), stream_get_contents($pipes[2])];
        self::assertSame([0, ''], [proc_close($process), $complained]);
        return (string) $said;
    }

    /** The file whose link is the last line. */
    private static function linked(string $said): string
    {
        $lines = explode("\n", trim($said));
        return (string) file_get_contents((string) end($lines));
    }
}
