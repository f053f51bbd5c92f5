<?php

declare(strict_types=1);

/*
 * Sends rows of ten texts, or writes them here with fputcsv, and tells as JSON how that went:
 *
 *     php rows.php export ADDRESS orders.csv ROWS
 *     php rows.php fputcsv FILE ROWS
 *
 * Seconds are from the first row to the link, or to the closed file. Bytes of memory are the most
 * that PHP has had from the system. The rows are the same thousand again and again, which a
 * generator gives one by one, so that it is not their making that is measured.
 */

use ExportMiddleware\Client\ExportClient;

require __DIR__ . '/../autoload.php';

const NAMES = ['id', 'order', 'customer', 'city', 'product', 'quantity', 'price', 'currency', 'ordered', 'note'];

/** @return Generator<int, list<string>> */
function rows(int $count): Generator
{
    $cities = ['Shanghai', '北京', 'München', 'São Paulo', 'New York'];
    $pool = [];
    for ($number = 0; $number < 1_000; $number++) {
        $pool[] = [
            (string) (100_000 + $number), sprintf('SO-2026-%06d', $number * 7), "customer $number", $cities[$number % 5],
            'article ' . ($number % 37), (string) ($number % 9 + 1), sprintf('%.2f', $number * 1.37), 'CNY',
            sprintf('2026-07-%02d', $number % 28 + 1), $number % 4 === 0 ? '' : '顺丰快递',
        ];
    }
    for ($sent = 0; $sent < $count; $sent++) {
        yield $pool[$sent % 1_000];
    }
}

function exported(string $address, string $filename, int $rows): int
{
    return (new ExportClient($address))->export(rows($rows), $filename, NAMES)->sizeBytes;
}

function written(string $path, int $rows): int
{
    $file = fopen($path, 'wb') ?: exit(1);
    fputcsv($file, NAMES);
    foreach (rows($rows) as $row) {
        fputcsv($file, $row);
    }
    fclose($file);
    return (int) filesize($path);
}

$rows = (int) end($argv);
$start = hrtime(true);
$size = $argv[1] === 'export' ? exported($argv[2], $argv[3], $rows) : written($argv[2], $rows);
$seconds = (hrtime(true) - $start) / 1e9;
$memory = memory_get_peak_usage(true);
echo json_encode(['rows' => $rows, 'seconds' => $seconds, 'size' => $size, 'memory' => $memory]), "\n";
