"""What obstore raises becomes one sentence, and the right decision whether to try again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.exceptions import (
    BaseError,
    GenericError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from flight_server.config import load_config
from flight_server.storage.faults import Fault
from flight_server.storage.object_store.clouds import cloud_of
from flight_server.storage.object_store.faults import DENIED, NO_SUCH_KEY, fault_of, translated
from flight_server.storage.object_store.settings import Cloud

OVERRIDES = {
    "s3": ["s3.bucket=exports"],
    "gcs": ["gcs.bucket=exports"],
    "azure": ["azure.account=exports", "azure.container=exports"],
}
BACKENDS = list(OVERRIDES)


def cloud(backend: str) -> Cloud:
    overrides = [f"storage.backend={backend}", *OVERRIDES[backend]]
    return cloud_of(backend, load_config(None, environ={}, overrides=overrides))


def refusal(status: int, code: str = "", message: str = "text of the server") -> str:
    """The text of an error as obstore 0.12 writes it."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>" if code else ""
    return (
        "Generic S3 error: Error performing PUT https://host/exports/crm/a.csv in 1.2ms - Server "
        f"returned non-2xx status code: {status} Reason: {body}\n\nDebug source:\nGeneric {{ }}"
    )


@pytest.mark.parametrize(
    ("backend", "code"),
    [(backend, code) for backend in BACKENDS for code in cloud(backend).sentences],
)
def test_what_only_the_operator_can_mend_names_key_or_cause_and_is_not_tried_again(
    backend: str, code: str
) -> None:
    fault = fault_of(GenericError(refusal(400, code)), cloud(backend))
    assert (fault.code, fault.status, fault.transient) == (code, 400, False)
    causes = "network rules|the rights|credentials|may not|expired"
    assert re.search(rf"\b{backend}\.[a-z_]+|{causes}", fault.sentence)
    assert "text of the server" not in fault.sentence


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_trouble_of_the_server_is_tried_again(backend: str, status: int) -> None:
    known = cloud(backend)
    fault = fault_of(GenericError(refusal(status)), known)
    assert fault.transient
    assert fault.sentence == f"{known.name} answered {status}"


@pytest.mark.parametrize(
    "code", ["SlowDown", "RequestTimeout", "BadDigest", "Md5Mismatch", "NoSuchUpload"]
)
def test_a_refusal_that_a_file_sent_anew_may_not_meet_is_tried_again(code: str) -> None:
    fault = fault_of(GenericError(refusal(400, code)), cloud("s3"))
    assert fault.transient
    assert fault.sentence == f"S3 answered 400 {code}"


@pytest.mark.parametrize("code", ["InvalidArgument", "EntityTooLarge", "MalformedXML"])
def test_another_refusal_is_not(code: str) -> None:
    fault = fault_of(GenericError(refusal(400, code)), cloud("s3"))
    assert not fault.transient
    assert fault.sentence == f"S3 answered 400 {code}"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "text",
    [
        "Generic error: error sending request",
        "Generic error: operation timed out",
        "Generic error: request or response body error",
    ],
)
def test_a_server_that_is_not_there_is_tried_again_and_its_endpoint_is_named(
    backend: str, text: str
) -> None:
    known = cloud(backend)
    fault = fault_of(GenericError(text), known)
    assert fault.transient
    assert fault.sentence == f"{known.name} could not be reached ({backend}.endpoint)"


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError("Object at location a not found"),
        NotFoundError(refusal(404)),
        NotFoundError(refusal(404, "NoSuchKey")),
        NotFoundError(refusal(404, "BlobNotFound")),
        FileNotFoundError(
            "not found: Bulk delete request failed for key a: It is not. (code: 404)"
        ),
    ],
)
def test_an_object_that_is_not_there_is_told_from_everything_else(error: Exception) -> None:
    fault = fault_of(error, cloud("azure"))
    assert fault.code in NO_SUCH_KEY
    assert not fault.transient


def test_a_bucket_that_is_not_there_is_no_missing_object() -> None:
    for code, backend in (("NoSuchBucket", "s3"), ("ContainerNotFound", "azure")):
        assert fault_of(NotFoundError(refusal(404, code)), cloud(backend)).code not in NO_SUCH_KEY


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("code", ["", "AccessDenied", "AuthorizationPermissionMismatch"])
def test_a_missing_permission_is_said(backend: str, code: str) -> None:
    fault = fault_of(PermissionDeniedError(refusal(403, code)), cloud(backend))
    assert not fault.transient
    assert code not in DENIED or fault.code == code
    assert "denied access" in fault.sentence


