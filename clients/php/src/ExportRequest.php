<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\InvalidRequestException;
use ExportMiddleware\Client\Row\Utf8;
use ExportMiddleware\Client\Wire\Requests;

/**
 * All that is asked of an export before its rows.
 *
 * @internal
 */
final class ExportRequest
{
    private const LONGEST_ID = 128;

    /**
     * @param bool $isRepeatable whether the id may be of an export that there was before
     * @throws InvalidRequestException that names what cannot be sent
     */
    public function __construct(
        public readonly string $requestId,
        public readonly string $filename,
        public readonly Format $format,
        public readonly Columns $columns,
        public readonly ?FormatOptions $options,
        public readonly bool $isRepeatable,
    ) {
        if ($requestId === '' || strlen($requestId) > self::LONGEST_ID) {
            $found = strlen($requestId);
            throw new InvalidRequestException("requestId has $found bytes; it must have 1 to " . self::LONGEST_ID);
        }
        if ($options !== null && $options->format() !== $format) {
            throw new InvalidRequestException(
                get_debug_type($options) . " are for {$options->format()->name}, and the file is {$format->name}",
            );
        }
        foreach ($this->texts() as $what => $text) {
            if (preg_match('//u', $text) !== 1) {
                throw new InvalidRequestException("$what: " . Utf8::complaint($text));
            }
        }
    }

    /** As the first message of the stream. */
    public function message(): string
    {
        return Requests::metadata(
            $this->requestId,
            $this->format,
            $this->filename,
            $this->columns,
            $this->options,
        );
    }

    /** @return \Generator<string, string> every text by what it is */
    private function texts(): \Generator
    {
        yield 'requestId' => $this->requestId;
        yield 'filename' => $this->filename;
        foreach ($this->columns->all as $place => $column) {
            yield 'the name of column ' . ($place + 1) => $column->name;
            yield 'the format of column ' . ($place + 1) => $column->format;
        }
        foreach ($this->options?->fields() ?? [] as $value) {
            if (is_string($value)) {
                yield get_debug_type($this->options) => $value;
            }
        }
    }
}
