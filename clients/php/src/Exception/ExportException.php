<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Exception;

use RuntimeException;
use Throwable;

/**
 * An export, or a question about one, failed.
 *
 *     ExportException
 *     ├── AlreadyExistsException      the request id is in progress, or belongs to another request
 *     ├── CancelledException          the export was cancelled
 *     ├── ConnectionFailedException   the server cannot be reached, or the connection broke
 *     ├── IncompleteExportException   the stream ended early or with another number of rows
 *     ├── InvalidRequestException     what was asked for is refused: do not retry
 *     │   └── InvalidRowException     a row is; it has the row's number and the column
 *     ├── TaskNotFoundException       no such export, or not this client's
 *     ├── TimedOutException           the client waited as long as it was told to
 *     ├── UnauthorizedException       no token, a wrong one, or no right to this export
 *     └── UnavailableException        the server cannot do it now: retry later
 *
 * INTERNAL, and codes that this version does not know, are a plain ExportException. What the rows'
 * own source throws is never wrapped.
 */
class ExportException extends RuntimeException
{
    private ?string $taskId = null;
    private ?float $retryAfter = null;

    public function __construct(
        string $message,
        private readonly ErrorCode $errorCode,
        ?Throwable $previous = null,
    ) {
        parent::__construct($message, 0, $previous);
    }

    /** Why, as a stable name. */
    public function errorCode(): ErrorCode
    {
        return $this->errorCode;
    }

    /** Whether the same request can succeed later. */
    public function retryable(): bool
    {
        return $this->errorCode->retryable();
    }

    /** The export concerned, if the server told of one: `status()` says more of it. */
    public function taskId(): ?string
    {
        return $this->taskId;
    }

    /** Seconds after which the server expects to take the request, if it said so. */
    public function retryAfter(): ?float
    {
        return $this->retryAfter;
    }

    /**
     * The same exception, with a hint when to retry.
     *
     * @internal
     */
    public function hinting(?float $seconds): static
    {
        $this->retryAfter = $seconds;
        return $this;
    }

    /**
     * The same exception, of a task.
     *
     * @internal
     */
    public function ofTask(?string $taskId): static
    {
        $this->taskId ??= $taskId;
        return $this;
    }
}
