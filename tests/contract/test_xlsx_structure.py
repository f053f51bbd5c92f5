"""A workbook is, part by part, what XlsxWriter writes for the same table and features.

What counts as the same stands in `tests/support/packages.py`. Besides, every workbook keeps the
rules of the format (ECMA-376) of which Excel is known to complain.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pytest
from xlsxwriter.utility import xl_rowcol_to_cell

from exporters import ColumnOptions, InvalidOptions, Workers, XlsxOptions, open_exporter
from tests.support.packages import CONTENT_TYPES, MAIN, REFERENCE, TYPES, WORKBOOK, Package
from tests.support.references import LAST, NAMES, TABLE
from tests.support.workbook_cases import CASES, EVERYTHING, FORMATS, WIDTHS


@pytest.fixture(scope="module")
def written() -> Callable[..., Package]:
    """The package of the table with a case's options."""
    schema = pa.schema([(name, kind) for name, (kind, _values) in TABLE.items()])
    batch = pa.record_batch([pa.array(values, kind) for kind, values in TABLE.values()], schema)

    @lru_cache(None)
    def write(name: str) -> Package:
        options = EVERYTHING if name == "everything" else CASES[name][0]
        formats = FORMATS if name.startswith("formats") else {}
        widths = WIDTHS if name == "widths" else {}
        columns = [
            ColumnOptions(each, format=formats.get(each), width=widths.get(each)) for each in NAMES
        ]
        parsed = XlsxOptions.parse({"column_widths": "none", **options})
        sink = io.BytesIO()
        with (
            Workers(threads=1) as workers,
            open_exporter("xlsx", sink, schema, columns, parsed, workers) as exporter,
        ):
            if not name.endswith("without rows"):
                exporter.write_batch(batch)
        return Package(sink.getvalue())

    return write


Written = Callable[[str], Package]
ALL = [*CASES, "everything"]


@pytest.mark.parametrize("name", CASES)
def test_it_is_what_xlsxwriter_writes(name: str, written: Written) -> None:
    ours, theirs = written(name).normalised(), CASES[name][1]().normalised()
    assert sorted(ours) == sorted(theirs)
    for part in theirs:
        assert ours[part] == theirs[part], part


def _words(text: str) -> list[str]:
    return text.split()


SHEET_SEQUENCE = _words("""
    sheetPr dimension sheetViews sheetFormatPr cols sheetData sheetCalcPr sheetProtection
    protectedRanges scenarios autoFilter sortState dataConsolidate customSheetViews mergeCells
    phoneticPr conditionalFormatting dataValidations hyperlinks printOptions pageMargins pageSetup
    headerFooter rowBreaks colBreaks customProperties cellWatches ignoredErrors smartTags drawing
    legacyDrawing legacyDrawingHF drawingHF picture oleObjects controls webPublishItems tableParts
    extLst
""")
"""CT_Worksheet of ECMA-376 part 1, A.2 (part 4 for transitional files)."""

WORKBOOK_SEQUENCE = _words("""
    fileVersion fileSharing workbookPr workbookProtection bookViews sheets functionGroups
    externalReferences definedNames calcPr oleSize customWorkbookViews pivotCaches
    smartTagPr smartTagTypes webPublishing fileRecoveryPr webPublishObjects extLst
""")
"""CT_Workbook of the same."""


@pytest.mark.parametrize("name", ALL)
def test_elements_stand_in_the_sequence_of_the_schema(name: str, written: Written) -> None:
    package = written(name)
    sequences = {WORKBOOK: WORKBOOK_SEQUENCE} | dict.fromkeys(package.sheets, SHEET_SEQUENCE)
    for part, sequence in sequences.items():
        tags = [each.tag.removeprefix(MAIN) for each in package.root(part)]
        assert tags == sorted(tags, key=sequence.index)
        repeated = {tag for tag in tags if tags.count(tag) > 1}
        assert repeated <= {"conditionalFormatting"}


@pytest.mark.parametrize("name", ALL)
def test_cells_and_rows_stand_in_their_order(name: str, written: Written) -> None:
    package = written(name)
    for part in package.sheets:
        rows = list(package.root(part).iter(f"{MAIN}row"))
        numbers = [int(row.attrib["r"]) for row in rows]
        assert numbers == sorted(set(numbers))
        for row, number in zip(rows, numbers, strict=True):
            places = [cell.attrib["r"] for cell in row]
            columns = [xl_rowcol_to_cell(number - 1, place) for place in range(LAST + 3)]
            assert places == [each for each in columns if each in places]


@pytest.mark.parametrize("name", ALL)
def test_every_relationship_has_its_target_and_is_used(name: str, written: Written) -> None:
    package = written(name)
    for part in [WORKBOOK, *package.sheets]:
        relationships = package.relationships(part)
        inner = [each.target for each in relationships.values() if not each.external]
        assert set(inner) <= set(package.names)
        used = {each.get(REFERENCE) for each in package.root(part).iter()} - {None}
        implied = {
            each for each, found in relationships.items()
            if found.type.rpartition("/")[2] in {"styles", "theme", "sharedStrings"}
        }  # fmt: skip
        assert used | implied == set(relationships)
        assert not used & implied


@pytest.mark.parametrize("name", ALL)
def test_every_part_has_a_content_type_and_is_referred_to(name: str, written: Written) -> None:
    package = written(name)
    assert len(set(package.names)) == len(package.names)
    overrides = [
        each.attrib["PartName"] for each in package.root(CONTENT_TYPES).iter(f"{TYPES}Override")
    ]
    parts = [f"/{each}" for each in package.names if not each.endswith(".rels")]
    parts.remove(f"/{CONTENT_TYPES}")
    assert sorted(overrides) == sorted(parts)
    referring = ["", WORKBOOK, *package.sheets]
    targets = {each.target for part in referring for each in package.relationships(part).values()}
    assert {each.removeprefix("/") for each in parts} <= targets


