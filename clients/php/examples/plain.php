<?php

declare(strict_types=1);

/*
 * A workbook from a generator: php plain.php [ADDRESS]
 */

use ExportMiddleware\Client\Column;
use ExportMiddleware\Client\DataType;
use ExportMiddleware\Client\ExcelOptions;
use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\Progress;

// With Composer: require 'vendor/autoload.php';
require __DIR__ . '/../autoload.php';

/** @return Generator<int, array<string, mixed>> */
function orders(int $count): Generator
{
    $day = new DateTimeImmutable('2026-01-01 UTC');
    for ($number = 1; $number <= $count; $number++) {
        yield [
            'id' => $number,
            'customer' => "客户 $number",
            'ordered' => $day->modify('+' . $number % 365 . ' days'),
            'total' => $number * 1.25,
            'paid' => $number % 3 !== 0,
        ];
    }
}

$client = new ExportClient($argv[1] ?? 'http://127.0.0.1:9090');

try {
    $result = $client->export(
        orders(20_000),
        filename: '订单.xlsx',
        columns: [
            'id' => DataType::Number,
            'customer',
            'ordered' => DataType::Date,
            new Column('total', DataType::Number, width: 14, format: '#,##0.00'),
            'paid' => DataType::Boolean,
        ],
        options: new ExcelOptions(sheetName: '订单'),
        onStarted: static fn(string $taskId) => print("export $taskId\n"),
        onProgress: static fn(Progress $progress) => print("$progress->rows rows sent\n"),
    );
} catch (ExportException $failed) {
    fwrite(STDERR, "{$failed->errorCode()->value}: {$failed->getMessage()}\n");
    exit($failed->retryable() ? 75 : 1);
}

echo "$result->rows rows, $result->sizeBytes bytes, SHA-256 $result->sha256\n$result->url\n";
