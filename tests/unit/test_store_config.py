"""The sections of S3, Google Cloud Storage and Azure."""

import pytest

from flight_server.config import Backend, Config, ConfigError, load_config

S3 = ("storage.backend=s3", "s3.bucket=exports")
GCS = ("storage.backend=gcs", "gcs.bucket=exports")
AZURE = ("storage.backend=azure", "azure.account=exports", "azure.container=files")


def load(*overrides: str, **environ: str) -> Config:
    return load_config(None, environ=environ, overrides=overrides)


def problems(*overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(*overrides)
    return list(refused.value.problems)


@pytest.mark.parametrize(
    ("settings", "backend"), [(S3, Backend.S3), (GCS, Backend.GCS), (AZURE, Backend.AZURE)]
)
def test_a_place_is_enough_and_keys_come_from_the_environment(
    settings: tuple[str, ...], backend: Backend
) -> None:
    assert load(*settings).storage.backend is backend


@pytest.mark.parametrize(
    ("backend", "keys"),
    [
        ("s3", ["s3.bucket"]),
        ("gcs", ["gcs.bucket"]),
        ("azure", ["azure.account", "azure.container"]),
    ],
)
def test_a_store_without_its_place_is_refused(backend: str, keys: list[str]) -> None:
    found = problems(f"storage.backend={backend}")
    assert [problem.partition(":")[0] for problem in found] == keys
    assert all(f"storage.backend {backend} needs one" in problem for problem in found)


@pytest.mark.parametrize(
    ("settings", "override", "key"),
    [
        (S3, "s3.bucket=Exports", "s3.bucket"),
        (S3, "s3.bucket=a", "s3.bucket"),
        (S3, "s3.access_key_id=AKIA", "s3.secret_access_key"),
        (S3, "s3.secret_access_key=hunter2", "s3.access_key_id"),
        (S3, "s3.session_token=t", "s3.access_key_id"),
        (S3, "s3.signed_url_expiry=8d", "s3.signed_url_expiry"),
        (S3, "s3.part_size=1MiB", "s3.part_size"),
        (S3, "s3.storage_class=glacier", "s3.storage_class"),
        (S3, "s3.endpoint=http://a/b", "s3.endpoint"),
        (S3, "s3.prefix={user}", "s3.prefix"),
        (GCS, "gcs.bucket=-x-", "gcs.bucket"),
        (GCS, "gcs.storage_class=glacier", "gcs.storage_class"),
        (AZURE, "azure.account=Exports", "azure.account"),
        (AZURE, "azure.container=a--b", "azure.container"),
        (AZURE, "azure.account_key=no base64", "azure.account_key"),
        (AZURE, "azure.sas_token=sv=1", "azure.sas_token"),
        (AZURE, "azure.storage_class=archive", "azure.storage_class"),
    ],
)
def test_what_the_store_would_refuse_is_refused_at_once(
    settings: tuple[str, ...], override: str, key: str
) -> None:
    [problem] = problems(*settings, override)
    assert problem.startswith(f"{key}: ")


def test_a_shared_access_signature_is_enough_where_everyone_may_read() -> None:
    load(*AZURE, "azure.sas_token=sv=1", "azure.public=true")
    [problem] = problems(*AZURE, "azure.sas_token=sv=1", "azure.account_key=aGk=")
    assert problem.startswith("azure.sas_token: ")


def test_secrets_are_shown_nowhere() -> None:
    text = load(
        *S3,
        *("s3.access_key_id=AKIA", "s3.secret_access_key=hunter2", "s3.session_token=hunter2"),
        *("azure.account_key=hunter2=", "azure.sas_token=hunter2"),
    ).to_yaml()
    assert "hunter2" not in text
    [problem] = problems(*AZURE, "azure.account_key=hunter2!")
    assert "hunter2" not in problem


def test_rules_of_a_store_that_is_not_used_do_not_matter() -> None:
    load("s3.access_key_id=AKIA", "azure.sas_token=sv=1")


def test_every_key_can_come_from_the_environment() -> None:
    config = load(*S3, EXPORT_S3__REGION="eu-central-1", EXPORT_S3__READ_BACK="no")
    assert (config.s3.region, config.s3.read_back) == ("eu-central-1", False)
