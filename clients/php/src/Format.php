<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\InvalidRequestException;

/**
 * The kinds of file that the contract knows. The values are those of the wire.
 */
enum Format: int
{
    case Excel = 1;
    case Csv = 2;

    /**
     * The format that a filename's extension says.
     *
     * @throws InvalidRequestException if it says none of them
     */
    public static function ofFilename(string $filename): self
    {
        return match (strtolower(pathinfo($filename, PATHINFO_EXTENSION))) {
            'xlsx' => self::Excel,
            'csv' => self::Csv,
            default => throw new InvalidRequestException(
                "the filename '$filename' does not say its format: end it in .xlsx or .csv, "
                . 'or pass format: Format::Excel or Format::Csv',
            ),
        };
    }
}
