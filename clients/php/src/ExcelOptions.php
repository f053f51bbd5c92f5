<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\InvalidRequestException;

/**
 * How a workbook is written. What is not given, the server decides.
 */
final class ExcelOptions implements FormatOptions
{
    /**
     * @param string $sheetName Sheet1 by default
     * @param int $startRow the row of the header, from 1; rows above it stay empty
     * @param bool $smallest whether the file is compressed as far as possible, which takes longer
     *
     * @throws InvalidRequestException for a negative row
     */
    public function __construct(
        public readonly string $sheetName = '',
        public readonly int $startRow = 0,
        public readonly bool $smallest = false,
    ) {
        if ($startRow < 0) {
            throw new InvalidRequestException("startRow is $startRow; rows are counted from 1");
        }
    }

    public function format(): Format
    {
        return Format::Excel;
    }

    public function fields(): array
    {
        return [3 => $this->sheetName, 4 => $this->startRow, 5 => $this->smallest];
    }
}
