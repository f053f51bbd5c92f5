<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Row;

use BackedEnum;
use DateTimeInterface;
use Stringable;

/**
 * Values as the texts that are sent: the contract has no others.
 *
 *     null              an empty cell
 *     string            itself
 *     int               its digits
 *     float             the fewest digits that give the same number again: 0.1, 1.0E+25
 *     bool              true, false
 *     DateTimeInterface ISO 8601 with the offset of its zone, and microseconds if it has any
 *     BackedEnum        its value
 *     Stringable        what it says
 *
 * @internal
 */
final class Texts
{
    private function __construct()
    {
    }

    /** The text of a value; null for one that has none, which `complaint` explains. */
    public static function of(mixed $value): ?string
    {
        return match (true) {
            is_string($value) => $value,
            is_int($value) => (string) $value,
            $value === null => '',
            is_bool($value) => $value ? 'true' : 'false',
            is_float($value) => self::ofFloat($value),
            $value instanceof DateTimeInterface => self::ofTime($value),
            $value instanceof BackedEnum => (string) $value->value,
            $value instanceof Stringable => (string) $value,
            default => null,
        };
    }

    /** Why a value cannot be sent, and what to give instead. */
    public static function complaint(mixed $value): string
    {
        if (is_float($value)) {
            return "the value is $value; give null for an empty cell, or a text";
        }
        return 'the value is of type ' . get_debug_type($value) . '; give null, a string, an int, a float, '
            . 'a bool, a DateTimeInterface, a BackedEnum or a Stringable';
    }

    /** Whatever `precision` and `serialize_precision` are in php.ini: -1 is the shortest. */
    private static function ofFloat(float $value): ?string
    {
        return is_finite($value) ? sprintf('%.*H', -1, $value) : null;
    }

    private static function ofTime(DateTimeInterface $value): string
    {
        $fraction = $value->format('u') === '000000' ? '' : '.u';
        return $value->format("Y-m-d\\TH:i:s{$fraction}P");
    }
}
