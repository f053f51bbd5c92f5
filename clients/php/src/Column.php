<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\InvalidRequestException;

/**
 * One column of the file.
 */
final class Column
{
    /**
     * @param string $name its header, and its key in associative rows
     * @param DataType $type what its cells are in Excel
     * @param int $width in characters of Excel's default font; 0 leaves it to the server
     * @param string $format a number format of Excel's, `#,##0.00` say
     *
     * @throws InvalidRequestException if the name is empty or the width negative
     */
    public function __construct(
        public readonly string $name,
        public readonly DataType $type = DataType::String,
        public readonly int $width = 0,
        public readonly string $format = '',
    ) {
        if ($name === '') {
            throw new InvalidRequestException('a column has an empty name; give each column one');
        }
        if ($width < 0) {
            throw new InvalidRequestException("the width $width of column '$name' is negative");
        }
    }
}
