"""OSS's errors: the codes with their statuses and messages, and the document that tells them.

The numbers (EC) are those of Alibaba's troubleshooting pages; where none is known to us there is
none in the document.
"""

import base64
from collections.abc import Mapping

from tests.support.oss.messages import Answer, document

_SIGNATURE = "The request signature we calculated does not match the signature you provided."
_UPLOAD = "The specified upload does not exist."

CODES: Mapping[str, tuple[int, str, str]] = {
    "AccessDenied": (403, "You have no right to access this object.", "0003-00000001"),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed size.", ""),
    "EntityTooSmall": (
        400,
        "Your proposed upload smaller than the minimum allowed size.",
        "0042-00000213",
    ),
    "FileAlreadyExists": (409, "The object you specified already exists.", ""),
    "InternalError": (500, "We encountered an internal error. Please try again.", ""),
    "InvalidAccessKeyId": (
        403,
        "The OSS Access Key Id you provided does not exist in our records.",
        "0002-00000902",
    ),
    "InvalidArgument": (400, "An argument is not valid.", ""),
    "InvalidDigest": (400, "The Content-MD5 you specified was invalid.", ""),
    "InvalidPart": (400, "One or more of the specified parts could not be found.", ""),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order.", "0042-00000209"),
    "InvalidRange": (416, "The requested range cannot be satisfied.", ""),
    "InvalidRequest": (400, "The request is not valid.", ""),
    "InvalidSecurityToken": (403, "The security token you provided is invalid.", ""),
    "MalformedXML": (400, "The XML you provided was not well-formed.", ""),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header.", ""),
    "NoSuchBucket": (404, "The specified bucket does not exist.", "0015-00000101"),
    "NoSuchKey": (404, "The specified key does not exist.", "0026-00000001"),
    "NoSuchUpload": (404, f"{_UPLOAD} The upload ID may be invalid, or it was completed.", ""),
    "NotImplemented": (501, "A header or an operation that you asked for is not served.", ""),
    "RequestTimeTooSkewed": (
        403,
        "The difference between the request time and the current time is too large.",
        "0002-00000504",
    ),
    "RequestTimeout": (400, "Your socket connection was not read from or written to in time.", ""),
    "SecurityTokenExpired": (403, "The security token you provided has expired.", ""),
    "ServiceUnavailable": (503, "Please reduce your request rate.", ""),
    "SignatureDoesNotMatch": (
        403,
        f"{_SIGNATURE} Check your key and signing method.",
        "0002-00000040",
    ),
}


class OssError(Exception):
    """A request is refused: `code` says why, `details` are further elements of the document."""

    def __init__(self, code: str, message: str = "", *, ec: str = "", **details: str) -> None:
        self.code = code
        self.status, usual, number = CODES.get(code, (400, code, ""))
        self.message = message or usual
        self.ec = ec or number
        self.details = details
        super().__init__(f"{code}: {self.message}")

    def answer(self, method: str, host: str, request_id: str, server_time: str) -> Answer:
        """The error document; one to HEAD has no body and carries it in a header."""
        named = {"Code": self.code, "Message": self.message, "RequestId": request_id}
        named |= {"HostId": host, **self.details, "ServerTime": server_time}
        if self.ec:
            named["EC"] = self.ec
        body = document(("Error", list(named.items())))
        headers = {"x-oss-ec": self.ec} if self.ec else {}
        if method == "HEAD":
            return Answer(self.status, headers | {"x-oss-err": base64.b64encode(body).decode()})
        return Answer(self.status, headers | {"Content-Type": "application/xml"}, body)
