"""Links to objects whose names a URL has to encode, and what is done where they cannot be had."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight_server.config import load_config
from flight_server.filenames import check_filename
from flight_server.storage.base import Target
from flight_server.storage.faults import Fault
from flight_server.storage.names import KeyTemplate
from flight_server.storage.object_store.clouds import cloud_of
from flight_server.storage.object_store.settings import QUICK, Cloud
from tests.support.clouds.azure_signatures import KEY, verify_sas
from tests.support.clouds.messages import parse

ENCODED = "crm/两 orders.csv"
HOUR = timedelta(hours=1)
AZURE = ["storage.backend=azure", "azure.account=devstoreaccount1", "azure.container=exports"]


def azure(*overrides: str) -> Cloud:
    return cloud_of("azure", load_config(None, environ={}, overrides=[*AZURE, *overrides]))


def link(cloud: Cloud, key: str) -> str:
    return cloud.sign(cloud.open(QUICK), key, HOUR)


def is_filename(name: str) -> bool:
    try:
        check_filename(name)
    except ValueError:
        return False
    return True


filenames = st.text(min_size=1, max_size=60).filter(is_filename)


@given(filenames)
def test_azure_verifies_the_link_to_any_name(name: str) -> None:
    url = link(azure(f"azure.account_key={KEY}"), f"crm/{name}")
    target = url.removeprefix("https://devstoreaccount1.blob.core.windows.net")
    assert target.isascii()
    request = parse("GET", target, [], b"")
    assert request.key == f"crm/{name}"
    verify_sas(request)


def test_the_key_of_the_environment_signs_links_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    cloud = azure()
    assert not cloud.plain_names
    assert "sig=" in link(cloud, ENCODED)


def test_without_the_key_of_the_account_objects_get_plain_names() -> None:
    assert azure().plain_names
    assert not azure("azure.sas_token=sig=x", "azure.public=true").plain_names


def test_without_the_key_of_the_account_a_prefix_that_is_encoded_is_refused_in_a_sentence() -> None:
    with pytest.raises(Fault, match=r"needs azure\.account_key"):
        link(azure(), ENCODED)


@given(filenames, filenames)
def test_plain_keys_are_those_that_urls_need_not_encode(client: str, name: str) -> None:
    keys = KeyTemplate("{client}/{task_id}/{filename}", plain=True)
    target = Target("task-1", client, name, "text/csv")
    key = keys.key(target)
    assert set(key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/")
    assert keys.task_id(key) == "task-1"
    assert key.count("/") == 2
