"""Styles by name: sets of options that make a workbook look one way."""

from collections.abc import Mapping
from typing import Any, Final

STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "plain": {},
    "report": {
        "header_style": {"bold": True, "color": "#FFFFFF", "background": "#1F4E78"},
        "autofilter": True,
        "landscape": True,
        "fit_to_width": True,
        "repeat_header": True,
    },
    "banded": {"table_style": "medium 2", "autofilter": True, "repeat_header": True},
}
"""`plain` is what a workbook looks like whose caller names none."""
