"""docs/grpc.md and the door say the same."""

import re

from flight_server.errors import ErrorCode
from flight_server.transports import export_pb2 as pb
from flight_server.transports.errors import GRPC_STATUSES
from tests.project.test_documents import ROOT

PAGE = (ROOT / "docs" / "grpc.md").read_text()


def test_each_listed_code_has_the_status_that_it_is_listed_under() -> None:
    rows = re.findall(r"^\| ([A-Z_]+) \| (`.+) \|$", PAGE, re.MULTILINE)
    listed = {code: status for status, codes in rows for code in re.findall(r"`([A-Z_]+)`", codes)}
    assert listed == {code: GRPC_STATUSES[ErrorCode(code)] for code in listed}
    # The rest needs authentication, or typed columns, which this contract has not.
    left = set(ErrorCode) - set(listed)
    assert left <= {
        "INVALID_SCHEMA",
        "UNSUPPORTED_TYPE",
        "ROW_COUNT_MISMATCH",
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
        "RATE_LIMITED",
    }


def test_every_option_of_the_contract_is_explained() -> None:
    for field in pb.FormatOptions.DESCRIPTOR.fields:
        assert f"| `{field.name}` |" in PAGE


def test_every_data_type_is_explained() -> None:
    for name in dict(pb.DataType.items()):
        if name != "DATA_TYPE_UNSPECIFIED":
            assert f"| {name.removeprefix('DATA_TYPE_')} |" in PAGE


def test_every_method_is_listed() -> None:
    [service] = pb.DESCRIPTOR.services_by_name.values()
    for method in service.methods:
        assert f"| `/{service.full_name}/{method.name}` |" in PAGE
