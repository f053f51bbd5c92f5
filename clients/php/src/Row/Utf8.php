<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Row;

/**
 * Texts that are not UTF-8, which protobuf refuses as a whole.
 *
 * @internal
 */
final class Utf8
{
    /** What comes before the first wrong byte. */
    private const RIGHT = '/\A(?:[\x00-\x7F]++|[\xC2-\xDF][\x80-\xBF]|\xE0[\xA0-\xBF][\x80-\xBF]'
        . '|[\xE1-\xEC\xEE\xEF][\x80-\xBF]{2}|\xED[\x80-\x9F][\x80-\xBF]|\xF0[\x90-\xBF][\x80-\xBF]{2}'
        . '|[\xF1-\xF3][\x80-\xBF]{3}|\xF4[\x80-\x8F][\x80-\xBF]{2})*+/';

    private function __construct()
    {
    }

    /** Where a text is wrong, and what helps. */
    public static function complaint(string $text): string
    {
        preg_match(self::RIGHT, $text, $found);
        $offset = strlen($found[0]);
        return sprintf(
            "the text is not UTF-8: byte 0x%02X at offset %d; convert it first, mb_convert_encoding(\$text, 'UTF-8', 'GBK') say",
            ord($text[$offset]),
            $offset,
        );
    }
}
