<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Row;

use ExportMiddleware\Client\Columns;
use ExportMiddleware\Client\Exception\InvalidRowException;
use ExportMiddleware\Client\Wire\Field;
use Generator;

use function array_is_list;
use function chr;
use function count;
use function is_array;
use function is_int;
use function is_string;
use function preg_match;
use function strlen;

/**
 * Rows to messages in one pass; one message is in memory.
 *
 * A message has at most 1,000 rows and about 1 MiB, or it is a single row that is larger. Messages
 * are numbered from 1. This is an encoder of one protobuf message, ExportRequest { batch }: ten
 * texts take about a microsecond, where protobuf's own library for PHP takes twenty (measured).
 *
 * @internal
 */
final class Encoder
{
    public const MAX_ROWS = 1_000;
    public const FULL_BYTES = 1 << 20;

    /** The server takes messages of 64 MiB: so much of one may be a row, the rest is its frame. */
    public const MAX_ROW_BYTES = (64 << 20) - 64;

    /** @var list<string> tag and length of a text of so many bytes */
    private readonly array $heads;
    private readonly int $width;
    private readonly Order $order;

    public function __construct(private readonly Columns $columns)
    {
        $this->heads = array_map(static fn(int $length): string => "\n" . chr($length), range(0, 127));
        $this->width = count($columns->all);
        $this->order = new Order($columns);
    }

    /**
     * @param iterable<mixed> $rows
     * @return Generator<int, Batch>
     * @throws InvalidRowException that names the row and, where one value is to blame, its column
     */
    public function batches(iterable $rows): Generator
    {
        $records = '';
        $inBatch = $number = $sequence = 0;
        foreach ($rows as $row) {
            $record = $this->record($row, ++$number);
            $size = strlen($record);
            if ($inBatch === self::MAX_ROWS || $inBatch > 0 && strlen($records) + $size > self::FULL_BYTES) {
                yield self::batch($records, $inBatch, ++$sequence);
                $records = '';
                $inBatch = 0;
            }
            // Two bytes of length for most; written out, because this is for each row.
            $records .= $size > 127 && $size < 16_384
                ? "\n" . chr($size & 127 | 128) . chr($size >> 7) . $record
                : "\n" . Field::varint($size) . $record;
            $inBatch++;
        }
        if ($inBatch > 0) {
            yield self::batch($records, $inBatch, ++$sequence);
        }
    }

    private static function batch(string $records, int $rows, int $sequence): Batch
    {
        return new Batch(Field::bytes(2, $records . Field::int(2, $sequence)), $rows);
    }

    /**
     * The fields of one Record. Runs for each row, and its loop for each value.
     *
     * UTF-8 is checked for many values at once: as long as they are shorter than 128 bytes, tag and
     * length before each are ASCII, so that all of it is right exactly if each value is. What is
     * wrong is then found by a second pass.
     */
    private function record(mixed $row, int $number): string
    {
        if (!is_array($row) || count($row) !== $this->width || !array_is_list($row)) {
            $row = $this->order->of($row, $number);
        }
        $heads = $this->heads;
        $checked = $record = '';
        foreach ($row as $value) {
            if (!is_string($value)) {
                $value = is_int($value) ? (string) $value : $this->text($value, $row, $number);
            }
            $length = strlen($value);
            if ($length < 128) {
                $record .= $heads[$length] . $value;
                continue;
            }
            if (preg_match('//u', $record) !== 1 || preg_match('//u', $value) !== 1) {
                throw $this->wrong($row, $number);
            }
            $checked .= $record . "\n" . Field::varint($length) . $value;
            $record = '';
        }
        if (preg_match('//u', $record) !== 1) {
            throw $this->wrong($row, $number);
        }
        return $checked === '' ? $record : $this->large($checked . $record, $number);
    }

    /** @param array<int|string, mixed> $row */
    private function text(mixed $value, array $row, int $number): string
    {
        return Texts::of($value) ?? throw $this->wrong($row, $number);
    }

    private function large(string $record, int $number): string
    {
        $size = strlen($record);
        if ($size > self::MAX_ROW_BYTES) {
            $complaint = "its $size bytes are more than the 64 MiB that one message may have";
            throw InvalidRowException::at($number, null, $complaint);
        }
        return $record;
    }

    /**
     * What is wrong with a row whose values cannot all be sent.
     *
     * @param array<int|string, mixed> $row
     */
    private function wrong(array $row, int $number): InvalidRowException
    {
        foreach (array_values($row) as $place => $value) {
            $name = $this->columns->all[$place]->name;
            $text = Texts::of($value);
            if ($text === null) {
                return InvalidRowException::at($number, $name, Texts::complaint($value));
            }
            if (preg_match('//u', $text) !== 1) {
                return InvalidRowException::at($number, $name, Utf8::complaint($text));
            }
        }
        return InvalidRowException::at($number, null, 'a value was another one when it was looked at again');
    }
}
