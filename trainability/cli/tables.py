"""Tables for a terminal of 80 columns: what tells rows apart is never cut, nor are numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from trainability.cli.app import clean


class Column(NamedTuple):
    """A column of a table.

    Args:
        name: Its heading; a line break in it is kept.
        is_text: Whether it holds texts, and not numbers.
        is_whole: Whether its texts are never broken into lines.
    """

    name: str
    is_text: bool = False
    is_whole: bool = False


HASHES = Column("cell", is_text=True, is_whole=True)
"""Ids of cells, where they are asked for."""


def new_table(columns: Sequence[Column]) -> Table:
    """A table without rows."""
    table = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name, is_text, is_whole in columns:
        table.add_column(
            Text(clean(name)),
            justify="left" if is_text else "right",
            overflow="fold",
            no_wrap=is_whole or not is_text,
        )
    return table


def titled(title: str, table: Table) -> Group:
    """A table under its title, which may be wider than it."""
    return Group(Text(f"\n{clean(title)}", style="bold"), table)


def hanging(mark: str, style: str, text: str) -> Table:
    """A mark in some style, and a text behind it, whose lines stand below each other."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_row(Text(clean(mark), style=style), Text(clean(text)))
    return grid
