<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Wire;

use ExportMiddleware\Client\Column;
use ExportMiddleware\Client\Columns;
use ExportMiddleware\Client\Format;
use ExportMiddleware\Client\FormatOptions;

/**
 * What this client asks, but for the rows, as bytes of the contract.
 *
 * @internal
 */
final class Requests
{
    private function __construct()
    {
    }

    /** ExportRequest { metadata }. */
    public static function metadata(
        string $requestId,
        Format $format,
        string $filename,
        Columns $columns,
        ?FormatOptions $options,
    ): string {
        return Field::bytes(1, implode('', [
            Field::text(1, $requestId),
            Field::int(2, $format->value),
            Field::text(3, $filename),
            ...array_map(self::column(...), $columns->all),
            $options === null ? '' : self::options($options),
        ]));
    }

    /** TaskStatusRequest. */
    public static function status(string $taskId): string
    {
        return Field::text(1, $taskId);
    }

    private static function column(Column $column): string
    {
        return Field::bytes(4, implode('', [
            Field::text(1, $column->name),
            Field::int(2, $column->type->value),
            Field::int(3, $column->width),
            Field::text(4, $column->format),
        ]));
    }

    private static function options(FormatOptions $options): string
    {
        $fields = '';
        foreach ($options->fields() as $number => $value) {
            $fields .= Field::of($number, $value);
        }
        return Field::bytes(5, $fields);
    }
}
