"""From a request to its answer: who asks, may they, and which operation it is."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tests.support.oss import listings, multipart, objects
from tests.support.oss.crc64 import crc64
from tests.support.oss.errors import OssError
from tests.support.oss.messages import Answer, Request
from tests.support.oss.signatures import Credentials, signer
from tests.support.oss.state import Bucket

Operation: TypeAlias = Callable[[Bucket, Request, float], Answer]

_OPERATIONS: Mapping[str, Operation] = {
    "AbortMultipartUpload": multipart.abort,
    "CompleteMultipartUpload": multipart.complete,
    "DeleteMultipleObjects": objects.delete_objects,
    "DeleteObject": objects.delete_object,
    "GetObject": objects.get_object,
    "GetObjectMeta": objects.get_object_meta,
    "GetObjectTagging": objects.get_tagging,
    "HeadObject": objects.head_object,
    "InitiateMultipartUpload": multipart.initiate,
    "ListMultipartUploads": listings.list_uploads,
    "ListObjects": listings.list_objects,
    "ListObjectsV2": listings.list_objects_v2,
    "ListParts": multipart.list_parts,
    "PutObject": objects.put_object,
    "PutObjectTagging": objects.put_tagging,
    "UploadPart": multipart.upload_part,
}
_PUBLIC = {"GetObject", "HeadObject", "GetObjectMeta"}
_ANONYMOUS = "Anonymous access is forbidden for this operation."


@dataclass
class Region:
    """A bucket, where it is and who may use it."""

    name: str
    bucket: Bucket
    credentials: dict[str, Credentials] = field(default_factory=dict)

    def answer(self, request: Request, now: float, *, spoiled: bool = False) -> Answer:
        """What OSS answers; where `spoiled`, it stores one wrong bit. Raises OssError."""
        if request.bucket and (request.bucket != self.bucket.name or not self.bucket.exists):
            raise OssError("NoSuchBucket", BucketName=request.bucket)
        caller = signer(request, self.credentials, self.name, now)
        self._authorise(request, caller)
        return self._operate(_spoil(request) if spoiled else request, now)

    def _authorise(self, request: Request, caller: Credentials | None) -> None:
        operation = request.operation
        if caller is None:
            self._authorise_anybody(request)
        elif caller.read_only and not operation.startswith(("Get", "Head", "List")):
            raise OssError("AccessDenied", "You have no right to access this object.")

    def _authorise_anybody(self, request: Request) -> None:
        if request.operation not in _PUBLIC:
            raise OssError("AccessDenied", _ANONYMOUS)
        each = self.bucket.objects.get(request.key)
        acl = each.headers.get("x-oss-object-acl", "default") if each else "default"
        if not (acl.startswith("public-read") or (acl == "default" and self.bucket.public_read)):
            message = "You have no right to access this object because of bucket acl."
            raise OssError("AccessDenied", message)
        if any(name.startswith("response-") for name in request.query):
            raise OssError("InvalidRequest", "Anonymous requests cannot override headers.")

    def _operate(self, request: Request, now: float) -> Answer:
        host = request.headers.get("host", "")
        if request.operation == "ListBuckets":
            return listings.list_buckets(self.bucket, self.name, host)
        if request.operation == "GetBucketInfo":
            return listings.bucket_info(self.bucket, self.name, host)
        try:
            operation = _OPERATIONS[request.operation]
        except KeyError:
            raise OssError("NotImplemented", Method=request.method) from None
        return operation(self.bucket, request, now)


def _spoil(request: Request) -> Request:
    """The request with one bit of its body flipped, after it was received whole."""
    if not request.body:
        return request
    objects.check_digest(request)
    body = bytearray(request.body)
    body[len(body) // 2] ^= 1
    headers = {name: v for name, v in request.headers.items() if name != "content-md5"}
    md5 = hashlib.md5(body).digest()
    return replace(request, headers=headers, body=bytes(body), md5=md5, crc64=crc64(body))
