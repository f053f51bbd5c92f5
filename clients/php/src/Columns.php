<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\InvalidRequestException;

/**
 * The columns of an export in their order, at least one. A name may be there twice.
 */
final class Columns
{
    /**
     * @param non-empty-list<Column> $all
     * @param non-empty-list<int|string> $keys the keys of an associative row; PHP makes integers of
     *     keys that are written like one
     */
    private function __construct(
        public readonly array $all,
        public readonly array $keys,
    ) {
    }

    /**
     * Columns in short: `['id' => DataType::Number, 'name', new Column('total', …)]`.
     *
     * A name alone is a column of texts.
     *
     * @param array<int|string, Column|DataType|string> $columns
     * @throws InvalidRequestException that says which column is wrong
     */
    public static function of(array $columns): self
    {
        $all = [];
        foreach ($columns as $key => $given) {
            $all[] = self::column($key, $given);
        }
        if ($all === []) {
            throw new InvalidRequestException('no columns were given; an export needs one or more');
        }
        return new self($all, array_map(self::key(...), $all));
    }

    private static function key(Column $column): int|string
    {
        return array_key_first([$column->name => null]);
    }

    private static function column(int|string $key, mixed $given): Column
    {
        return match (true) {
            $given instanceof Column => $given,
            $given instanceof DataType => new Column((string) $key, $given),
            is_string($given) && is_int($key) => new Column($given),
            default => throw new InvalidRequestException(
                "column '$key' is " . get_debug_type($given) . '; give a name, '
                . "'name' => DataType::Number, or a Column",
            ),
        };
    }
}
