"""What follows from the keys of a store: sizes of parts, and how long a request may take."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flight_server.config import ConfigError, load_config
from flight_server.storage.object_store.settings import (
    MAX_PARTS,
    StoreSettings,
    Times,
    part_size_for,
)

MIB, TIB = 1024**2, 1024**4
LARGEST = 5 * TIB
"""Of an object of S3 and of Google."""


@given(st.integers(0, LARGEST), st.integers(5 * MIB, 1024 * MIB))
@example(LARGEST, 5 * MIB)
@example(10_000 * 5 * MIB, 5 * MIB)
@example(10_000 * 5 * MIB + 1, 5 * MIB)
def test_a_file_of_any_size_fits_into_10_000_parts(size: int, least: int) -> None:
    part = part_size_for(size, least)
    assert part >= least
    assert -(-size // part) <= MAX_PARTS == 10_000


@given(st.integers(0, 10_000), st.integers(5 * MIB, 1024 * MIB))
def test_parts_are_as_configured_where_that_is_enough(parts: int, least: int) -> None:
    assert part_size_for(parts * least, least) == least


@given(st.integers(0, LARGEST), st.integers(5 * MIB, 1024 * MIB))
def test_parts_are_no_larger_than_they_have_to_be(size: int, least: int) -> None:
    part = part_size_for(size, least)
    assert part == least or -(-size // (part - 1)) > MAX_PARTS


def test_5_tib_go_up_in_parts_that_stores_take() -> None:
    assert part_size_for(LARGEST, 5 * MIB) < 5 * 1024 * MIB


@pytest.mark.parametrize("backend", ["s3", "gcs", "azure"])
def test_every_key_of_a_section_is_in_the_settings(backend: str) -> None:
    keys = {
        "prefix": "reports/{task_id}",
        "public": "true",
        "part_size": "6MiB",
        "parallel_parts": "7",
        "max_retries": "8",
        "upload_timeout": "9s",
        "signed_url_expiry": "10m",
        "retention": "11d",
        "read_back": "false",
    }
    overrides = [f"{backend}.{key}={value}" for key, value in keys.items()]
    config = load_config(None, environ={}, overrides=overrides)
    assert StoreSettings.of(getattr(config, backend)) == StoreSettings(
        prefix="reports/{task_id}",
        public=True,
        part_size=6 * MIB,
        parallel_parts=7,
        max_retries=8,
        upload_timeout=9.0,
        link_lifetime=timedelta(minutes=10),
        retention=timedelta(days=11),
        read_back=False,
    )


@pytest.mark.parametrize("backend", ["s3", "gcs", "azure"])
def test_the_defaults_are_those_of_the_configuration(backend: str) -> None:
    config = load_config(None, environ={}, overrides=[])
    assert StoreSettings.of(getattr(config, backend)) == StoreSettings()


@pytest.mark.parametrize("backend", ["s3", "gcs", "azure"])
@pytest.mark.parametrize(
    ("key", "value"), [("signed_url_expiry", "8d"), ("part_size", "4MiB"), ("part_size", "2GiB")]
)
def test_what_no_store_would_take_is_refused(backend: str, key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{backend}.{key}: '{value}'"):
        load_config(None, environ={}, overrides=[f"{backend}.{key}={value}"])


def test_a_request_may_take_as_long_as_a_part_at_64_kib_a_second_and_a_minute() -> None:
    assert StoreSettings(part_size=64 * MIB).request_times.request == timedelta(seconds=60 + 1024)


@given(st.floats(0.1, 7200), st.integers(5 * MIB, 1024 * MIB), st.integers(0, 100))
def test_no_request_outlives_its_upload_or_its_signature(
    timeout: float, part_size: int, retries: int
) -> None:
    settings = StoreSettings(upload_timeout=timeout, part_size=part_size, max_retries=retries)
    times = settings.request_times
    assert times.request <= timedelta(seconds=timeout)
    assert times.retrying <= min(timedelta(seconds=timeout), timedelta(minutes=5))
    assert times.max_retries == retries


def test_obstore_is_told_in_its_own_words() -> None:
    times = Times(timedelta(seconds=9), max_retries=2)
    assert times.client == {
        "timeout": timedelta(seconds=9),
        "connect_timeout": timedelta(seconds=10),
    }
    assert times.retry == {
        "max_retries": 2,
        "retry_timeout": timedelta(minutes=4),
        "backoff": {
            "init_backoff": timedelta(milliseconds=200),
            "max_backoff": timedelta(seconds=10),
        },
    }
