"""Operations on one object."""

import base64
import re
from dataclasses import replace
from email.utils import mktime_tz, parsedate_tz
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, ParseError, fromstring

from tests.support.oss.errors import OssError
from tests.support.oss.messages import Answer, Headers, Node, Request, http_date, xml_answer
from tests.support.oss.state import KEPT_HEADERS, Bucket, Properties, StoredObject

_META = "x-oss-meta-"
_CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")


def put_object(bucket: Bucket, request: Request, now: float) -> Answer:
    """Store the body under the key."""
    check_body(bucket, request)
    made = properties(request).object(
        (request.body,), request.crc64, request.md5.hex().upper(), now, "Normal"
    )
    with bucket.lock:
        check_overwrite(bucket, request)
        bucket.objects[request.key] = made
    return stored_answer(made.etag, made.crc64, request.md5)


def stored_answer(etag: str, crc: int, md5: bytes) -> Answer:
    """What tells of bytes that were stored."""
    headers = {"ETag": f'"{etag}"', "x-oss-hash-crc64ecma": str(crc)}
    return Answer(headers=headers | {"Content-MD5": base64.b64encode(md5).decode()})


def properties(request: Request) -> Properties:
    """What the headers say of the object. Raises OssError."""
    headers = request.headers
    storage_class = headers.get("x-oss-storage-class", "Standard")
    if storage_class not in _CLASSES:
        raise OssError("InvalidArgument", f"No such storage class: {storage_class!r}.")
    kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    meta = {n.removeprefix(_META): v for n, v in headers.items() if n.startswith(_META)}
    tags = dict(parse_qsl(headers.get("x-oss-tagging", ""), keep_blank_values=True))
    return Properties(
        {"content-type": "application/octet-stream"} | kept, meta, tags, storage_class
    )


def check_body(bucket: Bucket, request: Request) -> None:
    """The body is not too large, and what Content-MD5 says. Raises OssError."""
    if len(request.body) > bucket.max_put_size:
        raise OssError("EntityTooLarge", MaxSizeAllowed=str(bucket.max_put_size))
    check_digest(request)


def check_digest(request: Request) -> None:
    """The body is what Content-MD5 says, where it says anything. Raises OssError."""
    said = request.headers.get("content-md5")
    if said is not None and said != base64.b64encode(request.md5).decode():
        raise OssError(
            "InvalidDigest", "The Content-MD5 you specified did not match what we received."
        )


def check_overwrite(bucket: Bucket, request: Request) -> None:
    """x-oss-forbid-overwrite. Raises OssError."""
    forbidden = request.headers.get("x-oss-forbid-overwrite", "").lower() == "true"
    if forbidden and request.key in bucket.objects:
        raise OssError("FileAlreadyExists", Key=request.key)


def found(bucket: Bucket, key: str) -> StoredObject:
    """The object. Raises OssError."""
    try:
        return bucket.objects[key]
    except KeyError:
        raise OssError("NoSuchKey", Key=key) from None


def get_object(bucket: Bucket, request: Request, now: float) -> Answer:
    """The bytes, all or a range of them."""
    each = found(bucket, request.key)
    headers = _headers(each) | _overrides(request)
    if _not_modified(each, request.headers):
        return Answer(304, headers)
    limits = _range(request.headers, len(each.data))
    if limits is None:
        return Answer(200, headers, each.data)
    first, last = limits
    headers["Content-Range"] = f"bytes {first}-{last}/{len(each.data)}"
    return Answer(206, headers, each.data[first : last + 1])


def head_object(bucket: Bucket, request: Request, now: float) -> Answer:
    """The headers; the connection keeps the body to itself."""
    each = found(bucket, request.key)
    return Answer(304 if _not_modified(each, request.headers) else 200, _headers(each), each.data)


