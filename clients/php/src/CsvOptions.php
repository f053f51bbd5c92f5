<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

/**
 * How a CSV file is written. What is not given, the server decides.
 */
final class CsvOptions implements FormatOptions
{
    /**
     * @param string $delimiter one character between values; a comma by default
     * @param string $encoding as the server names it: utf-8 (the default), utf-8-sig, gbk, gb18030 …
     * @param bool $gzip whether the file is compressed
     */
    public function __construct(
        public readonly string $delimiter = '',
        public readonly string $encoding = '',
        public readonly bool $gzip = false,
    ) {
    }

    public function format(): Format
    {
        return Format::Csv;
    }

    public function fields(): array
    {
        return [1 => $this->delimiter, 2 => $this->encoding, 5 => $this->gzip];
    }
}