def test_what_a_batch_of_azure_says_of_one_object_is_its_status() -> None:
    text = "Generic error: Bulk delete request failed for key a: Server is busy. (code: {})"
    busy = fault_of(GenericError(text.format(503)), cloud("azure"))
    assert (busy.status, busy.transient) == (503, True)
    denied = fault_of(GenericError(text.format(403)), cloud("azure"))
    assert (denied.code, denied.transient) == ("Forbidden", False)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_clock_that_is_wrong_is_said(backend: str) -> None:
    fault = fault_of(PermissionDeniedError(refusal(403, "RequestTimeTooSkewed")), cloud(backend))
    assert "clock is wrong" in fault.sentence
    assert not fault.transient


@pytest.mark.parametrize(
    "text",
    [
        "Error performing token request: error sending request",
        "Generic MicrosoftAzure error: No credential was found",
        "Error performing PUT http://169.254.169.254/latest/api/token in 1s",
        "Error performing PUT http://169.254.169.254/x in 1s - status code: 403 Forbidden: denied",
        "Error performing GET http://169.254.169.254/x in 1s - status code: 404 Not Found: ",
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_credentials_that_nobody_has_are_said(backend: str, text: str) -> None:
    known = cloud(backend)
    fault = fault_of(UnauthenticatedError(text), known)
    assert fault.code not in NO_SUCH_KEY | DENIED
    expected = f"there are no usable credentials for {known.name} (see the keys of {backend})"
    assert fault.sentence == expected


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "text",
    [
        "Error performing PUT {url}/crm/credentials.csv in 2ms - error sending request",
        "Bulk delete request failed for key crm/credentials.csv: error sending request",
        "Object at location crm/credentials.csv not found: error sending request",
    ],
)
def test_the_name_of_an_object_says_nothing_of_credentials(backend: str, text: str) -> None:
    known = cloud(backend)
    fault = fault_of(GenericError(text.format(url=known.url)), known)
    assert fault.sentence == f"{known.name} could not be reached ({backend}.endpoint)"


def test_the_text_of_a_server_says_nothing_of_credentials() -> None:
    text = refusal(500, "InternalError", "the credential store is down")
    assert fault_of(GenericError(text), cloud("s3")).sentence == "S3 answered 500 InternalError"


def test_what_the_store_says_of_credentials_is_told_as_it_says_it() -> None:
    """obstore puts a sentence about credentials before every 401."""
    text = f"lacked valid authentication credentials: {refusal(401, 'AuthenticationRequired')}"
    fault = fault_of(UnauthenticatedError(text), cloud("gcs"))
    assert fault.sentence == "Google refused the credentials (gcs.service_account)"


def test_a_redirect_without_an_address_is_another_region() -> None:
    text = "Error performing GET x in 1ms - Received redirect without LOCATION, this normally"
    fault = fault_of(GenericError(text), cloud("s3"))
    assert fault.sentence == "the bucket is in another region than s3.region says"
    assert not fault.transient


words = st.text(st.characters(codec="utf-8", exclude_characters="<>"), max_size=40)


@given(st.sampled_from(BACKENDS), st.integers(300, 599), words)
def test_no_sentence_repeats_what_the_server_wrote_or_where_the_object_is(
    backend: str, status: int, written: str
) -> None:
    message = f"AKIAIOSFODNN7EXAMPLE {written}"
    fault = fault_of(GenericError(refusal(status, "SomeCode", message)), cloud(backend))
    assert re.fullmatch(
        rf"{cloud(backend).name} answered {status} SomeCode|[a-zA-Z0-9 ]*\({backend}\.\w+\)"
        rf"|there are no usable credentials for .* \(see the keys of {backend}\)",
        fault.sentence,
    )


def test_a_panic_of_the_client_is_a_fault_that_is_tried_again() -> None:
    panic = type("PanicException", (BaseException,), {})
    with (
        pytest.raises(Fault, match="the client of S3 broke down") as caught,
        translated(cloud("s3")),
    ):
        raise panic
    assert caught.value.transient


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ValueError])
def test_what_is_not_of_obstore_passes(kind: type[BaseException]) -> None:
    with pytest.raises(kind), translated(cloud("s3")):
        raise kind


@pytest.mark.parametrize("error", [BaseError("x"), OSError("x")])
def test_what_is_of_obstore_is_a_fault_with_its_cause(error: Exception) -> None:
    with pytest.raises(Fault) as caught, translated(cloud("s3")):
        raise error
    assert caught.value.__cause__ is error
