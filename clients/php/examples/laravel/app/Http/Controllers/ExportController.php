<?php

declare(strict_types=1);

namespace App\Http\Controllers;

use ExportMiddleware\Client\Exception\TaskNotFoundException;
use ExportMiddleware\Client\ExportClient;
use Illuminate\Http\JsonResponse;

/**
 * Route::get('/exports/{taskId}', [ExportController::class, 'show']);
 */
final class ExportController
{
    public function __construct(private readonly ExportClient $exports)
    {
    }

    /** Where an export is: for a page that asks now and then. */
    public function show(string $taskId): JsonResponse
    {
        try {
            $state = $this->exports->status($taskId);
        } catch (TaskNotFoundException) {
            return new JsonResponse(['message' => 'There is no such export.'], 404);
        }
        return new JsonResponse([
            'status' => $state->status->name,
            'rows' => $state->rows,
            'progress' => $state->progress,
            'url' => $state->url,
            'error' => $state->errorMessage,
        ]);
    }
}
