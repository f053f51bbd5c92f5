"""Cells that Excel calculates."""

from dataclasses import dataclass

from exporters.xlsx.markup import Parts, Place, row_then, style_attribute


@dataclass(frozen=True, slots=True)
class FormulaCells:
    """One formula in every row; `pieces` are its XML, parted where the row number stands.

    The value is left empty, so that every reader calculates it.
    """

    style: int
    pieces: tuple[str, ...]

    def parts(self, place: Place) -> Parts:
        """The cells of the formula."""
        begin = f'<c{style_attribute(self.style)} r="{place.letters}'
        texts = ['"><f>' + self.pieces[0], *self.pieces[1:]]
        texts[-1] += "</f><v></v></c>"
        return (begin, *map(row_then, texts))
