<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

/**
 * How a file of one format is written: `CsvOptions` or `ExcelOptions`.
 */
interface FormatOptions
{
    /** The format whose options these are. */
    public function format(): Format;

    /**
     * What was asked for, by the field numbers of the contract's FormatOptions.
     *
     * @internal
     * @return array<int, string|int|bool>
     */
    public function fields(): array;
}
