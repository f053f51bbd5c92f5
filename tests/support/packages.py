"""Workbooks as packages of XML parts, brought to a form in which equal meanings are equal values.

What `normalised` takes for the same, because no reader can tell it apart:

- attributes in any order, overrides of content types and relationships in any order;
- `<dimension>`, `spans` and `x14ac:dyDescent`: hints at the size of what follows, which a stream
  does not know;
- shared and inline strings, and with the former the part that holds them;
- the spelling of numbers (`1e300`, `1E+300`, `18.0`);
- `xml:space="preserve"` where a text has nothing to preserve at its edges;
- formats that no cell has, as those of a column of nulls;
- the numbers that refer to formats and relationships, for which these themselves are put.
"""

import io
import posixpath
import zipfile
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
REFERENCE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DESCENT = "{http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac}dyDescent"

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"

WORKBOOK, STYLES, STRINGS = "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"
CONTENT_TYPES = "[Content_Types].xml"
_STRINGS_RELATIONSHIP = "sharedStrings"

Tree = tuple[str, tuple[tuple[str, Any], ...], str, tuple[Any, ...]]
"""An element: its tag, sorted attributes, text and children."""


class Relationship(NamedTuple):
    """What one part says of another, or of an address."""

    type: str
    target: str
    external: bool


class Package:
    """The parts of a workbook."""

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.names = archive.namelist()
            self.parts = {name: archive.read(name) for name in self.names}

    def root(self, name: str) -> ET.Element:
        return ET.fromstring(self.parts[name])

    @property
    def sheets(self) -> list[str]:
        """The parts of the sheets, in their order."""
        relationships = self.relationships(WORKBOOK)
        sheets = self.root(WORKBOOK).iter(f"{MAIN}sheet")
        return [relationships[sheet.attrib[REFERENCE]].target for sheet in sheets]

    def relationships(self, part: str) -> dict[str, Relationship]:
        """What a part refers to, by id; targets within the package are names of parts."""
        directory, name = posixpath.split(part)
        about = posixpath.join(directory, "_rels", f"{name}.rels")
        if about not in self.parts:
            return {}
        return {
            each.attrib["Id"]: _relationship(each, directory)
            for each in self.root(about).iter(f"{PACKAGE}Relationship")
        }

    @cached_property
    def styles(self) -> "Styles":
        return Styles(self.root(STYLES))

    @cached_property
    def strings(self) -> list[ET.Element]:
        if STRINGS not in self.parts:
            return []
        return list(self.root(STRINGS).iter(f"{MAIN}si"))

    def normalised(self) -> dict[str, Any]:
        """Every part but the shared strings; see above."""
        return {name: self._normalised(name) for name in self.names if name != STRINGS}

    def _normalised(self, name: str) -> Any:
        if name.endswith(".rels"):
            directory, part = posixpath.split(name.removesuffix(".rels"))
            part = posixpath.join(posixpath.dirname(directory), part)
            found = self.relationships(part).values()
            return sorted(each for each in found if not each.type.endswith(_STRINGS_RELATIONSHIP))
        if name == CONTENT_TYPES:
            found = [tree(each) for each in self.root(name)]
            return sorted(each for each in found if STRINGS not in str(each))
        if name == STYLES:
            return self.styles.meanings(self._formats_of_cells())
        root = self.root(name)
        relationships = self.relationships(name)
        for element in root.iter():
            self._resolve(element, relationships)
        return tree(root)

    def _formats_of_cells(self) -> set[int]:
        cells = (cell for sheet in self.sheets for cell in self.root(sheet).iter(f"{MAIN}c"))
        return {int(cell.get("s", 0)) for cell in cells}

    def _resolve(self, element: ET.Element, relationships: Mapping[str, Relationship]) -> None:
        """Put what is meant for every reference, and drop what is only a hint."""
        attributes: dict[str, Any] = element.attrib
        if REFERENCE in attributes:
            attributes[REFERENCE] = relationships[attributes[REFERENCE]]
        for name in ("dxfId", "dataDxfId"):
            if name in attributes:
                attributes[name] = self.styles.differences[int(attributes[name])]
        match element.tag.removeprefix(MAIN):
            case "worksheet":
                element[:] = [each for each in element if each.tag != f"{MAIN}dimension"]
            case "row":
                attributes.pop("spans", None)
                attributes.pop(_DESCENT, None)
            case "t" if element.text == (element.text or "").strip():
                attributes.pop(_SPACE, None)
            case "c":
                self._resolve_cell(element, attributes)

    def _resolve_cell(self, cell: ET.Element, attributes: dict[str, Any]) -> None:
        attributes["s"] = self.styles.formats[int(attributes.get("s", 0))]
        value = cell.find(f"{MAIN}v")
        if attributes.get("t") == "s" and value is not None:
            inline = ET.Element(f"{MAIN}is")
            inline.extend(self.strings[int(value.text or "")])
            attributes["t"], cell[:] = "inlineStr", [inline]
        elif "t" not in attributes and value is not None and value.text:
            value.text = repr(float(value.text))


class Styles:
    """The formats of a workbook, each as the trees of what its number stands for."""

    _LISTS = ("numFmts", "fonts", "fills", "borders", "cellXfs", "dxfs")

    def __init__(self, root: ET.Element) -> None:
        self._root = root
        self._codes = {
            each.get("numFmtId"): each.get("formatCode") for each in self._list("numFmts")
        }
        self._named = {
            f"{name}Id": [tree(each) for each in self._list(f"{name}s")]
            for name in ("font", "fill", "border")
        }
        self.formats = [self._format(each) for each in self._list("cellXfs")]
        self.differences = [tree(each, self._code) for each in self._list("dxfs")]

    def meanings(self, used: set[int]) -> tuple[Any, ...]:
        """The formats in no order, those of cells as far as one has them."""
        rest = [tree(each) for each in self._root if each.tag.removeprefix(MAIN) not in self._LISTS]
        return sorted(self.formats[each] for each in used), sorted(self.differences), rest

    def _list(self, name: str) -> list[ET.Element]:
        return list(self._root.iterfind(f"{MAIN}{name}/*"))

    def _format(self, element: ET.Element) -> Tree:
        return tree(element, self._meaning)

    def _meaning(self, name: str, value: str) -> Any:
        return self._named[name][int(value)] if name in self._named else self._code(name, value)

    def _code(self, name: str, value: str) -> Any:
        """A number format's code for its number, unless it is one of Excel's own."""
        return self._codes.get(value, value) if name == "numFmtId" else value


def tree(element: ET.Element, meaning: Any = lambda _name, value: value) -> Tree:
    """An element as a value."""
    attributes = ((name, meaning(name, value)) for name, value in element.attrib.items())
    children = tuple(tree(each, meaning) for each in element)
    return element.tag, tuple(sorted(attributes)), element.text or "", children


def _relationship(element: ET.Element, directory: str) -> Relationship:
    external = element.get("TargetMode") == "External"
    target = element.attrib["Target"]
    if not external:
        target = posixpath.normpath(posixpath.join(directory, target))
    return Relationship(element.attrib["Type"], target, external)
