<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Wire;

/**
 * A protobuf message taken apart: of each field its last value, as proto3 has it.
 *
 * Fields that nobody asks for are no error: a later server may send more.
 *
 * @internal
 */
final class Message
{
    /** @param array<int, int|string> $fields integers of varints, bytes of all other kinds */
    private function __construct(private readonly array $fields)
    {
    }

    /** @throws WireException if the bytes end early or have a kind of field that there is not */
    public static function of(string $bytes): self
    {
        $fields = [];
        $offset = 0;
        while ($offset < strlen($bytes)) {
            $tag = self::varint($bytes, $offset);
            $fields[$tag >> 3] = match ($tag & 7) {
                0 => self::varint($bytes, $offset),
                1 => self::take($bytes, $offset, 8),
                2 => self::take($bytes, $offset, self::varint($bytes, $offset)),
                5 => self::take($bytes, $offset, 4),
                default => throw new WireException('a field of kind ' . ($tag & 7)),
            };
        }
        return new self($fields);
    }

    /** A text, or ''. */
    public function text(int $number): string
    {
        $value = $this->fields[$number] ?? '';
        return is_string($value) ? $value : '';
    }

    /** A text, or null where it is empty or missing. */
    public function textOrNull(int $number): ?string
    {
        $value = $this->text($number);
        return $value === '' ? null : $value;
    }

    /** An integer, or 0. */
    public function int(int $number): int
    {
        $value = $this->fields[$number] ?? 0;
        return is_int($value) ? $value : 0;
    }

    /** An integer, or null where it is 0 or missing. */
    public function intOrNull(int $number): ?int
    {
        $value = $this->int($number);
        return $value === 0 ? null : $value;
    }

    /** A number of 32 bits, or 0. */
    public function float(int $number): float
    {
        $value = $this->fields[$number] ?? '';
        return is_string($value) && strlen($value) === 4 ? unpack('g', $value)[1] : 0.0;
    }

    private static function varint(string $bytes, int &$offset): int
    {
        $value = 0;
        for ($shift = 0; $shift < 64; $shift += 7) {
            $byte = ord(self::take($bytes, $offset, 1));
            $value |= ($byte & 127) << $shift;
            if ($byte < 128) {
                return $value;
            }
        }
        throw new WireException('a number of more than 64 bits');
    }

    private static function take(string $bytes, int &$offset, int $length): string
    {
        if ($length < 0 || $length > strlen($bytes) - $offset) {
            throw new WireException('the message ends early');
        }
        $offset += $length;
        return substr($bytes, $offset - $length, $length);
    }
}
