from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from flight_server.links import LinkExpired, LinkInvalid, LinkSigner

BASE = "https://files.example.com/exports"
NOW = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
EXPIRES = NOW + timedelta(hours=1)
SIGNER = LinkSigner(b"k" * 32)


def parts(url: str) -> dict[str, str]:
    """The arguments of `verify`, as a server takes them from a URL."""
    split = urlsplit(url)
    *_, task_id, filename = split.path.split("/")
    query = parse_qs(split.query)
    return {
        "task_id": unquote(task_id),
        "filename": unquote(filename),
        "expires": query["expires"][0],
        "signature": query["signature"][0],
    }


@pytest.mark.parametrize(
    "filename", ["report.csv", "报表.csv", 'a "b" ?c&d#e%2F+.csv', "line\u2028sep.csv"]
)
def test_a_link_is_verified_by_its_signer(filename: str) -> None:
    url = SIGNER.url(BASE, "t1", filename, EXPIRES)
    assert parts(url)["filename"] == filename
    assert SIGNER.verify(**parts(url), now=NOW) == EXPIRES


def test_a_link_has_the_shape_of_the_protocol() -> None:
    url = SIGNER.url(BASE + "/", "t1", "a b.csv", EXPIRES)
    start = f"{BASE}/files/t1/a%20b.csv?expires={int(EXPIRES.timestamp())}&signature="
    assert url.startswith(start)
    assert len(url) == len(start) + 64


def test_another_key_makes_another_signature() -> None:
    url = LinkSigner(b"j" * 32).url(BASE, "t1", "a.csv", EXPIRES)
    with pytest.raises(LinkInvalid):
        SIGNER.verify(**parts(url), now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"task_id": "t2"},
        {"filename": "b.csv"},
        {"expires": str(int(EXPIRES.timestamp()) + 1)},
        {"expires": f"0{int(EXPIRES.timestamp())}"},
        {"expires": f" {int(EXPIRES.timestamp())}"},
        {"expires": "never"},
        {"expires": ""},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "é\ud800" * 32},
    ],
)
def test_a_changed_part_makes_the_link_invalid(change: dict[str, str]) -> None:
    changed = {**parts(SIGNER.url(BASE, "t1", "a.csv", EXPIRES)), **change}
    with pytest.raises(LinkInvalid):
        SIGNER.verify(**changed, now=NOW)


def test_a_signature_holds_in_one_spelling_only() -> None:
    original = parts(SIGNER.url(BASE, "t1", "a.csv", EXPIRES))
    with pytest.raises(LinkInvalid):
        SIGNER.verify(**{**original, "signature": original["signature"].upper()}, now=NOW)


def test_moving_characters_between_parts_makes_the_link_invalid() -> None:
    original = parts(SIGNER.url(BASE, "t1", "1a.csv", EXPIRES))
    with pytest.raises(LinkInvalid):
        SIGNER.verify(**{**original, "task_id": "t11", "filename": "a.csv"}, now=NOW)


def test_a_link_holds_up_to_its_last_second() -> None:
    url = SIGNER.url(BASE, "t1", "a.csv", EXPIRES)
    assert SIGNER.verify(**parts(url), now=EXPIRES) == EXPIRES
    with pytest.raises(LinkExpired, match="2024-05-01 13:00:00 UTC"):
        SIGNER.verify(**parts(url), now=EXPIRES + timedelta(seconds=1))


def test_an_expired_link_with_a_wrong_signature_is_invalid_not_expired() -> None:
    """Otherwise anybody could ask the server about links that it never made."""
    changed = {**parts(SIGNER.url(BASE, "t1", "a.csv", NOW)), "filename": "b.csv"}
    with pytest.raises(LinkInvalid):
        SIGNER.verify(**changed, now=EXPIRES)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="31 bytes; at least 32"):
        LinkSigner(bytes(31))
