<?php

declare(strict_types=1);

namespace App\Console\Commands;

use ExportMiddleware\Client\DataType;
use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\Progress;
use Illuminate\Console\Command;
use Illuminate\Support\Facades\DB;

/**
 * php artisan orders:export orders.xlsx
 */
final class ExportOrders extends Command
{
    protected $signature = 'orders:export {filename=orders.xlsx}';

    protected $description = 'Export all orders as a file with a signed link';

    public function handle(ExportClient $exports): int
    {
        try {
            $result = $exports->export(
                // A cursor gives a row at a time; with MySQL switch buffered queries off as well,
                // or use lazyById().
                DB::table('orders')->select(['id', 'customer', 'total'])->orderBy('id')->cursor(),
                filename: $this->argument('filename'),
                columns: ['id' => DataType::Number, 'customer', 'total' => DataType::Number],
                onProgress: fn(Progress $progress) => $this->line("$progress->rows rows"),
            );
        } catch (ExportException $failed) {
            $this->error("{$failed->errorCode()->value}: {$failed->getMessage()}");
            return self::FAILURE;
        }
        $this->info($result->url);
        return self::SUCCESS;
    }
}
