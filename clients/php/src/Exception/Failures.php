<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

use ExportMiddleware\Client\Transport\Reply;
use ExportMiddleware\Client\Transport\StatusCode;
use ExportMiddleware\Client\Transport\TransportException;

/**
 * The seam: what servers and connections say becomes an ExportException here and nowhere else.
 *
 * @internal
 */
final class Failures
{
    private const CODED = '/^([A-Z][A-Z_]+): (.+)$/Ds';

    /** The exception of a code. */
    public static function of(
        ErrorCode $code,
        string $message,
        ?string $taskId = null,
        ?\Throwable $previous = null,
    ): ExportException {
        $class = self::classOf($code);
        return (new $class($message, $code, $previous))->ofTask($taskId);
    }

    /** The exception of a code as it was written by a server, perhaps a later one. */
    public static function named(string $name, string $message, ?string $taskId = null): ExportException
    {
        $code = ErrorCode::tryFrom($name);
        $said = $code === null && $name !== '' ? "$name: $message" : $message;
        return self::of($code ?? ErrorCode::Internal, $said, $taskId);
    }

    /** The exception of a call that did not end well. */
    public static function ofReply(Reply $reply, ?string $taskId = null): ExportException
    {
        [$name, $message] = self::said($reply);
        $taskId ??= $reply->metadata('x-task-id');
        if ($name !== null) {
            return self::named($name, $message, $taskId)->hinting(self::retryAfter($reply));
        }
        $code = self::ofStatus($reply->status);
        if ($code === ErrorCode::TimedOut) {
            // The server's own clock was faster; all that gRPC says then is "Deadline Exceeded".
            $message = 'the export server did not answer in the time that this client has';
        }
        return self::of($code, $message === '' ? "the server answered {$reply->status->name}" : $message, $taskId);
    }

    /** Whether the server itself said why; otherwise something on the way may have ended the call. */
    public static function isCoded(Reply $reply): bool
    {
        return self::said($reply)[0] !== null;
    }

    /** The exception of a connection that broke, or was never there. */
    public static function ofTransport(TransportException $broken, ?string $taskId = null): ExportException
    {
        return self::of($broken->errorCode, $broken->getMessage(), $taskId, $broken);
    }

    /** Seconds; below 0, which this server does not say, would be "not at all" (gRFC A6). */
    private static function retryAfter(Reply $reply): ?float
    {
        $milliseconds = $reply->metadata('grpc-retry-pushback-ms') ?? '';
        return ctype_digit($milliseconds) ? (float) $milliseconds / 1000.0 : null;
    }

    /** @return array{?string, string} code and sentence */
    private static function said(Reply $reply): array
    {
        $message = $reply->detail;
        $name = $reply->metadata('x-error-code');
        // The metadata of a refusal is percent-encoded, as the message is on the wire.
        foreach ([rawurldecode($reply->metadata('x-error') ?? ''), $message] as $text) {
            if (preg_match(self::CODED, $text, $found) === 1) {
                return [$name ?? $found[1], $found[2]];
            }
        }
        return [$name, $message];
    }

    /** What a status means where nobody said more. */
    private static function ofStatus(StatusCode $status): ErrorCode
    {
        return match ($status) {
            StatusCode::Cancelled => ErrorCode::Cancelled,
            StatusCode::InvalidArgument, StatusCode::OutOfRange, StatusCode::FailedPrecondition => ErrorCode::InvalidData,
            StatusCode::DeadlineExceeded => ErrorCode::TimedOut,
            StatusCode::NotFound => ErrorCode::TaskNotFound,
            StatusCode::AlreadyExists => ErrorCode::AlreadyExists,
            StatusCode::PermissionDenied => ErrorCode::PermissionDenied,
            StatusCode::ResourceExhausted => ErrorCode::QueueFull,
            StatusCode::Unimplemented => ErrorCode::Unimplemented,
            StatusCode::Unavailable => ErrorCode::ConnectionFailed,
            StatusCode::Unauthenticated => ErrorCode::Unauthenticated,
            default => ErrorCode::Internal,
        };
    }

    /** @return class-string<ExportException> */
    private static function classOf(ErrorCode $code): string
    {
        return match ($code) {
            ErrorCode::InvalidDescriptor,
            ErrorCode::InvalidSchema,
            ErrorCode::UnsupportedType,
            ErrorCode::InvalidData,
            ErrorCode::LimitExceeded,
            ErrorCode::InvalidRequest => InvalidRequestException::class,
            ErrorCode::IncompleteStream, ErrorCode::RowCountMismatch => IncompleteExportException::class,
            ErrorCode::Unauthenticated, ErrorCode::PermissionDenied => UnauthorizedException::class,
            ErrorCode::TaskNotFound => TaskNotFoundException::class,
            ErrorCode::AlreadyExists, ErrorCode::RequestIdConflict => AlreadyExistsException::class,
            ErrorCode::Cancelled => CancelledException::class,
            ErrorCode::ConnectionFailed => ConnectionFailedException::class,
            ErrorCode::TimedOut => TimedOutException::class,
            ErrorCode::Internal, ErrorCode::Unimplemented => ExportException::class,
            default => UnavailableException::class,
        };
    }
}
