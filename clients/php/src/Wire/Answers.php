<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Wire;

use DateTimeImmutable;
use DateTimeZone;
use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Format;
use ExportMiddleware\Client\TaskState;
use ExportMiddleware\Client\TaskStatus;

/**
 * What a server answers, from bytes of the contract.
 *
 * @internal
 */
final class Answers
{
    private function __construct()
    {
    }

    /**
     * TaskStatusResponse.
     *
     * @throws WireException
     */
    public static function state(string $bytes): TaskState
    {
        $message = Message::of($bytes);
        $status = self::status($message->int(2));
        return new TaskState(
            taskId: $message->text(1),
            status: $status,
            format: Format::tryFrom($message->int(3)),
            filename: $message->text(4),
            rows: $message->int(5),
            progress: $message->float(6),
            url: $message->textOrNull(7),
            sizeBytes: $message->intOrNull(8),
            errorCode: self::code($message->text(10), $status),
            errorMessage: $message->textOrNull(9),
            startedAt: self::time($message->int(11)),
            completedAt: self::time($message->int(12)),
            remainingSeconds: $message->intOrNull(13),
        );
    }

    /**
     * ExportResponse: the state, and the checksum.
     *
     * @return array{TaskState, ?string}
     * @throws WireException
     */
    public static function export(string $bytes): array
    {
        $message = Message::of($bytes);
        $status = self::status($message->int(2));
        $state = new TaskState(
            taskId: $message->text(1),
            status: $status,
            format: null,
            filename: '',
            rows: $message->int(5),
            progress: $message->float(6),
            url: $message->textOrNull(3),
            sizeBytes: $message->intOrNull(4),
            errorCode: self::code($message->text(9), $status),
            errorMessage: $message->textOrNull(8),
            startedAt: self::time($message->int(10)),
            completedAt: self::time($message->int(11)),
            remainingSeconds: null,
        );
        return [$state, $message->textOrNull(7)];
    }

    private static function status(int $value): TaskStatus
    {
        return TaskStatus::tryFrom($value) ?? TaskStatus::Unspecified;
    }

    /** Failed has a code in any case: where the server's is unknown here, it is INTERNAL. */
    private static function code(string $name, TaskStatus $status): ?ErrorCode
    {
        $failed = $status === TaskStatus::Failed ? ErrorCode::Internal : null;
        return ErrorCode::tryFrom($name) ?? $failed;
    }

    private static function time(int $seconds): ?DateTimeImmutable
    {
        return $seconds === 0 ? null : (new DateTimeImmutable("@$seconds"))->setTimezone(new DateTimeZone('UTC'));
    }
}
