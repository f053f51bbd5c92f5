<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

/**
 * Where an export is. A cancelled one is Failed, with the code CANCELLED.
 *
 * The values are those of the wire.
 */
enum TaskStatus: int
{
    /** A state of a later server's, which this version does not know. */
    case Unspecified = 0;
    /** It waits for a slot. */
    case Queued = 1;
    /** Rows are taken and written. */
    case Processing = 2;
    /** The file is whole and on its way to where its link leads. */
    case Uploading = 3;
    /** The link is there. */
    case Completed = 4;
    /** There is no file and there will be none. */
    case Failed = 5;

    /** Whether it stays as it is. */
    public function isFinal(): bool
    {
        return $this === self::Completed || $this === self::Failed;
    }
}