IDS = {
    "sheet": "sheetId",
    "table": "id",
    "cfRule": "priority",
    "tableColumn": "id",
    "hyperlink": REFERENCE,
}


@pytest.mark.parametrize("name", ALL)
def test_no_two_things_have_one_id(name: str, written: Written) -> None:
    package = written(name)
    tables = [each for each in package.names if each.startswith("xl/tables/")]
    for part in [WORKBOOK, *package.sheets, *tables]:
        for tag, attribute in IDS.items():
            found = [each.get(attribute) for each in package.root(part).iter(f"{MAIN}{tag}")]
            assert len(set(found)) == len(found), tag
    roots = [package.root(each) for each in tables]
    for attribute in ("id", "name", "displayName"):
        assert len({root.get(attribute) for root in roots}) == len(roots)


@pytest.mark.parametrize("name", ALL)
def test_what_is_counted_is_there(name: str, written: Written) -> None:
    package = written(name)
    for part in package.names:
        for element in package.root(part).iter():
            if element.tag != f"{MAIN}sst" and "count" in element.attrib:
                assert int(element.attrib["count"]) == len(element), (part, element.tag)


@pytest.mark.parametrize("name", ALL)
def test_defined_names_are_those_of_their_sheets(name: str, written: Written) -> None:
    root = written(name).root(WORKBOOK)
    sheets = [each.attrib["name"] for each in root.iter(f"{MAIN}sheet")]
    assert len({each.casefold() for each in sheets}) == len(sheets)
    found = [
        (each.attrib["name"], int(each.attrib["localSheetId"]), str(each.text))
        for each in root.iter(f"{MAIN}definedName")
    ]
    assert len({each[:2] for each in found}) == len(found)
    for defined, place, text in found:
        match = re.fullmatch(r"(?:(\w+)|'((?:[^']|'')+)')!(\$[A-Z]+)?\$\d+:(\$[A-Z]+)?\$\d+", text)
        assert match, text
        assert (match[1] or match[2].replace("''", "'")) == sheets[place]
        assert defined in {"_xlnm.Print_Titles", "_xlnm._FilterDatabase"}


@pytest.mark.parametrize("name", ALL)
def test_ranges_end_with_the_rows(name: str, written: Written) -> None:
    """A range may be one row longer only where that row has the totals."""
    package = written(name)
    for part in package.sheets:
        root = package.root(part)
        last = int(list(root.iter(f"{MAIN}row"))[-1].attrib["r"])
        totals = bool(CASES.get(name, [EVERYTHING])[0].get("totals"))
        for tag, attribute in {
            "autoFilter": "ref",
            "conditionalFormatting": "sqref",
            "dataValidation": "sqref",
        }.items():
            for element in root.iter(f"{MAIN}{tag}"):
                assert element.attrib[attribute].rpartition(":")[2][1:] == str(last - totals)


ODD = "\x01"
REFUSED: Sequence[Mapping[str, Any]] = [
    {"title": ODD},
    {"totals_label": ODD},
    {"header_style": {"font": ODD}},
    {"properties": {"author": ODD}},
    {"validations": [{"column": "name", "values": ["x"], "error": ODD}]},
    {"validations": [{"column": "name", "values": ['"' * 128]}]},
    {"validations": [{"column": "name", "values": ["😀" * 128]}]},
    {"validations": [{"column": "name", "values": ["x"], "error": "😀" * 128}]},
    {
        "conditional_formats": [
            {"type": "text", "column": "name", "criteria": "containing", "value": ODD, "style": {}}
        ]
    },
    *(
        {
            "conditional_formats": [
                {"type": "cell", "column": "name", "criteria": "=", "value": value, "style": {}}
            ]
        }
        for value in ("x" * 256, float("nan"), float("inf"))
    ),
]


@pytest.mark.parametrize("options", REFUSED)
def test_what_would_damage_a_workbook_is_refused(options: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidOptions):
        XlsxOptions.parse(options)


@pytest.mark.parametrize("header", ["a\x01b", "a\tb", "_x0041_", "\ufffe"])
def test_a_table_refuses_a_header_of_which_it_cannot_have_a_copy(header: str) -> None:
    schema = pa.schema([(header, pa.string())])
    options = XlsxOptions.parse({"table_style": "light 1"})
    with pytest.raises(InvalidOptions, match="that a table cannot keep"), Workers() as workers:
        open_exporter("xlsx", io.BytesIO(), schema, (), options, workers)


@pytest.mark.parametrize("header", ["it's", "a[b]#", "a\nb", "@x", '"&<'])
def test_a_table_has_totals_under_any_other_header(header: str) -> None:
    batch = pa.record_batch({header: [1, 2], "b": [3, 4]})
    options = {"table_style": "light 1", "totals": {header: "sum"}}
    sink = io.BytesIO()
    with (
        Workers(threads=1) as workers,
        open_exporter(
            "xlsx", sink, batch.schema, (), XlsxOptions.parse(options), workers
        ) as exporter,
    ):
        exporter.write_batch(batch)
    package = Package(sink.getvalue())
    [formula] = package.root("xl/worksheets/sheet1.xml").iter(f"{MAIN}f")
    escaped = re.sub(r"(['#\[\]])", r"'\1", header)
    assert formula.text == f"SUBTOTAL(109,Table1[{escaped}])"
    [first, _] = package.root("xl/tables/table1.xml").iter(f"{MAIN}tableColumn")
    assert first.attrib["name"] == header
