"""Arguments of modules as axes: what a function that builds networks is called with, of which
several values are studied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from math import prod

import pandas as pd

from trainability.checks import is_number
from trainability.columns import COLUMNS
from trainability.findings.labels import setting_text
from trainability.findings.places import NETWORK, width_axis
from trainability.study import AXES, Cell

_TAKEN = {
    "a", "axis", "b", "cell", "count", "curve", "difference", "first", "g", "high", "id", "last",
    "law", "layer", "loss", "low", "lower", "mean", "measure", "median", "moment", "n", "need",
    "p_holm", "p_value", "paired", "place", "places", "q", "quantity", "reason", "samples", "se",
    "share", "sharing", "state", "statistic", "step", "study", "survival", "upper", "value",
    "widths",
}  # fmt: skip
"""Columns of tables beside those of the rows and the rates."""


@dataclass(frozen=True)
class Arguments:
    """The arguments that vary, each as a column; none where networks are what varies.

    They vary if all networks are copies of what one function builds, and if it is called with every
    combination of several values of them. A single one that is no number is another name of the
    network, and left at that.

    Args:
        x: The column of that of numbers along which curves run; None where another axis is, or
            where none has numbers.
        texts: By column and cell, what people read: "skip", "no skip", "width 4".
        numbers: Of the column `x`, by cell.
    """

    x: str | None = None
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        return list(self.texts)

    def on(self, rates: pd.DataFrame) -> pd.DataFrame:
        """The rates with these columns: of words, that of `x` of numbers."""
        columns = {name: rates.index.map(texts) for name, texts in self.texts.items()}
        if self.x is not None:
            columns[self.x] = rates.index.map(self.numbers)
        return rates.assign(**columns)

    def in_words(self, rates: pd.DataFrame, axis: str) -> pd.DataFrame:
        """The rates with one of these columns as people read it."""
        return rates.assign(**{axis: rates.index.map(self.texts[axis])})

    def in_place_of_networks(self, axes: Iterable[str]) -> list[str]:
        """Axes, the networks replaced by what tells them apart."""
        replaced = (self.columns if name == NETWORK and self.texts else [name] for name in axes)
        return list(dict.fromkeys(chain.from_iterable(replaced)))


NO_ARGUMENTS = Arguments()


def arguments(cells: Mapping[str, Cell], rates: pd.DataFrame) -> Arguments:
    """The arguments that vary among some cells.

    Args:
        cells: By id.
        rates: One row per cell, with its identity.
    """
    modules = {name: cell.network for name, cell in cells.items() if cell.network is not None}
    kinds = {(module.name, module.source, *module.arguments) for module in modules.values()}
    if len(modules) < len(cells) or len(kinds) != 1:
        return NO_ARGUMENTS
    given = {name: module.arguments for name, module in modules.items()}
    values = {
        key: list(dict.fromkeys(repr(own[key]) for own in given.values()))
        for key in next(iter(given.values()))
    }
    varying = [key for key, distinct in values.items() if len(distinct) > 1]
    combinations = {tuple(repr(own[key]) for key in varying) for own in given.values()}
    if not varying or len(combinations) < prod(len(values[key]) for key in varying):
        return NO_ARGUMENTS
    numeric = [key for key in varying if all(is_number(own[key]) for own in given.values())]
    along = None
    if numeric and width_axis(rates) == NETWORK:
        along = "width" if "width" in numeric else max(numeric, key=lambda key: len(values[key]))
    if along is None and len(varying) == 1:
        return NO_ARGUMENTS
    columns = {key: _column(key, along, rates) for key in varying}
    return Arguments(
        None if along is None else columns[along],
        {
            column: {name: setting_text(key, own[key]) for name, own in given.items()}
            for key, column in columns.items()
        },
        {} if along is None else {name: own[along] for name, own in given.items()},
    )


def _column(key: str, along: str | None, rates: pd.DataFrame) -> str:
    """A name that no other column of any table has; a width is where widths are."""
    if key == along == "width":
        return key
    taken = {column.name for column in COLUMNS} | {*rates.columns, *AXES} | _TAKEN
    return f"{key} argument" if key in taken else key
