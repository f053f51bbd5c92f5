"""The XML API of Google Cloud Storage.

Its limits are kept: parts are of 5 MiB but for the last, and numbered to 10,000. Only an object
that came in one request has the MD5 of its bytes for an ETag.
"""

import hashlib
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from itertools import count

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.clouds.gcs_signatures import account, verify_bearer, verify_link
from tests.support.clouds.messages import Answer, Refused, Request, Stored, xml
from tests.support.clouds.server import BUCKET, CloudServer

MIN_PART_SIZE = 5 * 1024**2
MAX_PARTS = 10_000
PAGE = 1000

_KEPT = ("content-type", "content-disposition", "x-goog-meta-sha256", "x-goog-storage-class")


class GcsServer(CloudServer):
    """One bucket of Google's."""

    def __init__(self, key: rsa.RSAPublicKey | None = None) -> None:
        super().__init__()
        self._key = key or account().public_key()
        self._ids = count(1)
        self._begun: dict[str, Request] = {}

    def authenticate(self, request: Request) -> None:
        if "X-Goog-Signature" in request.query:
            verify_link(request, self._key)
        else:
            verify_bearer(request, self._key)
        if request.bucket != BUCKET:
            raise Refused(404, "NoSuchBucket")

    def perform(self, request: Request) -> Answer:
        query = request.query
        match request.method:
            case "GET" if not request.key:
                return self._list(request)
            case "GET" | "HEAD":
                return self.stored(request, "NoSuchKey").answer(request)
            case "POST" if "uploads" in query:
                return self._begin(request)
            case "PUT" if "partNumber" in query:
                return self._part(request)
            case "POST" if "uploadId" in query:
                return self._complete(request)
            case "DELETE" if "uploadId" in query:
                self._upload(request)
                self._forget(query["uploadId"])
                return Answer(204)
            case "PUT" if not query:
                return self._put(request, request.body, hashlib.md5(request.body).hexdigest())
            case "DELETE" if not query:
                self.stored(request, "NoSuchKey")
                del self.objects[request.key]
                return Answer(204)
        raise Refused(501, "NotImplemented")

    def _put(self, request: Request, data: bytes, etag: str) -> Answer:
        headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
        self.objects[request.key] = Stored(data, etag, headers)
        return Answer(200, {"ETag": f'"{etag}"', "x-goog-generation": "1"})

    def _begin(self, request: Request) -> Answer:
        upload_id = f"upload-{next(self._ids)}"
        self._begun[upload_id] = request
        self.parts[upload_id] = {}
        return _xml(xml("InitiateMultipartUploadResult", xml("UploadId", upload_id)))

    def _part(self, request: Request) -> Answer:
        number = int(request.query["partNumber"])
        if not 1 <= number <= MAX_PARTS:
            raise Refused(400, "InvalidArgument")
        self._upload(request)[str(number)] = request.body
        return Answer(200, {"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})

    def _complete(self, request: Request) -> Answer:
        parts = self._upload(request)
        wanted = [
            (each.findtext("{*}PartNumber", ""), each.findtext("{*}ETag", "").strip('"'))
            for each in ET.fromstring(request.body).iterfind("{*}Part")
        ]
        numbers = [int(number) for number, _ in wanted]
        if not wanted or numbers != sorted(set(numbers)):
            raise Refused(400, "InvalidPartOrder")
        if any(hashlib.md5(parts.get(each, b"")).hexdigest() != etag for each, etag in wanted):
            raise Refused(400, "InvalidPart")
        if any(len(parts[number]) < MIN_PART_SIZE for number, _ in wanted[:-1]):
            raise Refused(400, "EntityTooSmall")
        begun = self._begun[request.query["uploadId"]]
        etag = f"of-{len(wanted)}-parts"
        self._put(begun, b"".join(parts[number] for number, _ in wanted), etag)
        self._forget(request.query["uploadId"])
        return _xml(xml("CompleteMultipartUploadResult", xml("ETag", f'"{etag}"')))

    def _upload(self, request: Request) -> dict[str, bytes]:
        upload_id = request.query["uploadId"]
        if upload_id not in self.parts or self._begun[upload_id].key != request.key:
            raise Refused(404, "NoSuchUpload")
        return self.parts[upload_id]

    def _forget(self, upload_id: str) -> None:
        del self.parts[upload_id], self._begun[upload_id]

    def _list(self, request: Request) -> Answer:
        query = request.query
        after = query.get("continuation-token", "")
        keys = sorted(
            key for key in self.objects if key.startswith(query.get("prefix", "")) and key > after
        )
        page = keys[:PAGE]
        inner = "".join(xml("Contents", self._entry(key)) for key in page)
        if len(keys) > PAGE:
            inner += xml("NextContinuationToken", page[-1])
        return _xml(xml("ListBucketResult", xml("Prefix", query.get("prefix", "")) + inner))

    def _entry(self, key: str) -> str:
        stored = self.objects[key]
        modified = datetime.fromtimestamp(stored.modified, UTC).isoformat(timespec="milliseconds")
        fields = {"Key": key, "LastModified": modified, "ETag": f'"{stored.etag}"'}
        fields["Size"] = str(len(stored.data))
        return "".join(xml(name, value) for name, value in fields.items())


def _xml(text: str) -> Answer:
    return Answer(200, {"Content-Type": "application/xml"}, text.encode())
