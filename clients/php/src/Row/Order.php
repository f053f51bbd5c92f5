<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Row;

use ExportMiddleware\Client\Columns;
use ExportMiddleware\Client\Exception\InvalidRowException;
use stdClass;

use function array_key_exists;
use function array_keys;
use function count;
use function is_array;

/**
 * The values of a row in the order of the columns.
 *
 * @internal
 */
final class Order
{
    /** @var non-empty-list<int|string> */
    private readonly array $keys;
    /** @var array<int|string, int> */
    private readonly array $known;
    private readonly int $width;

    public function __construct(Columns $columns)
    {
        $this->keys = $columns->keys;
        $this->known = array_flip($columns->keys);
        $this->width = count($columns->keys);
    }

    /**
     * A list is taken by order; an array with other keys, and a stdClass, by the columns' names.
     *
     * @param int $number of the row, from 1
     * @return array<int|string, mixed> as many as there are columns; its keys mean nothing
     * @throws InvalidRowException that names the row and what is missing or too much
     */
    public function of(mixed $row, int $number): array
    {
        if ($row instanceof stdClass) {
            $row = (array) $row;
        }
        if (!is_array($row)) {
            $complaint = 'it is of type ' . get_debug_type($row) . '; give an array, by order or by column name';
            throw InvalidRowException::at($number, null, $complaint);
        }
        // Rows of a database have the same keys each time: two lists to compare, no value to move.
        if (array_keys($row) === $this->keys) {
            return $row;
        }
        return array_is_list($row) ? $this->counted($row, $number) : $this->named($row, $number);
    }

    /**
     * @param list<mixed> $row
     * @return list<mixed>
     */
    private function counted(array $row, int $number): array
    {
        $found = count($row);
        if ($found !== $this->width) {
            $complaint = "it has $found values, and there are $this->width columns";
            throw InvalidRowException::at($number, null, $complaint);
        }
        return $row;
    }

    /**
     * @param array<int|string, mixed> $row
     * @return list<mixed>
     */
    private function named(array $row, int $number): array
    {
        $values = [];
        foreach ($this->keys as $key) {
            if (!array_key_exists($key, $row)) {
                $complaint = 'the row has no such key; give null for an empty cell';
                throw InvalidRowException::at($number, (string) $key, $complaint);
            }
            $values[] = $row[$key];
        }
        $key = array_key_first(array_diff_key($row, $this->known));
        if ($key !== null) {
            $names = implode(', ', $this->keys);
            throw InvalidRowException::at($number, null, "its key '$key' is no column; the columns are $names");
        }
        return $values;
    }
}
