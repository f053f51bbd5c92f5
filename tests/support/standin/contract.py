"""The messages of the contract, made from its table: no generated code."""

import re
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TABLE: Final = """
ColumnDefinition: 1 name string, 2 data_type int32, 3 width int32, 4 format string
FormatOptions: 1 csv_delimiter string, 2 csv_encoding string, 3 excel_sheet_name string,
    4 excel_start_row int32, 5 compression_enabled bool
ExportMetadata: 1 request_id string, 2 format int32, 3 filename string,
    4 columns repeated ColumnDefinition, 5 options FormatOptions
Record: 1 values repeated string
DataBatch: 1 records repeated Record, 2 batch_sequence int64
ExportRequest: 1 metadata oneof ExportMetadata, 2 batch oneof DataBatch
ExportResponse: 1 task_id string, 2 status int32, 3 oss_url string, 4 file_size_bytes int64,
    5 record_count int64, 6 progress_percent float, 7 checksum_sha256 string,
    8 error_message string, 9 error_code string, 10 start_time int64, 11 completion_time int64
TaskStatusRequest: 1 task_id string
TaskStatusResponse: 1 task_id string, 2 status int32, 3 format int32, 4 filename string,
    5 records_processed int64, 6 progress_percent float, 7 oss_url string, 8 file_size_bytes int64,
    9 error_message string, 10 error_code string, 11 start_time int64, 12 completion_time int64,
    13 estimated_time_remaining int64
"""
"""Enums are int32 here: on the wire they are the same."""

QUEUED, PROCESSING, UPLOADING, COMPLETED, FAILED = range(1, 6)

_PACKAGE: Final = "standin.export"
_Field = descriptor_pb2.FieldDescriptorProto


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="standin/export.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in re.findall(r"(\w+): ((?:[^:]|\n )+)(?=\n\w|\n$)", _TABLE):
        message = file.message_type.add(name=name)
        for number, field, label, kind in re.findall(
            r"(\d+) (\w+) (repeated |oneof )?(\w+)", fields
        ):
            _add(message, int(number), field, label.strip(), kind)
    return file


def _add(
    message: descriptor_pb2.DescriptorProto, number: int, name: str, label: str, kind: str
) -> None:
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if label == "repeated":
        field.label = _Field.LABEL_REPEATED
    if label == "oneof":
        if not message.oneof_decl:
            message.oneof_decl.add(name="payload")
        field.oneof_index = 0
    if kind[0].isupper():
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    else:
        field.type = getattr(_Field, f"TYPE_{kind.upper()}")


_POOL: Final = descriptor_pool.DescriptorPool()
_POOL.Add(_file())


def _message(name: str) -> Any:
    found = _POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    return message_factory.GetMessageClass(found)


ExportRequest: Final = _message("ExportRequest")
ExportResponse: Final = _message("ExportResponse")
TaskStatusRequest: Final = _message("TaskStatusRequest")
TaskStatusResponse: Final = _message("TaskStatusResponse")
