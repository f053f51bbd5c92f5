"""Operations that list objects, uploads and buckets."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from tests.support.oss.errors import OssError
from tests.support.oss.messages import Answer, Node, Request, iso_date, xml_answer
from tests.support.oss.multipart import page_size
from tests.support.oss.state import Bucket, StoredObject, Upload

_OWNER: Node = ("Owner", [("ID", "1"), ("DisplayName", "1")])

Place: TypeAlias = tuple[str, str]
"""Where an entry stands: its key, and the upload id of uploads."""


@dataclass
class _Page:
    places: list[Place]
    prefixes: list[str]
    truncated: bool = False
    last: Place = ("", "")


def _page(places: Iterable[Place], request: Request, after: Place, limit: int) -> _Page:
    """One page of the sorted places; what has the delimiter after the prefix is one entry."""
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
    page = _Page([], [])
    for place in sorted(places):
        key = place[0]
        if not key.startswith(prefix):
            continue
        group = _group(key, prefix, delimiter)
        if (group, "") <= after if group else place <= after:
            continue
        if group and group == page.last[0]:
            continue
        if len(page.places) + len(page.prefixes) == limit:
            page.truncated = True
            break
        page.last = (group, "") if group else place
        if group:
            page.prefixes.append(group)
        else:
            page.places.append(place)
    return page


def _group(key: str, prefix: str, delimiter: str) -> str:
    at = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[: at + len(delimiter)] if at >= 0 else ""


class _Spelling:
    """Names in a document, percent-encoded where the request asks for it."""

    def __init__(self, request: Request) -> None:
        self.encoded = request.query.get("encoding-type") == "url"

    def __call__(self, name: str) -> str:
        return quote(name, safe="") if self.encoded else name

    def nodes(self) -> list[Node]:
        return [("EncodingType", "url")] if self.encoded else []


def list_objects(bucket: Bucket, request: Request, now: float) -> Answer:
    """Version 1: the marker is a key."""
    spell, limit = _Spelling(request), page_size(request, "max-keys")
    marker = request.query.get("marker", "")
    page = _objects(bucket, request, marker, limit)
    nodes: list[Node] = [("Marker", spell(marker))]
    if page.truncated:
        nodes.append(("NextMarker", spell(page.last[0])))
    return _listing(bucket, request, page, nodes, owner=True)


def list_objects_v2(bucket: Bucket, request: Request, now: float) -> Answer:
    """Version 2: the token tells nothing."""
    limit, token = page_size(request, "max-keys"), request.query.get("continuation-token", "")
    after = _untoken(token) if token else request.query.get("start-after", "")
    page = _objects(bucket, request, after, limit)
    nodes: list[Node] = [("KeyCount", len(page.places) + len(page.prefixes))]
    if page.truncated:
        nodes.append(("NextContinuationToken", urlsafe_b64encode(page.last[0].encode()).decode()))
    owner = request.query.get("fetch-owner") == "true"
    return _listing(bucket, request, page, nodes, owner=owner)


def _untoken(token: str) -> str:
    try:
        return urlsafe_b64decode(token).decode()
    except ValueError:
        raise OssError("InvalidArgument", "The continuation token is not one of ours.") from None


def _objects(bucket: Bucket, request: Request, after: str, limit: int) -> _Page:
    with bucket.lock:
        places = [(key, "") for key in bucket.objects]
    return _page(places, request, (after, ""), limit)


def _listing(
    bucket: Bucket, request: Request, page: _Page, nodes: list[Node], *, owner: bool
) -> Answer:
    spell = _Spelling(request)
    nodes += [
        ("Name", bucket.name),
        ("Prefix", spell(request.query.get("prefix", ""))),
        ("MaxKeys", page_size(request, "max-keys")),
        ("Delimiter", spell(request.query.get("delimiter", ""))),
        *spell.nodes(),
        ("IsTruncated", str(page.truncated).lower()),
    ]
    held = [(key, bucket.objects.get(key)) for key, _ in page.places]
    nodes += [_object(spell(key), each, owner=owner) for key, each in held if each]
    nodes += [("CommonPrefixes", [("Prefix", spell(each))]) for each in page.prefixes]
    return xml_answer(("ListBucketResult", nodes))


def _object(name: str, each: StoredObject, *, owner: bool) -> Node:
    nodes: list[Node] = [
        ("Key", name),
        ("LastModified", iso_date(each.modified)),
        ("ETag", f'"{each.etag}"'),
        ("Type", each.kind),
        ("Size", len(each.data)),
        ("StorageClass", each.storage_class),
    ]
    return ("Contents", [*nodes, _OWNER] if owner else nodes)


def list_uploads(bucket: Bucket, request: Request, now: float) -> Answer:
    """Uploads that are open, by key and then by age."""
    spell, limit, query = _Spelling(request), page_size(request, "max-uploads"), request.query
    key, upload_id = query.get("key-marker", ""), query.get("upload-id-marker", "")
    with bucket.lock:
        uploads = {(each.key, each.upload_id): each for each in bucket.uploads.values()}
    # Without an upload id the marker is behind all of the key's uploads.
    page = _page(uploads, request, (key, upload_id or "~"), limit)
    nodes: list[Node] = [
        ("Bucket", bucket.name),
        *spell.nodes(),
        ("KeyMarker", spell(key)),
        ("UploadIdMarker", upload_id),
        ("NextKeyMarker", spell(page.last[0]) if page.truncated else ""),
        ("NextUploadIdMarker", page.last[1] if page.truncated else ""),
        ("Delimiter", spell(query.get("delimiter", ""))),
        ("Prefix", spell(query.get("prefix", ""))),
        ("MaxUploads", limit),
        ("IsTruncated", str(page.truncated).lower()),
    ]
    nodes += [_upload(spell, uploads[place]) for place in page.places]
    nodes += [("CommonPrefixes", [("Prefix", spell(each))]) for each in page.prefixes]
    return xml_answer(("ListMultipartUploadsResult", nodes))


def _upload(spell: _Spelling, each: Upload) -> Node:
    nodes: list[Node] = [("Key", spell(each.key)), ("UploadId", each.upload_id)]
    nodes += [("Initiated", iso_date(each.initiated)), ("StorageClass", "Standard")]
    return ("Upload", nodes)


def bucket_nodes(bucket: Bucket, region: str, host: str) -> list[Node]:
    """What is known of the bucket."""
    return [
        ("CreationDate", iso_date(bucket.created)),
        ("ExtranetEndpoint", host),
        ("IntranetEndpoint", host),
        ("Location", f"oss-{region}"),
        ("Name", bucket.name),
        ("Region", region),
        ("StorageClass", "Standard"),
    ]


def bucket_info(bucket: Bucket, region: str, host: str) -> Answer:
    """GetBucketInfo."""
    grant = "public-read" if bucket.public_read else "private"
    nodes = [*bucket_nodes(bucket, region, host), _OWNER]
    nodes += [("DataRedundancyType", "LRS"), ("AccessControlList", [("Grant", grant)])]
    nodes += [("Versioning", "")]
    return xml_answer(("BucketInfo", [("Bucket", nodes)]))


def list_buckets(bucket: Bucket, region: str, host: str) -> Answer:
    """ListBuckets: ours, if there is one."""
    nodes: list[Node] = [("Bucket", bucket_nodes(bucket, region, host))] if bucket.exists else []
    return xml_answer(("ListAllMyBucketsResult", [_OWNER, ("Buckets", nodes)]))
