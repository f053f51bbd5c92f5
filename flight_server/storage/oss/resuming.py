"""Going on with an upload that an earlier process began."""

import hashlib
from pathlib import Path

from flight_server.storage.faults import NO_SUCH_UPLOAD, Fault
from flight_server.storage.oss.body import FileBody
from flight_server.storage.oss.plan import Part, PartPlan
from flight_server.storage.oss.record import UploadRecord
from flight_server.storage.oss.transfer import Parcel, Sent, Transfer, Uplink


def resumed(uplink: Uplink, parcel: Parcel, record: UploadRecord, size: int) -> Transfer | None:
    """The transfer that `record` speaks of, with the parts that are there and right.

    None where OSS knows it no more. A part counts if its size is the planned one and its ETag the
    MD5 of these bytes in the spool; all others are sent again. Raises Fault.
    """
    upload_id = record.upload_id
    if upload_id is None:
        return None
    try:
        there = uplink.patience.insist(lambda: uplink.client.parts(parcel.key, upload_id))
    except Fault as fault:
        if fault.code == NO_SUCH_UPLOAD:
            return None
        raise
    etags = {(part.number, part.size): part.etag.strip('"') for part in there}
    planned = {(part.number, part.size): part for part in PartPlan(record.part_size).rest(size)}
    common = sorted(etags.keys() & planned.keys())
    read = (_read(parcel.spool, planned[each], etags[each]) for each in common)
    return Transfer(
        uplink, parcel, record.part_size, upload_id, (sent for sent in read if sent is not None)
    )


def _read(spool: Path, part: Part, etag: str) -> Sent | None:
    """`part` as it is in the spool; None if OSS has other bytes."""
    md5 = hashlib.md5(usedforsecurity=False)  # the ETag of OSS
    with FileBody(spool, part.offset, part.size) as body:
        for chunk in body:
            md5.update(chunk)
        return Sent(part, etag, body.crc) if md5.hexdigest() == etag.lower() else None