def get_object_meta(bucket: Bucket, request: Request, now: float) -> Answer:
    """Size, ETag and time only."""
    each = found(bucket, request.key)
    kept = {"ETag", "Last-Modified"}
    headers = {name: value for name, value in _headers(each).items() if name in kept}
    return Answer(200, headers, each.data if request.method == "HEAD" else b"")


def delete_object(bucket: Bucket, request: Request, now: float) -> Answer:
    """204, whether there was one or not."""
    with bucket.lock:
        bucket.objects.pop(request.key, None)
    return Answer(204)


def delete_objects(bucket: Bucket, request: Request, now: float) -> Answer:
    """Delete the keys that the document names."""
    root = parse(request.body)
    keys = [each.findtext("Key", "") for each in root.iter("Object")]
    with bucket.lock:
        for key in keys:
            bucket.objects.pop(key, None)
    quiet = root.findtext("Quiet") == "true"
    deleted: list[Node] = [] if quiet else [("Deleted", [("Key", key)]) for key in keys]
    return xml_answer(("DeleteResult", deleted))


def get_tagging(bucket: Bucket, request: Request, now: float) -> Answer:
    """The tags, as a document."""
    tags = found(bucket, request.key).tags
    nodes: list[Node] = [("Tag", [("Key", key), ("Value", value)]) for key, value in tags.items()]
    return xml_answer(("Tagging", [("TagSet", nodes)]))


def put_tagging(bucket: Bucket, request: Request, now: float) -> Answer:
    """The document's tags take the place of those that were."""
    tags = {
        each.findtext("Key", ""): each.findtext("Value", "")
        for each in parse(request.body).iter("Tag")
    }
    with bucket.lock:
        each = found(bucket, request.key)
        bucket.objects[request.key] = replace(each, tags=tags)
    return Answer(200)


def parse(body: bytes) -> Element:
    """A document that came. Raises OssError."""
    try:
        return fromstring(body)
    except ParseError as error:
        raise OssError("MalformedXML", ErrorDetail=str(error)) from error


def _headers(each: StoredObject) -> dict[str, str]:
    said = {
        name.title() if not name.startswith("x-") else name: v for name, v in each.headers.items()
    }
    own = {
        "ETag": f'"{each.etag}"',
        "Last-Modified": http_date(each.modified),
        "Accept-Ranges": "bytes",
        "x-oss-object-type": each.kind,
        "x-oss-storage-class": each.storage_class,
        "x-oss-hash-crc64ecma": str(each.crc64),
    }
    if each.kind == "Normal":
        own["Content-MD5"] = base64.b64encode(bytes.fromhex(each.etag)).decode()
    if each.tags:
        own["x-oss-tagging-count"] = str(len(each.tags))
    said.pop("x-oss-object-acl", None)
    return said | {_META + name: value for name, value in each.meta.items()} | own


def _overrides(request: Request) -> dict[str, str]:
    asked = {n: v for n, v in request.query.items() if n.startswith("response-") and v}
    headers = {name.removeprefix("response-").title(): value for name, value in asked.items()}
    return {name: value.encode().decode("latin-1") for name, value in headers.items()}


def _not_modified(each: StoredObject, headers: Headers) -> bool:
    if (tag := headers.get("if-none-match")) is not None:
        return tag.strip('"') == each.etag
    since = parsedate_tz(headers.get("if-modified-since", ""))
    return since is not None and int(each.modified) <= mktime_tz(since)


def _range(headers: Headers, size: int) -> tuple[int, int] | None:
    """The first and last byte; None is all of it, as OSS gives where a range reaches too far.

    With `x-oss-range-behavior: standard` it does as HTTP says.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", ""))
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        first, last = max(size - int(match[2]), 0), size - 1
    else:
        first, last = int(match[1]), int(match[2] or size - 1)
    standard = headers.get("x-oss-range-behavior") == "standard"
    if standard and first >= size:
        raise OssError("InvalidRange", ActualObjectSize=str(size))
    if first > last or first >= size or (last >= size and not standard):
        return None
    return first, min(last, size - 1)
