"""Operations on an upload in parts."""

from itertools import pairwise

from tests.support.oss.errors import OssError
from tests.support.oss.messages import Answer, Node, Request, iso_date, xml_answer
from tests.support.oss.objects import (
    check_body,
    check_overwrite,
    parse,
    properties,
    stored_answer,
)
from tests.support.oss.state import MAX_PART, Bucket, Part, Upload


def initiate(bucket: Bucket, request: Request, now: float) -> Answer:
    """A new upload id."""
    with bucket.lock:
        check_overwrite(bucket, request)
        upload = bucket.open_upload(request.key, properties(request), now)
    named: list[Node] = [("Bucket", bucket.name), ("Key", request.key)]
    return xml_answer(("InitiateMultipartUploadResult", [*named, ("UploadId", upload.upload_id)]))


def upload_part(bucket: Bucket, request: Request, now: float) -> Answer:
    """Store a part; the last one of a number counts."""
    check_body(bucket, request)
    number = request.query["partNumber"]
    if not number.isdigit() or not 1 <= int(number) <= MAX_PART:
        raise OssError("InvalidArgument", "Part number must be an integer between 1 and 10000.")
    etag = request.md5.hex().upper()
    part = Part(int(number), request.body, etag, request.crc64, now)
    with bucket.lock:
        _found(bucket, request).parts[part.number] = part
    return stored_answer(etag, part.crc64, request.md5)


def list_parts(bucket: Bucket, request: Request, now: float) -> Answer:
    """The parts that came, in pages."""
    limit = page_size(request, "max-parts")
    after = _number(request, "part-number-marker", 0)
    with bucket.lock:
        parts = sorted(_found(bucket, request).parts.items())
    rest = [part for number, part in parts if number > after]
    page = rest[:limit]
    nodes: list[Node] = [
        ("Bucket", bucket.name),
        ("Key", request.key),
        ("UploadId", request.query["uploadId"]),
        ("PartNumberMarker", after),
        ("NextPartNumberMarker", page[-1].number if page else 0),
        ("MaxParts", limit),
        ("IsTruncated", str(len(rest) > limit).lower()),
    ]
    return xml_answer(("ListPartsResult", [*nodes, *(_part(each) for each in page)]))


def _part(part: Part) -> Node:
    nodes: list[Node] = [
        ("PartNumber", part.number),
        ("LastModified", iso_date(part.modified)),
        ("ETag", f'"{part.etag}"'),
        ("Size", len(part.data)),
        ("HashCrc64ecma", part.crc64),
    ]
    return ("Part", nodes)


def complete(bucket: Bucket, request: Request, now: float) -> Answer:
    """Make the object of the parts that the document names."""
    with bucket.lock:
        upload = _found(bucket, request)
        check_overwrite(bucket, request)
        made = bucket.close_upload(upload, _chosen(bucket, upload, request), now)
    nodes: list[Node] = [
        ("Location", f"http://{request.headers.get('host', '')}{request.resource}"),
        ("Bucket", bucket.name),
        ("Key", request.key),
        ("ETag", f'"{made.etag}"'),
    ]
    answer = xml_answer(("CompleteMultipartUploadResult", nodes))
    answer.headers |= {"ETag": f'"{made.etag}"', "x-oss-hash-crc64ecma": str(made.crc64)}
    return answer


def abort(bucket: Bucket, request: Request, now: float) -> Answer:
    """Forget the upload and its parts."""
    with bucket.lock:
        del bucket.uploads[_found(bucket, request).upload_id]
    return Answer(204)


def _found(bucket: Bucket, request: Request) -> Upload:
    upload_id = request.query["uploadId"]
    upload = bucket.uploads.get(upload_id)
    if upload is None or upload.key != request.key:
        raise OssError("NoSuchUpload", UploadId=upload_id)
    return upload


def _chosen(bucket: Bucket, upload: Upload, request: Request) -> list[Part]:
    if request.headers.get("x-oss-complete-all", "").lower() == "yes":
        numbers = sorted(upload.parts)
    else:
        numbers = _named(upload, request)
    parts = [upload.parts[number] for number in numbers]
    for part in parts[:-1]:
        if len(part.data) < bucket.min_part_size:
            raise OssError(
                "EntityTooSmall",
                ProposedSize=str(len(part.data)),
                MinSizeAllowed=str(bucket.min_part_size),
                PartNumber=str(part.number),
            )
    return parts


def _named(upload: Upload, request: Request) -> list[int]:
    named = [
        (
            int(text) if (text := each.findtext("PartNumber", "")).isdigit() else 0,
            each.findtext("ETag", "").strip('"'),
        )
        for each in parse(request.body).iter("Part")
    ]
    if not named or any(number < 1 for number, _ in named):
        raise OssError("MalformedXML")
    numbers = [number for number, _ in named]
    if any(first >= second for first, second in pairwise(numbers)):
        raise OssError("InvalidPartOrder", UploadId=upload.upload_id)
    for number, etag in named:
        part = upload.parts.get(number)
        if part is None or part.etag != etag.upper():
            raise OssError("InvalidPart", UploadId=upload.upload_id, PartNumber=str(number))
    return numbers


def page_size(request: Request, name: str) -> int:
    """How many are asked for, at most 1,000. Raises OssError."""
    asked = _number(request, name, 1000 if name != "max-keys" else 100)
    if not 1 <= asked <= 1000:
        raise OssError("InvalidArgument", f"{name} must be between 1 and 1000.", ArgumentName=name)
    return asked


def _number(request: Request, name: str, default: int) -> int:
    value = request.query.get(name) or str(default)
    if not value.isdigit():
        raise OssError("InvalidArgument", f"{name} must be a number.", ArgumentName=name)
    return int(value)
