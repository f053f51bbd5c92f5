"""Who the OSS test server lets in: V1 and V4, in headers and in links."""

import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote, unquote

import httpx
import oss2
import pytest

from tests.support.oss import Credentials, OssError, OssServer
from tests.support.oss.clients import connect
from tests.support.oss.messages import Request, parse_target
from tests.support.oss.signatures import signer, v1_string_to_sign

KEY = "exports/任务 1+2/a&b=c~.csv"
REGION = "cn-hangzhou"
DISPOSITION = "attachment; filename=\"a b.csv\"; filename*=UTF-8''%E4%BB%BB%E5%8A%A1.csv"
OVERRIDES = {
    "response-content-disposition": DISPOSITION,
    "response-content-type": "text/csv; charset=utf-8",
}
DATA = b"a,b\r\n1,2\r\n"
HOUR = 3600
DAY = 24 * HOUR
SCOPED = "OSS4-HMAC-SHA256 Credential=a/20250411/cn-hangzhou/oss/aliyun_v4_request"

# Without TLS there is no need to read certificates, which takes longer than a request.
ask = partial(httpx.request, verify=False)
get = partial(ask, "GET")
put_to = partial(ask, "PUT")


@pytest.fixture
def server() -> Iterator[OssServer]:
    with OssServer() as started:
        yield started


