"""Workbooks in the styles of the configuration."""

import io
import json
from collections.abc import Iterator

import openpyxl
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(Site(tmp_path_factory.mktemp("site")), with_styles(STYLES)) as started:
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
