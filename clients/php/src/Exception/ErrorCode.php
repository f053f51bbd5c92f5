<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

/**
 * Every reason that an export, or a question about one, can fail for.
 */
enum ErrorCode: string
{
    // of the server, by the protocol
    case InvalidDescriptor = 'INVALID_DESCRIPTOR';
    case InvalidSchema = 'INVALID_SCHEMA';
    case UnsupportedType = 'UNSUPPORTED_TYPE';
    case InvalidData = 'INVALID_DATA';
    case IncompleteStream = 'INCOMPLETE_STREAM';
    case RowCountMismatch = 'ROW_COUNT_MISMATCH';
    case LimitExceeded = 'LIMIT_EXCEEDED';
    case Unauthenticated = 'UNAUTHENTICATED';
    case PermissionDenied = 'PERMISSION_DENIED';
    case TaskNotFound = 'TASK_NOT_FOUND';
    case AlreadyExists = 'ALREADY_EXISTS';
    case RequestIdConflict = 'REQUEST_ID_CONFLICT';
    case QueueFull = 'QUEUE_FULL';
    case RateLimited = 'RATE_LIMITED';
    case ShuttingDown = 'SHUTTING_DOWN';
    case QueueTimeout = 'QUEUE_TIMEOUT';
    case StreamStalled = 'STREAM_STALLED';
    case Cancelled = 'CANCELLED';
    case StorageFull = 'STORAGE_FULL';
    case StorageError = 'STORAGE_ERROR';
    case UploadError = 'UPLOAD_ERROR';
    case Interrupted = 'INTERRUPTED';
    case Internal = 'INTERNAL';

    // of this client
    /** A row, a column or an option that was never sent. */
    case InvalidRequest = 'INVALID_REQUEST';
    /** No server there, or the connection broke. */
    case ConnectionFailed = 'CONNECTION_FAILED';
    /** This client waited as long as it was told to. */
    case TimedOut = 'TIMED_OUT';
    /** What answers there is no server of the contract. */
    case Unimplemented = 'UNIMPLEMENTED';

    /** Whether the same request can succeed later. */
    public function retryable(): bool
    {
        return match ($this) {
            self::IncompleteStream,
            self::RowCountMismatch,
            self::QueueFull,
            self::RateLimited,
            self::ShuttingDown,
            self::QueueTimeout,
            self::StreamStalled,
            self::StorageFull,
            self::StorageError,
            self::UploadError,
            self::Interrupted,
            self::ConnectionFailed,
            self::TimedOut => true,
            default => false,
        };
    }
}
