"""Schedules of faults, for Hypothesis: lists that fall on an upload in parts."""

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.support.oss.faults import Fault, FaultKind, When

UPLOAD_OPERATIONS = ("InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload")

PASSING = (FaultKind.STATUS, FaultKind.RESET, FaultKind.SLOW, FaultKind.TRUNCATED)
"""Kinds after which the same request again may succeed; what it asked for may have been done."""

CORRUPTING = (FaultKind.WRONG_CRC, FaultKind.NO_CRC, FaultKind.BIT_FLIP)
"""Kinds where what is stored, or what is said of it, is not what was sent."""

LASTING = (
    FaultKind.ACCESS_DENIED,
    FaultKind.EXPIRED_TOKEN,
    FaultKind.CLOCK_SKEW,
    FaultKind.NO_SUCH_UPLOAD,
)
"""Kinds that the same request again would not mend, were they not for a number of times."""

_ERRORS = ((500, "InternalError"), (503, "ServiceUnavailable"), (503, "DownloadTrafficRateLimit"))


def fault_schedules(
    kinds: Sequence[FaultKind] = PASSING + CORRUPTING,
    operations: Sequence[str] = UPLOAD_OPERATIONS,
    *,
    parts: int = 5,
    max_faults: int = 4,
    max_times: int = 2,
) -> st.SearchStrategy[list[Fault]]:
    """Up to `max_faults` faults of the kinds, each for up to `max_times` requests.

    None takes longer than 20 ms and none hangs: HANG is drawn with a bound, where it is asked for.
    Faults of UploadPart may be of one part from 1 to `parts`. A list is all that a run needs to
    be repeated: `server.faults.add(*schedule)`.
    """
    return st.lists(_faults(kinds, operations, parts, max_times), max_size=max_faults)


@st.composite
def _faults(
    draw: st.DrawFn, kinds: Sequence[FaultKind], operations: Sequence[str], parts: int, times: int
) -> Fault:
    operation = draw(st.sampled_from(operations))
    part = draw(st.none() | st.integers(1, parts)) if operation == "UploadPart" else None
    kind = draw(st.sampled_from(kinds))
    status, code = draw(st.sampled_from(_ERRORS)) if kind is FaultKind.STATUS else (503, "")
    waits = kind in {FaultKind.HANG, FaultKind.SLOW}
    return Fault(
        kind,
        operation,
        part=part,
        nth=draw(st.integers(1, 1 if part else parts)),
        times=draw(st.integers(1, times)),
        when=draw(st.sampled_from(When)),
        status=status,
        code=code,
        xml=draw(st.booleans()) if kind is FaultKind.STATUS else True,
        seconds=draw(st.sampled_from([0.0, 0.005, 0.02])) if waits else None,
    )
