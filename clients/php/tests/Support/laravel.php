<?php

declare(strict_types=1);

/*
 * So much of Laravel as examples/laravel uses, so that the example runs where Laravel is not
 * installed: a container, a command's input and output, a query's cursor over SQLite.
 */

namespace {
    function env(string $name, mixed $default = null): mixed
    {
        $value = getenv($name);
        return $value === false ? $default : $value;
    }
}

namespace Illuminate\Config {
    final class Repository
    {
        /** @param array<string, mixed> $items */
        public function __construct(private readonly array $items)
        {
        }

        public function get(string $key): mixed
        {
            return $this->items[$key] ?? null;
        }
    }
}

namespace Illuminate\Foundation {
    /** @extends \ArrayObject<string, mixed> */
    final class Application extends \ArrayObject
    {
        /** @var array<string, \Closure> */
        private array $makers = [];
        /** @var list<class-string> */
        public array $commands = [];

        public function singleton(string $class, \Closure $make): void
        {
            $this->makers[$class] = $make;
        }

        public function make(string $class): object
        {
            return $this[$class] ??= $this->makers[$class]($this);
        }
    }
}

namespace Illuminate\Support {
    abstract class ServiceProvider
    {
        public function __construct(protected \Illuminate\Foundation\Application $app)
        {
        }

        /** @param list<class-string> $commands */
        protected function commands(array $commands): void
        {
            $this->app->commands = $commands;
        }
    }
}

namespace Illuminate\Console {
    abstract class Command
    {
        public const SUCCESS = 0;
        public const FAILURE = 1;

        /** @var list<string> */
        public array $said = [];
        /** @var array<string, string> */
        public array $given = [];

        protected function argument(string $name): string
        {
            return $this->given[$name];
        }

        protected function line(string $text): void
        {
            $this->said[] = $text;
        }

        protected function info(string $text): void
        {
            $this->said[] = $text;
        }

        protected function error(string $text): void
        {
            $this->said[] = "error: $text";
        }
    }
}

namespace Illuminate\Http {
    final class JsonResponse
    {
        public function __construct(public readonly mixed $data, public readonly int $status = 200)
        {
        }
    }
}

namespace Illuminate\Support\Facades {
    final class DB
    {
        public static \PDO $connection;

        public static function table(string $table): Query
        {
            return new Query($table);
        }
    }

    final class Query
    {
        private string $columns = '*';
        private string $order = '';

        public function __construct(private readonly string $table)
        {
        }

        /** @param list<string> $columns */
        public function select(array $columns): self
        {
            $this->columns = implode(', ', $columns);
            return $this;
        }

        public function orderBy(string $column): self
        {
            $this->order = " ORDER BY $column";
            return $this;
        }

        /** @return \Generator<int, \stdClass> */
        public function cursor(): \Generator
        {
            $statement = DB::$connection->query("SELECT $this->columns FROM $this->table$this->order");
            while (($row = $statement->fetchObject()) !== false) {
                yield $row;
            }
        }
    }
}
