<?php

declare(strict_types=1);

return [
    // https:// for TLS
    'address' => env('EXPORT_ADDRESS', 'http://127.0.0.1:9090'),
    'token' => env('EXPORT_TOKEN'),
    // PEM of the authority that signed the server's certificate; the system's by default
    'ca_file' => env('EXPORT_CA_FILE'),
    // seconds for one export
    'timeout' => (float) env('EXPORT_TIMEOUT', 3600),
];