@pytest.fixture(params=["v1", "v4"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def refusal(bucket: oss2.Bucket) -> tuple[int, str]:
    with pytest.raises(oss2.exceptions.OssError) as caught:
        bucket.put_object(KEY, DATA)
    return caught.value.status, caught.value.code


def code(response: httpx.Response) -> str:
    return response.text.partition("<Code>")[2].partition("</Code>")[0]


def link(bucket: oss2.Bucket, seconds: int = HOUR, key: str = KEY) -> str:
    return str(bucket.sign_url("GET", key, seconds, params=dict(OVERRIDES), slash_safe=True))


# The documentation's examples -------------------------------------------------------------------


def test_the_example_of_v1() -> None:
    """From "Include a V1 signature in the Authorization header"."""
    headers = {
        "content-md5": "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=",
        "content-type": "text/html",
        "date": "Thu, 17 Nov 2005 18:49:58 GMT",
        "x-oss-meta-author": "foo@bar.com",
        "x-oss-magic": "abracadabra",
        "authorization": "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=",
    }
    request = Request("PUT", "oss-example", "nelson", {}, headers)
    key = Credentials("44CF9590006BF252F707", "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV")
    assert signer(request, {key.access_key_id: key}, REGION, 1132253398.0) is key
    assert v1_string_to_sign(request, headers["date"]).endswith(
        "\nx-oss-magic:abracadabra\nx-oss-meta-author:foo@bar.com\n/oss-example/nelson"
    )


def test_the_example_of_v4() -> None:
    """From "Include a V4 signature in the Authorization header"."""
    authorization = (
        "OSS4-HMAC-SHA256 Credential=someone/20250411/cn-hangzhou/oss/aliyun_v4_request,"
        "AdditionalHeaders=content-disposition;content-length,"
        "Signature=d3694c2dfc5371ee6acd35e88c4871ac95a7ba01d3a2f476768fe61218590097"
    )
    headers = {
        "content-disposition": "attachment",
        "content-length": "3",
        "content-md5": "ICy5YqxZB1uWSwcVLSNLcA==",
        "content-type": "text/plain",
        "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
        "x-oss-date": "20250411T064124Z",
        "authorization": authorization,
    }
    request = Request("PUT", "examplebucket", "exampleobject", {}, headers)
    key = Credentials("someone", "yourAccessKeySecret")
    assert signer(request, {"someone": key}, REGION, 1744353684.0) is key
    for name in ("content-disposition", "content-md5", "content-type", "x-oss-date"):
        changed = Request(
            "PUT", "examplebucket", "exampleobject", {}, headers | {name: "20250411T064125Z"}
        )
        with pytest.raises(OssError, match="SignatureDoesNotMatch"):
            signer(changed, {"someone": key}, REGION, 1744353684.0)


# Headers ----------------------------------------------------------------------------------------


def test_what_is_not_signed_is_refused(server: OssServer) -> None:
    anonymous = connect(server)
    anonymous.auth = oss2.AnonymousAuth()
    assert refusal(anonymous) == (403, "AccessDenied")
    connect(server, "v4").put_object(KEY, DATA)
    url = f"{server.endpoint}/exports/{quote(KEY)}"
    assert get(url).status_code == 403
    server.bucket.public_read = True
    assert get(url).content == DATA
    assert code(get(url, params=OVERRIDES)) == "InvalidRequest"
    assert get(f"{server.endpoint}/exports/").status_code == 403
    assert put_to(url, content=b"x").status_code == 403


def test_an_object_may_be_more_or_less_public_than_its_bucket(server: OssServer) -> None:
    bucket = connect(server, "v4")
    bucket.put_object("open", DATA, headers={"x-oss-object-acl": "public-read"})
    bucket.put_object("shut", DATA, headers={"x-oss-object-acl": "private"})
    assert get(f"{server.endpoint}/exports/open").content == DATA
    server.bucket.public_read = True
    assert get(f"{server.endpoint}/exports/shut").status_code == 403


def test_a_wrong_secret_and_an_unknown_key(server: OssServer, version: str) -> None:
    wrong = connect(server, version, secret="other")
    assert refusal(wrong) == (403, "SignatureDoesNotMatch")
    unknown = connect(server, version, key_id="nobody")
    assert refusal(unknown) == (403, "InvalidAccessKeyId")
    assert server.objects == {}


def test_a_refused_signature_shows_what_should_have_been_signed(server: OssServer) -> None:
    with pytest.raises(oss2.exceptions.SignatureDoesNotMatch) as caught:
        connect(server, "v1", secret="other").get_object("k")
    assert caught.value.details["StringToSign"].startswith("GET\n\n\n")


@pytest.mark.parametrize("skew", [-16 * 60, 16 * 60])
def test_a_clock_that_is_wrong(server: OssServer, version: str, skew: float) -> None:
    server.clock_offset = skew
    assert refusal(connect(server, version)) == (403, "RequestTimeTooSkewed")
    server.clock_offset = skew * 14 / 16
    connect(server, version).put_object(KEY, DATA)


def test_v4_is_of_one_region(server: OssServer) -> None:
    assert refusal(connect(server, "v4", region="cn-beijing")) == (400, "InvalidArgument")
    response = get(link(connect(server, "v4", region="cn-beijing")))
    assert (response.status_code, code(response)) == (400, "InvalidArgument")
    connect(server, "v1", region="cn-beijing").put_object(KEY, DATA)


def test_v2_is_not_served(server: OssServer) -> None:
    assert refusal(connect(server, "v2")) == (400, "InvalidArgument")


def test_temporary_credentials(server: OssServer, version: str) -> None:
    until = time.time() + HOUR
    server.credentials["STS.a"] = Credentials("STS.a", "secret", "the token", until)

    def temporary(token: str | None) -> oss2.Bucket:
        return connect(server, version, key_id="STS.a", secret="secret", token=token)

    temporary("the token").put_object(KEY, DATA)
    assert server.requests[-1].headers["x-oss-security-token"] == "the token"
    assert get(link(temporary("the token"))).content == DATA
    assert refusal(temporary("another")) == (403, "InvalidSecurityToken")
    assert refusal(temporary(None)) == (403, "InvalidAccessKeyId")
    server.credentials["STS.a"] = Credentials("STS.a", "secret", "the token", time.time() - 1)
    assert refusal(temporary("the token")) == (403, "SecurityTokenExpired")
    response = get(link(temporary("the token")))
    assert (response.status_code, code(response)) == (403, "SecurityTokenExpired")


def test_a_server_with_a_token_from_the_start() -> None:
    with OssServer(security_token="t") as server:
        connect(server, "v4", token="t").put_object(KEY, DATA)
        assert refusal(connect(server, "v4")) == (403, "InvalidAccessKeyId")


# Links ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slash_safe", [True, False])
def test_a_link_gives_the_file_its_name_and_type(
    server: OssServer, version: str, slash_safe: bool
) -> None:
    bucket = connect(server, version)
    bucket.put_object(KEY, DATA)
    url = bucket.sign_url("GET", KEY, HOUR, params=dict(OVERRIDES), slash_safe=slash_safe)
    response = get(url)
    assert (response.status_code, response.content) == (200, DATA)
    assert response.headers["content-disposition"] == DISPOSITION
    assert response.headers["content-type"] == OVERRIDES["response-content-type"]
    assert get(url, headers={"Range": "bytes=2-4"}).content == DATA[2:5]


def test_a_link_is_for_one_method(server: OssServer, version: str) -> None:
    bucket = connect(server, version)
    bucket.put_object(KEY, DATA)
    url = link(bucket)
    for method in ("PUT", "DELETE", "HEAD"):
        response = ask(method, url)
        assert response.status_code == 403
        assert code(response) == ("" if method == "HEAD" else "SignatureDoesNotMatch")
    put = bucket.sign_url("PUT", "new", HOUR, headers={"Content-Type": "text/csv"})
    assert put_to(put, content=DATA).status_code == 403
    assert put_to(put, content=DATA, headers={"Content-Type": "text/csv"}).status_code == 200
    assert server.objects["new"].data == DATA


def test_a_link_with_one_byte_changed_is_refused(server: OssServer, version: str) -> None:
    """Each byte after the address is changed in turn; none of the links gives the file."""
    bucket = connect(server, version)
    for key in (KEY, KEY.replace("1", "2")):
        bucket.put_object(key, DATA)
    url = link(bucket)
    start = len(f"{server.endpoint}/")
    with httpx.Client() as client:
        assert client.get(url).content == DATA
        for at in range(start, len(url)):
            old = url[at]
            new = "8" if old.isalpha() or old == "7" else "7" if old.isdigit() else "x"
            changed = f"{url[:at]}{new}{url[at + 1 :]}"
            response = client.get(changed)
            assert response.status_code in {400, 403, 404}, changed
            assert response.content != DATA


def test_a_link_with_something_added_is_refused_by_v4(server: OssServer) -> None:
    """V1 signs the parameters that mean something only."""
    for version, status in (("v4", 403), ("v1", 200)):
        bucket = connect(server, version)
        bucket.put_object(KEY, DATA)
        assert get(f"{link(bucket)}&more=1").status_code == status
        assert get(f"{link(bucket)}&response-expires=1").status_code == 403


def test_a_link_of_another_key_is_refused(server: OssServer, version: str) -> None:
    connect(server, version).put_object(KEY, DATA)
    for bucket, want in [
        (connect(server, version, secret="other"), "SignatureDoesNotMatch"),
        (connect(server, version, key_id="nobody"), "InvalidAccessKeyId"),
    ]:
        response = get(link(bucket))
        assert (response.status_code, code(response)) == (403, want)
    swapped = link(connect(server, version)).replace(quote(KEY), "other.csv")
    assert code(get(swapped)) == "SignatureDoesNotMatch"


def test_a_link_ends(server: OssServer, version: str) -> None:
    bucket = connect(server, version)
    bucket.put_object(KEY, DATA)
    url = link(bucket, 60)
    server.clock_offset = 58
    assert get(url).content == DATA
    server.clock_offset = 62
    response = get(url)
    assert (response.status_code, code(response)) == (403, "AccessDenied")
    assert "Request has expired." in response.text


def test_a_link_of_v4_lives_for_seven_days_at_most(server: OssServer) -> None:
    bucket = connect(server, "v4")
    bucket.put_object(KEY, DATA)
    url = link(bucket, 7 * DAY)
    server.clock_offset = 7 * DAY - 2
    assert get(url).content == DATA
    server.clock_offset = 0
    for seconds in (7 * DAY + 1, 0, -5):
        response = get(link(bucket, seconds))
        assert (response.status_code, code(response)) == (400, "InvalidArgument")
        assert "0002-00000232" in response.text
    assert get(link(connect(server, "v1"), 30 * DAY)).content == DATA


def test_a_link_of_v4_is_not_valid_before_it_was_made(server: OssServer) -> None:
    bucket = connect(server, "v4")
    bucket.put_object(KEY, DATA)
    server.clock_offset = -HOUR
    assert code(get(link(bucket))) == "RequestTimeTooSkewed"


def test_a_link_of_v4_without_a_region_is_refused(server: OssServer) -> None:
    """oss2 signs it all the same."""
    assert code(get(link(connect(server, "v4", region=None)))) == "InvalidArgument"


def test_a_link_of_v4_may_bind_headers(server: OssServer) -> None:
    bucket = connect(server, "v4")
    bucket.put_object(KEY, DATA)
    host = {"host": server.endpoint.removeprefix("http://")}
    url = bucket.sign_url("GET", KEY, HOUR, headers=host, additional_headers=["host"])
    assert "x-oss-additional-headers=host" in url
    assert get(url).content == DATA
    assert code(get(url, headers={"Host": "another"})) == "SignatureDoesNotMatch"


def test_a_link_and_a_header_exclude_each_other(server: OssServer, version: str) -> None:
    url = link(connect(server, version))
    assert code(get(url, headers={"Authorization": "OSS a:b"})) == "InvalidArgument"


@pytest.mark.parametrize(
    ("authorization", "date", "want"),
    [
        ("OSS nothing", "", "InvalidArgument"),
        ("Bearer x", "", "InvalidArgument"),
        ("OSS test-id:x", "yesterday", "AccessDenied"),
        ("OSS4-HMAC-SHA256 Signature=1", "", "InvalidArgument"),
        ("OSS4-HMAC-SHA256 Credential=a/b,Signature=1", "20250411T064124Z", "InvalidArgument"),
        ("OSS4-HMAC-SHA256 Credential=a,Signature=1", "soon", "AccessDenied"),
        (
            "OSS4-HMAC-SHA256 Credential=a/20250412/cn-hangzhou/oss/aliyun_v4_request,Signature=1",
            "20250411T064124Z",
            "InvalidArgument",
        ),
        (
            f"{SCOPED},AdditionalHeaders=host;,Signature=1",
            "20250411T064124Z",
            "InvalidArgument",
        ),
        (
            f"{SCOPED},AdditionalHeaders=range,Signature=1",
            "20250411T064124Z",
            "InvalidArgument",
        ),
    ],
)
def test_signatures_without_a_meaning(authorization: str, date: str, want: str) -> None:
    headers = {"authorization": authorization, "x-oss-date": date, "date": date, "host": "h"}
    headers["x-oss-content-sha256"] = "UNSIGNED-PAYLOAD"
    request = parse_target("GET", "/exports/k", headers)
    with pytest.raises(OssError) as caught:
        signer(request, {"test-id": Credentials("test-id", "x")}, REGION, 1744353684.0)
    assert caught.value.code == want


def test_paths_and_queries_are_decoded() -> None:
    request = parse_target("GET", f"/b/{quote(KEY)}?a=1%2B2+3&uploads", {})
    assert (request.bucket, request.key) == ("b", unquote(quote(KEY)))
    assert request.query == {"a": "1+2 3", "uploads": ""}
