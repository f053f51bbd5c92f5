<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Support;

use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\ExportResult;
use Generator;
use PHPUnit\Framework\Assert;

/**
 * Small exports, and what they fail with.
 */
final class Exports
{
    /** Seconds after which no test waits any more. */
    public const TIMEOUT = 20.0;

    private function __construct()
    {
    }

    /** Rows of two columns. */
    public static function rows(int $count): Generator
    {
        for ($number = 1; $number <= $count; $number++) {
            yield [$number, "name $number"];
        }
    }

    public static function of(ExportClient $client, mixed ...$arguments): ExportResult
    {
        return $client->export(...$arguments + [
            'rows' => self::rows(3),
            'filename' => 'orders.csv',
            'columns' => ['id', 'name'],
            'timeout' => self::TIMEOUT,
        ]);
    }

    /**
     * @template T of ExportException
     * @param class-string<T> $class
     * @return T
     */
    public static function failed(string $class, ExportClient $client, mixed ...$arguments): ExportException
    {
        try {
            self::of($client, ...$arguments);
        } catch (ExportException $failed) {
            Assert::assertSame($class, $failed::class, $failed->getMessage());
            return $failed;
        }
        Assert::fail('the export went well');
    }
}
