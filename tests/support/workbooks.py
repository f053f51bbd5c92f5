"""Workbooks in tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Styles:
    """In place of a shell: columns with these styles, none of them a formula."""

    styles: tuple[int, ...]
