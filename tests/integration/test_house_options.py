"""Files as the configuration wants them: workbooks in its styles, CSV with its defaults."""

import io
import json
from collections.abc import Iterator

import openpyxl
import pyarrow as pa
import pytest
from openpyxl.cell import Cell

from export_client import ExportClient
from tests.conftest import StartServer
from tests.support.exports import Put, export, refused
from tests.support.site import Running, Site, running

STYLES = {
    "house": {"header_style": {"color": "#FFFFFF", "background": "#7A1F2B"}, "autofilter": True},
    "plain": {"header_style": {"italic": True}},
}

CSV_DEFAULTS = {"encoding": "utf-8-sig", "formula_guard": "prefix"}

FEEDBACK = pa.record_batch({"text": ["=1+1", "好"]})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    site = Site(tmp_path_factory.mktemp("site"))
    with running(site, with_styles(STYLES), f"csv.defaults={json.dumps(CSV_DEFAULTS)}") as started:
        yield started


def with_styles(styles: object) -> str:
    return f"xlsx.styles={json.dumps(styles)}"


def header(server: Running, **options: object) -> Cell:
    """The first cell of a workbook with these options."""
    task = export(server.client, filename="orders.xlsx", options=options)
    content = server.web.get(task["url"]).content
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    return sheet["A1"]


def test_a_house_style_colours_the_header(server: Running) -> None:
    cell = header(server, style="house")
    assert cell.fill.fgColor.rgb == "FF7A1F2B"
    assert cell.font.color is not None
    assert cell.font.color.rgb == "FFFFFFFF"
    assert cell.parent.auto_filter.ref


def test_what_the_caller_says_goes_before_it(server: Running) -> None:
    cell = header(server, style="house", header_style={"background": "#00FF00"})
    assert cell.fill.fgColor.rgb == "FF00FF00"
    assert cell.parent.auto_filter.ref


def test_who_names_no_style_gets_the_plain_of_the_house(server: Running) -> None:
    assert header(server).font.i
    assert header(server, style="plain").font.i
    assert not header(server, style="report").font.i


def feedback(server: Running, **options: object) -> tuple[bytes, list[str]]:
    """A CSV file with these options, and the codes of its warnings."""
    command = {"filename": "feedback.csv", "options": options}
    put = Put(server.client, command, FEEDBACK.schema)
    put.send_batch(FEEDBACK)
    put.commit()
    task = put.result()
    return server.web.get(task["url"]).content, [each["code"] for each in task["warnings"]]


def test_a_csv_file_is_as_the_house_wants_it(server: Running) -> None:
    content, warnings = feedback(server)
    assert content.decode("utf-8-sig") == '"text"\n"\'=1+1"\n"好"\n'
    assert content.startswith(b"\xef\xbb\xbf")
    assert warnings == ["FORMULAS_GUARDED"]


def test_what_the_caller_says_goes_before_the_defaults(server: Running) -> None:
    content, warnings = feedback(server, formula_guard="off", encoding="gb18030")
    assert content.decode("gb18030") == '"text"\n"=1+1"\n"好"\n'
    assert warnings == []


def test_the_formats_tell_the_defaults_of_the_house(server: Running) -> None:
    with ExportClient(server.flight) as client:
        options = client.formats()["csv"]["options"]
    assert {name: options[name]["default"] for name in CSV_DEFAULTS} == CSV_DEFAULTS


def test_an_unknown_style_is_refused_with_those_there_are(server: Running) -> None:
    command = {"filename": "orders.xlsx", "options": {"style": "huose"}}
    with refused("INVALID_DESCRIPTOR") as refusal:
        Put(server.client, command).answers()
    assert refusal.message == (
        "options.style: 'huose' is not a style; did you mean 'house'?; "
        "there are: banded, house, plain, report"
    )


def test_the_formats_tell_the_styles(server: Running) -> None:
    with ExportClient(server.flight) as client:
        options = client.formats()["xlsx"]["options"]
    assert options["style"]["enum"] == ["banded", "house", "plain", "report"]
    assert options["style"]["default"] == "plain"


def test_the_same_request_in_a_style_that_has_changed_is_another(
    start_server: StartServer,
) -> None:
    """Each start of the server at the same site has a style of its own."""
    command = {"filename": "a.xlsx", "request_id": "again", "options": {"style": "house"}}
    first = export(start_server(with_styles(STYLES)).client, **command)
    same = start_server(with_styles({"house": STYLES["house"]}))
    assert export(same.client, **command)["task_id"] == first["task_id"]
    changed = start_server(with_styles({"house": {"autofilter": True}}))
    with refused("REQUEST_ID_CONFLICT") as refusal:
        Put(changed.client, command).answers()
    assert refusal.task_id == first["task_id"]
