<?php

declare(strict_types=1);

/*
 * A CSV file from a database: php pdo.php [ADDRESS]
 */

use ExportMiddleware\Client\ExportClient;

require __DIR__ . '/../autoload.php';

// A database of its own, so that this runs anywhere. With MySQL also say
// PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false: its driver fetches all rows at once otherwise.
$database = new PDO('sqlite::memory:');
$database->exec(<<<'SQL'
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total NUMERIC, note TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
    INSERT INTO orders SELECT i, 'customer ' || i, i * 5 / 4, CASE WHEN i % 10 THEN NULL ELSE '加急' END FROM n;
    SQL);

$statement = $database->query('SELECT id, customer, total, note FROM orders ORDER BY id');

$result = (new ExportClient($argv[1] ?? 'http://127.0.0.1:9090'))->export(
    $statement,
    filename: 'orders.csv',
    columns: ['id', 'customer', 'total', 'note'],
);

echo "$result->rows rows\n$result->url\n";
