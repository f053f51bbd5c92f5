<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Wire;

use InvalidArgumentException;

/**
 * Fields of a protobuf message as bytes. What has its default is left out, as in proto3.
 *
 * Source: the encoding of Protocol Buffers, protobuf.dev/programming-guides/encoding.
 *
 * @internal
 */
final class Field
{
    private const VARINT = 0;
    private const BYTES = 2;

    private function __construct()
    {
    }

    /** An integer, an enum or a boolean. */
    public static function int(int $number, int $value): string
    {
        return $value === 0 ? '' : self::varint($number << 3 | self::VARINT) . self::varint($value);
    }

    /** A text. */
    public static function text(int $number, string $value): string
    {
        return $value === '' ? '' : self::bytes($number, $value);
    }

    /** Bytes, or a message in the message, which may be empty. */
    public static function bytes(int $number, string $value): string
    {
        return self::varint($number << 3 | self::BYTES) . self::varint(strlen($value)) . $value;
    }

    /** A field whose kind follows from the value's type. */
    public static function of(int $number, string|int|bool $value): string
    {
        return is_string($value) ? self::text($number, $value) : self::int($number, (int) $value);
    }

    /**
     * Seven bits a byte, the lowest first.
     *
     * @throws InvalidArgumentException for a negative number: the contract has none
     */
    public static function varint(int $value): string
    {
        if ($value < 0) {
            throw new InvalidArgumentException("$value cannot be sent: it is negative");
        }
        $bytes = '';
        while ($value > 127) {
            $bytes .= chr($value & 127 | 128);
            $value >>= 7;
        }
        return $bytes . chr($value);
    }
}
