"""A server that speaks Alibaba OSS's protocol on the loopback, for the real `oss2` client.

    with OssServer(bucket="exports") as server:
        bucket = oss2.Bucket(oss2.AuthV4("test-id", "test-secret"), server.endpoint, "exports",
                             region="cn-hangzhou")
        server.faults.add(Fault(FaultKind.RESET, "UploadPart", part=3, when=When.AFTER_STORING))

Layers: messages < errors, faults, line, signatures, state < operations < connection < server.
It verifies signatures by itself, from Alibaba's documentation: it never imports `oss2`.
"""

from tests.support.oss.errors import OssError
from tests.support.oss.faults import Fault, FaultKind, Faults, When
from tests.support.oss.messages import Asked
from tests.support.oss.server import OssServer
from tests.support.oss.signatures import Credentials
from tests.support.oss.state import Part, StoredObject, Upload

__all__ = [
    "Asked",
    "Credentials",
    "Fault",
    "FaultKind",
    "Faults",
    "OssError",
    "OssServer",
    "Part",
    "StoredObject",
    "Upload",
    "When",
]
