"""The Blob service of Azure: block blobs of one container.

Blocks that no list has named are `parts`, by the blob that they are for: Azure forgets them after a
week, or when the blob is written; nothing can remove them before.
"""

import xml.etree.ElementTree as ET
from email.parser import BytesParser
from email.utils import formatdate
from itertools import count

from tests.support.clouds.azure_signatures import verify_sas, verify_shared_key
from tests.support.clouds.messages import Answer, Refused, Request, Stored, parse, xml
from tests.support.clouds.server import BUCKET, CloudServer

PAGE = 5000

_KEPT = {
    "x-ms-blob-content-type": "Content-Type",
    "x-ms-blob-content-disposition": "Content-Disposition",
    "x-ms-meta-sha256": "x-ms-meta-sha256",
    "x-ms-access-tier": "x-ms-access-tier",
}


class AzureServer(CloudServer):
    """One container of an account."""

    def __init__(self) -> None:
        super().__init__()
        self._etags = count(0x8DC000000000001)

    def authenticate(self, request: Request) -> None:
        if "sig" in request.query:
            verify_sas(request)
        else:
            verify_shared_key(request)
        if request.bucket != BUCKET:
            raise Refused(404, "ContainerNotFound")

    def perform(self, request: Request) -> Answer:
        match request.method, request.query.get("comp"):
            case "GET", "list" if not request.key:
                return self._list(request)
            case (("GET" | "HEAD"), None):
                return self.stored(request, "BlobNotFound").answer(request)
            case "PUT", None:
                return self._put(request)
            case "PUT", "block":
                return self._block(request)
            case "PUT", "blocklist":
                return self._block_list(request)
            case "DELETE", None:
                self.stored(request, "BlobNotFound")
                del self.objects[request.key]
                return Answer(202)
            case "POST", "batch":
                return self._batch(request)
        raise Refused(400, "UnsupportedQueryParameter")

    def _put(self, request: Request) -> Answer:
        if request.headers.get("x-ms-blob-type") != "BlockBlob":
            raise Refused(400, "InvalidHeaderValue")
        return self._store(request, request.body)

    def _block(self, request: Request) -> Answer:
        blocks = self.parts.setdefault(request.key, {})
        block_id = request.query["blockid"]
        if any(len(each) != len(block_id) for each in blocks):
            raise Refused(400, "InvalidBlobOrBlock")
        blocks[block_id] = request.body
        return Answer(201)

    def _block_list(self, request: Request) -> Answer:
        blocks = self.parts.get(request.key, {})
        wanted = [each.text or "" for each in ET.fromstring(request.body)]
        if not set(wanted) <= blocks.keys():
            raise Refused(400, "InvalidBlockList")
        return self._store(request, b"".join(blocks[each] for each in wanted))

    def _store(self, request: Request, data: bytes) -> Answer:
        headers = {
            ours: request.headers[theirs]
            for theirs, ours in _KEPT.items()
            if theirs in request.headers
        }
        etag = f"{next(self._etags):#X}"
        self.objects[request.key] = Stored(data, etag, {"x-ms-blob-type": "BlockBlob", **headers})
        self.parts.pop(request.key, None)
        return Answer(201, {"ETag": f'"{etag}"', "Last-Modified": formatdate(usegmt=True)})

    def _batch(self, request: Request) -> Answer:
        """Several requests in one; each is signed, and answered, by itself."""
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n"
        parts = BytesParser().parsebytes(head.encode() + request.body).get_payload()
        assert isinstance(parts, list)
        answers = "".join(
            f"--batchresponse\r\nContent-Type: application/http\r\nContent-ID: {part['Content-ID']}"
            f"\r\n\r\n{self._answer_in_batch(part.get_payload(decode=True))}\r\n"
            for part in parts
        )
        headers = {"Content-Type": "multipart/mixed; boundary=batchresponse"}
        return Answer(202, headers, f"{answers}--batchresponse--".encode())

    def _answer_in_batch(self, text: bytes) -> str:
        line, _, rest = text.partition(b"\r\n")
        method, target, _ = line.decode().split()
        asked = parse(method, target, BytesParser().parsebytes(rest).items(), b"")
        try:
            self.authenticate(asked)
            return f"HTTP/1.1 {self.perform(asked).status} Accepted\r\n"
        except Refused as refused:
            return f"HTTP/1.1 {refused.answer.status} Refused.\r\nx-ms-error-code: {refused}\r\n"

    def _list(self, request: Request) -> Answer:
        prefix, marker = request.query.get("prefix", ""), request.query.get("marker", "")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key >= marker)
        blobs = "".join(xml("Blob", self._entry(key)) for key in keys[:PAGE])
        after = keys[PAGE] if len(keys) > PAGE else ""
        inner = xml("Blobs", blobs, is_text=False) + xml("NextMarker", after)
        return Answer(
            200, {"Content-Type": "application/xml"}, xml("EnumerationResults", inner).encode()
        )

    def _entry(self, key: str) -> str:
        stored = self.objects[key]
        fields = {
            "Last-Modified": formatdate(stored.modified, usegmt=True),
            "Etag": stored.etag,
            "Content-Length": str(len(stored.data)),
            "Content-Type": stored.headers.get("Content-Type", ""),
        }
        properties = "".join(xml(name, value) for name, value in fields.items())
        return xml("Name", key) + xml("Properties", properties)
