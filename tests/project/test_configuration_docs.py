"""The model, config.yaml and docs/configuration.md say the same."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters import CsvOptions, XlsxOptions
from flight_server.config import Config, ConfigError, load_config
from flight_server.config.kinds import Number, OrElse
from flight_server.config.model import KEYS, SECTIONS
from flight_server.config.quantities import Duration, Size
from flight_server.config.sources import ORIGINAL_NAMES

ROOT = Path(__file__).parents[2]
FILE = ROOT / "config.yaml"
DOCS = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted names in a mapping of sections."""
    for name, value in tree.items():
        if f"{prefix}{name}" in SECTIONS:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def rows(first_cell: str) -> list[tuple[str, ...]]:
    """The cells of the rows of every table whose first column is headed so."""
    found: list[tuple[str, ...]] = []
    inside = False
    for line in map(str.strip, DOCS.splitlines()):
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_cell:
            inside = True
        elif inside and not set(line) <= set("|-"):
            found.append(cells)
    return found


def test_the_file_lists_every_key_in_order() -> None:
    assert list(leaves(yaml.safe_load(FILE.read_text(encoding="utf-8")))) == list(KEYS)


def test_the_file_says_the_defaults() -> None:
    assert load_config(FILE, environ={}) == Config()


def test_the_file_explains_every_key_in_the_words_of_the_model() -> None:
    lines = [line.strip() for line in FILE.read_text(encoding="utf-8").splitlines()]
    explained = [
        (comment.removeprefix("# "), line.partition(":")[0])
        for comment, line in pairwise(lines)
        if comment.startswith("# ") and line and not line.startswith("#")
    ]
    assert explained == [(key.description, name.rpartition(".")[2]) for name, key in KEYS.items()]


def test_the_tables_say_what_the_model_says() -> None:
    assert rows("key") == [
        (f"`{key.name}`", f"`{key.default_text}`", key.kind.allowed, key.description)
        for key in KEYS.values()
    ]


def test_every_section_has_a_heading() -> None:
    headings = re.findall(r"^### (\w+)$", DOCS, re.MULTILINE)
    assert headings == [section for section in SECTIONS if "." not in section]


def test_the_originals_environment_is_listed() -> None:
    assert rows("name") == [(f"`{name}`", f"`{key}`") for name, key in ORIGINAL_NAMES.items()]


def test_the_examples_of_variables_exist() -> None:
    for name, value in re.findall(r"`(EXPORT_[A-Z_]+)=([^`]+)`", DOCS):
        assert load_config(None, environ={name: value}) != Config()


def test_the_example_of_messages_is_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("server: {status_port: 70000}", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_config(Path("config.yaml"), environ={"EXPORT_SERVER__FLIGHT_PROT": "1"})
    assert f"```\n{refused.value}\n```" in DOCS


def test_the_example_of_styles_in_the_file_is_taken() -> None:
    """It is commented out: with the comment gone, the file has the style."""
    assert Config.model_validate({"xlsx": {"styles": commented_out("styles")}}) != Config()


def test_the_example_of_defaults_in_the_file_is_taken() -> None:
    assert Config.model_validate({"csv": {"defaults": commented_out("defaults")}}) != Config()


def commented_out(key: str) -> Any:
    """What the file shows instead of an empty mapping."""
    text = FILE.read_text(encoding="utf-8")
    [example] = re.findall(rf"  {key}: \{{\}}\n  # For example, .*\n((?:  #   .*\n)+)", text)
    return yaml.safe_load(example.replace("  # ", "  "))


def test_the_example_of_defaults_is_taken(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(csv:.*?)```", DOCS, re.DOTALL)
    file = tmp_path / "config.yaml"
    file.write_text(example, encoding="utf-8")
    defaults = load_config(file, environ={}).csv.defaults
    assert CsvOptions.parse(defaults) != CsvOptions()


def test_the_example_of_styles_and_of_a_wrong_one_is_what_happens(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(xlsx:.*?)```", DOCS, re.DOTALL)
    file = tmp_path / "config.yaml"
    file.write_text(example, encoding="utf-8")
    assert sorted(load_config(file, environ={}).xlsx.styles) == ["house", "plain"]
    file.write_text(example.replace('"#FFFFFF"', "red"), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_config(file, environ={})
    assert f"```\n{refused.value}\n```".replace(f"{tmp_path}/", "") in DOCS


def test_the_options_that_no_style_has_are_listed() -> None:
    [line] = [line for line in DOCS.splitlines() if "belong to the columns of one export" in line]
    assert set(re.findall(r"`(\w+)`", line)) == XlsxOptions.not_in_styles


@pytest.mark.parametrize("name", KEYS)
def test_a_default_is_a_value_that_is_allowed(name: str) -> None:
    key = KEYS[name]
    assert key.kind.read(key.default) == key.default


@pytest.mark.parametrize("name", KEYS)
def test_a_number_has_bounds_that_its_default_keeps(name: str) -> None:
    key = KEYS[name]
    kind = key.kind.kind if isinstance(key.kind, OrElse) else key.kind
    if isinstance(key.default, bool) or not isinstance(key.default, int):
        assert not isinstance(key.kind, Number | Size)
        return
    assert isinstance(kind, Number | Size)
    assert kind.minimum <= key.default <= kind.maximum


def test_the_keys_of_the_protocol_have_its_defaults() -> None:
    """The tables of the original and of the protocol, which nobody may change alone."""
    expected = {
        "server.host": "127.0.0.1",
        "server.flight_port": 8815,
        "server.port": 9090,
        "server.status_port": 9091,
        "server.max_connections": 100,
        "server.timeout": "30s",
        "server.shutdown_grace": "30s",
        "server.max_task_duration": "6h",
        "flight.require_commit": True,
        "flight.stream_idle_timeout": "60s",
        "concurrency.max_concurrent_tasks": 10,
        "concurrency.task_queue_size": 100,
        "concurrency.queue_timeout": "5m",
        "performance.buffer_size": 10485760,
        "performance.max_batch_size": 1000,
        "performance.write_timeout": "30s",
        "performance.threads": "cores",
        "performance.memory_budget": "256 MiB",
        "storage.backend": "local",
        "storage.temp_directory": "/tmp/export-middleware",
        "storage.temp_retention": "1h",
        "storage.cleanup_enabled": True,
        "storage.min_free_bytes": "256 MiB",
        "storage.local.directory": "./data/files",
        "storage.local.retention": "7d",
        "state.url": "sqlite:///./data/state.db",
        "oss.part_size": 10485760,
        "oss.signed_url_expiry": "168h",
        "oss.max_retries": 3,
        "oss.parallel_parts": 5,
        "oss.upload_timeout": "30m",
        "security.auth_enabled": False,
        "security.tls_enabled": False,
        "security.allowed_clients": [],
        "logging.level": "info",
        "logging.format": "json",
        "logging.output": "stdout",
        "logging.enable_tracing": False,
        "monitoring.metrics_port": 8080,
        "monitoring.health_check_interval": "30s",
    }
    for name, default in expected.items():
        assert KEYS[name].kind.read(default) == KEYS[name].default, name


def test_every_duration_has_a_range() -> None:
    kinds = [key.kind for key in KEYS.values() if isinstance(key.kind, Duration)]
    assert kinds
    assert all(kind.minimum < kind.maximum for kind in kinds)
