from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    FORMAT_EXCEL: _ClassVar[ExportFormat]
    FORMAT_CSV: _ClassVar[ExportFormat]

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_TYPE_UNSPECIFIED: _ClassVar[DataType]
    DATA_TYPE_STRING: _ClassVar[DataType]
    DATA_TYPE_NUMBER: _ClassVar[DataType]
    DATA_TYPE_DATE: _ClassVar[DataType]
    DATA_TYPE_BOOLEAN: _ClassVar[DataType]

class TaskStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_STATUS_UNSPECIFIED: _ClassVar[TaskStatus]
    TASK_STATUS_QUEUED: _ClassVar[TaskStatus]
    TASK_STATUS_PROCESSING: _ClassVar[TaskStatus]
    TASK_STATUS_UPLOADING: _ClassVar[TaskStatus]
    TASK_STATUS_COMPLETED: _ClassVar[TaskStatus]
    TASK_STATUS_FAILED: _ClassVar[TaskStatus]
FORMAT_UNSPECIFIED: ExportFormat
FORMAT_EXCEL: ExportFormat
FORMAT_CSV: ExportFormat
DATA_TYPE_UNSPECIFIED: DataType
DATA_TYPE_STRING: DataType
DATA_TYPE_NUMBER: DataType
DATA_TYPE_DATE: DataType
DATA_TYPE_BOOLEAN: DataType
TASK_STATUS_UNSPECIFIED: TaskStatus
TASK_STATUS_QUEUED: TaskStatus
TASK_STATUS_PROCESSING: TaskStatus
TASK_STATUS_UPLOADING: TaskStatus
TASK_STATUS_COMPLETED: TaskStatus
TASK_STATUS_FAILED: TaskStatus

class ColumnDefinition(_message.Message):
    __slots__ = ("name", "data_type", "width", "format")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    name: str
    data_type: DataType
    width: int
    format: str
    def __init__(self, name: _Optional[str] = ..., data_type: _Optional[_Union[DataType, str]] = ..., width: _Optional[int] = ..., format: _Optional[str] = ...) -> None: ...

class FormatOptions(_message.Message):
    __slots__ = ("csv_delimiter", "csv_encoding", "excel_sheet_name", "excel_start_row", "compression_enabled")
    CSV_DELIMITER_FIELD_NUMBER: _ClassVar[int]
    CSV_ENCODING_FIELD_NUMBER: _ClassVar[int]
    EXCEL_SHEET_NAME_FIELD_NUMBER: _ClassVar[int]
    EXCEL_START_ROW_FIELD_NUMBER: _ClassVar[int]
    COMPRESSION_ENABLED_FIELD_NUMBER: _ClassVar[int]
    csv_delimiter: str
    csv_encoding: str
    excel_sheet_name: str
    excel_start_row: int
    compression_enabled: bool
    def __init__(self, csv_delimiter: _Optional[str] = ..., csv_encoding: _Optional[str] = ..., excel_sheet_name: _Optional[str] = ..., excel_start_row: _Optional[int] = ..., compression_enabled: _Optional[bool] = ...) -> None: ...

class ExportMetadata(_message.Message):
    __slots__ = ("request_id", "format", "filename", "columns", "options")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    format: ExportFormat
    filename: str
    columns: _containers.RepeatedCompositeFieldContainer[ColumnDefinition]
    options: FormatOptions
    def __init__(self, request_id: _Optional[str] = ..., format: _Optional[_Union[ExportFormat, str]] = ..., filename: _Optional[str] = ..., columns: _Optional[_Iterable[_Union[ColumnDefinition, _Mapping]]] = ..., options: _Optional[_Union[FormatOptions, _Mapping]] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class DataBatch(_message.Message):
    __slots__ = ("records", "batch_sequence")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    BATCH_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[Record]
    batch_sequence: int
    def __init__(self, records: _Optional[_Iterable[_Union[Record, _Mapping]]] = ..., batch_sequence: _Optional[int] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ("metadata", "batch")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    metadata: ExportMetadata
    batch: DataBatch
    def __init__(self, metadata: _Optional[_Union[ExportMetadata, _Mapping]] = ..., batch: _Optional[_Union[DataBatch, _Mapping]] = ...) -> None: ...

class ExportResponse(_message.Message):
    __slots__ = ("task_id", "status", "oss_url", "file_size_bytes", "record_count", "progress_percent", "checksum_sha256", "error_message", "error_code", "start_time", "completion_time")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OSS_URL_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    RECORD_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_PERCENT_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_SHA256_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TIME_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    status: TaskStatus
    oss_url: str
    file_size_bytes: int
    record_count: int
    progress_percent: float
    checksum_sha256: str
    error_message: str
    error_code: str
    start_time: int
    completion_time: int
    def __init__(self, task_id: _Optional[str] = ..., status: _Optional[_Union[TaskStatus, str]] = ..., oss_url: _Optional[str] = ..., file_size_bytes: _Optional[int] = ..., record_count: _Optional[int] = ..., progress_percent: _Optional[float] = ..., checksum_sha256: _Optional[str] = ..., error_message: _Optional[str] = ..., error_code: _Optional[str] = ..., start_time: _Optional[int] = ..., completion_time: _Optional[int] = ...) -> None: ...

class TaskStatusRequest(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class TaskStatusResponse(_message.Message):
    __slots__ = ("task_id", "status", "format", "filename", "records_processed", "progress_percent", "oss_url", "file_size_bytes", "error_message", "error_code", "start_time", "completion_time", "estimated_time_remaining")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    RECORDS_PROCESSED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_PERCENT_FIELD_NUMBER: _ClassVar[int]
    OSS_URL_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TIME_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_TIME_REMAINING_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    status: TaskStatus
    format: ExportFormat
    filename: str
    records_processed: int
    progress_percent: float
    oss_url: str
    file_size_bytes: int
    error_message: str
    error_code: str
    start_time: int
    completion_time: int
    estimated_time_remaining: int
    def __init__(self, task_id: _Optional[str] = ..., status: _Optional[_Union[TaskStatus, str]] = ..., format: _Optional[_Union[ExportFormat, str]] = ..., filename: _Optional[str] = ..., records_processed: _Optional[int] = ..., progress_percent: _Optional[float] = ..., oss_url: _Optional[str] = ..., file_size_bytes: _Optional[int] = ..., error_message: _Optional[str] = ..., error_code: _Optional[str] = ..., start_time: _Optional[int] = ..., completion_time: _Optional[int] = ..., estimated_time_remaining: _Optional[int] = ...) -> None: ...
