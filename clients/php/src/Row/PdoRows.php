<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Row;

use ExportMiddleware\Client\Exception\InvalidRequestException;
use Generator;
use PDO;
use PDOException;
use PDOStatement;

/**
 * The rows of an executed statement, one after another.
 *
 * @internal
 */
final class PdoRows
{
    private const WELL = '00000';

    private function __construct()
    {
    }

    /**
     * By column name, whatever the statement's own fetch mode is.
     *
     * @return Generator<int, array<string, mixed>>
     * @throws PDOException if the database fails on the way: without exceptions switched on, PDO
     *     would show that as the end of the rows
     */
    public static function of(PDOStatement $statement): Generator
    {
        if ($statement->errorCode() === null) {
            throw new InvalidRequestException('the statement was not executed; call execute() first');
        }
        while (($row = $statement->fetch(PDO::FETCH_ASSOC)) !== false) {
            yield $row;
        }
        if ($statement->errorCode() !== self::WELL) {
            throw new PDOException('the rows ended early: ' . implode(' ', $statement->errorInfo()));
        }
    }
}
