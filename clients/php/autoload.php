<?php

declare(strict_types=1);

/*
 * Loads the package's classes where Composer is not at hand: examples, tests, a copied folder.
 */
spl_autoload_register(static function (string $class): void {
    $roots = [
        'ExportMiddleware\\Client\\Tests\\' => __DIR__ . '/tests/',
        'ExportMiddleware\\Client\\' => __DIR__ . '/src/',
    ];
    foreach ($roots as $prefix => $directory) {
        if (str_starts_with($class, $prefix)) {
            $file = $directory . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
            if (is_file($file)) {
                require $file;
            }
            return;
        }
    }
});
