<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

/**
 * What the cells of a column are in Excel; a CSV file has the texts as they were sent.
 *
 * The values are those of the wire.
 */
enum DataType: int
{
    case String = 1;
    case Number = 2;
    case Date = 3;
    case Boolean = 4;
}
