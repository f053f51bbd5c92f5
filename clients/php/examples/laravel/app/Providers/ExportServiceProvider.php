<?php

declare(strict_types=1);

namespace App\Providers;

use App\Console\Commands\ExportOrders;
use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\TlsOptions;
use Illuminate\Support\ServiceProvider;

/**
 * Makes one client for the application, by config/export.php.
 *
 * Add it to bootstrap/providers.php (Laravel 11 and later) or to `providers` of config/app.php.
 */
final class ExportServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->app->singleton(ExportClient::class, static function ($app): ExportClient {
            $config = $app['config']->get('export');
            return new ExportClient($config['address'], new ClientOptions(
                token: $config['token'],
                tls: $config['ca_file'] === null ? null : new TlsOptions(caFile: $config['ca_file']),
                exportTimeout: $config['timeout'],
            ));
        });
    }

    public function boot(): void
    {
        $this->commands([ExportOrders::class]);
    }
}
