<?php

declare(strict_types=1);

namespace ExportMiddleware\Client;

use ExportMiddleware\Client\Exception\ExportException;
use ExportMiddleware\Client\Exception\InvalidRequestException;
use ExportMiddleware\Client\Transport\Deadline;
use ExportMiddleware\Client\Transport\Transport;
use ExportMiddleware\Client\Transport\Transports;

/**
 * Rows in, a finished file with a signed link out.
 *
 *     $client = new ExportClient('http://127.0.0.1:9090');
 *     $result = $client->export($rows, filename: 'orders.xlsx', columns: ['id' => DataType::Number, 'name']);
 *     echo $result->url;
 *
 * A client holds no connection while it does nothing, and may be kept as long as the process.
 */
final class ExportClient
{
    private readonly Calls $calls;

    /**
     * @param string $address `http://host:9090`, or `https://…` for TLS
     * @param Transport|null $transport the grpc extension where it is loaded, libcurl otherwise
     * @throws InvalidRequestException for an address that is none
     */
    public function __construct(
        string $address,
        private readonly ClientOptions $options = new ClientOptions(),
        ?Transport $transport = null,
    ) {
        $transport ??= Transports::best(Address::of($address), $options);
        $this->calls = new Calls($transport, $options);
    }

    /**
     * Send all rows and wait for the file.
     *
     * Memory does not grow with the rows. If their source throws, or a callback does, the export is
     * given up, no file is made, and what was thrown arrives here unchanged.
     *
     * @param iterable<mixed> $rows arrays or stdClass objects, by order or by column name; a
     *     generator; or an executed PDOStatement. Their values are as the README says.
     * @param array<int|string, Column|DataType|string> $columns `['id' => DataType::Number, 'name']`
     * @param Format|null $format the filename's extension says it unless given
     * @param string|null $requestId the same id is the same export, however often it is asked for;
     *     a new one by default
     * @param float|null $timeout seconds for all of it; ClientOptions::$exportTimeout unless given
     * @param (callable(string): void)|null $onStarted called with the task id as soon as the server
     *     has told it, which is before the rows with a server that accepts at once
     * @param (callable(Progress): void)|null $onProgress called a few times a second while rows are
     *     sent, and at their end
     * @param float|null $askEvery seconds after which the progress has the server's own view anew
     * @throws ExportException with the code, and the task id if there is one
     */
    public function export(
        iterable $rows,
        string $filename,
        array $columns,
        ?Format $format = null,
        ?FormatOptions $options = null,
        ?string $requestId = null,
        ?float $timeout = null,
        ?callable $onStarted = null,
        ?callable $onProgress = null,
        ?float $askEvery = null,
    ): ExportResult {
        $request = new ExportRequest(
            $requestId ?? bin2hex(random_bytes(16)),
            $filename,
            $format ?? Format::ofFilename($filename),
            Columns::of($columns),
            $options,
            isRepeatable: $requestId !== null,
        );
        $reporter = new Reporter($this->calls, $onStarted, $onProgress, $askEvery);
        $deadline = Deadline::in($timeout ?? $this->options->exportTimeout);
        return (new Export($this->calls, $request, $reporter, $deadline))->run($rows);
    }

    /**
     * Where an export is.
     *
     * @throws ExportException TaskNotFoundException among others
     */
    public function status(string $taskId): TaskState
    {
        return $this->calls->status($taskId);
    }

    /**
     * Ask until an export has ended.
     *
     * @param float|null $timeout in seconds; ClientOptions::$exportTimeout unless given
     * @param (callable(TaskState): void)|null $onState called with each answer
     * @return TaskState Completed, with its link
     * @throws ExportException why it failed, or TimedOutException, after which it may still go on
     */
    public function wait(string $taskId, ?float $timeout = null, ?callable $onState = null): TaskState
    {
        $deadline = Deadline::in($timeout ?? $this->options->exportTimeout);
        return (new Watch($this->calls, $deadline))->untilEnd($taskId, $onState);
    }
}
