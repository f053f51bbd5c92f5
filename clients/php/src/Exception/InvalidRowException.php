<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * A row cannot be sent. The export was given up; no file is made of the rows before it.
 */
final class InvalidRowException extends InvalidRequestException
{
    private function __construct(
        string $message,
        private readonly int $row,
        private readonly ?string $column,
    ) {
        parent::__construct($message);
    }

    /**
     * @internal
     * @param int $row from 1
     */
    public static function at(int $row, ?string $column, string $complaint): self
    {
        $where = $column === null ? "row $row" : "row $row, column '$column'";
        return new self("$where: $complaint", $row, $column);
    }

    /** The number of the row, from 1. */
    public function row(): int
    {
        return $this->row;
    }

    /** The column, if one of them is wrong and not the row as a whole. */
    public function column(): ?string
    {
        return $this->column;
    }
}
