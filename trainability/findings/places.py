"""Where along the horizontal axis a cell lies: at a number, or at the widths of its layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from trainability.findings.labels import short
from trainability.study import AXES, Cell
from trainability.study.network import FULLY_CONNECTED

WIDTHS = "widths"
"""The axis of a study with networks that have no one width: texts, in the order of the study."""

NETWORK = "network"
"""The axis of a study of modules that take no width: texts, in the order of the study."""
TEXTS = (WIDTHS, NETWORK)


def width_axis(rates: pd.DataFrame) -> str:
    """The column that says how wide cells are: `width`, or `widths` if some have no one width.

    That too if every width has a depth of its own: a place is then a shape. Of copies of modules,
    none of which takes a width, `network`.
    """
    if "width" not in rates:  # which it had no need of
        return WIDTHS if WIDTHS in rates else NETWORK
    missing = rates["width"].isna()
    if missing.all() and (rates[NETWORK] != FULLY_CONNECTED).all():
        return NETWORK
    return WIDTHS if missing.any() or _are_shapes(rates["width"], rates["depth"]) else "width"


def _are_shapes(widths: Sequence[Any] | pd.Series, depths: Sequence[Any] | pd.Series) -> bool:
    """Whether several widths have a depth of their own each."""
    if pd.isna(pd.Series(depths)).any():  # of a module, that has none
        return False
    shapes = set(zip(widths, depths, strict=True))
    return len(shapes) > 1 and len(set(widths)) == len(set(depths)) == len(shapes)


def axis_columns(rates: pd.DataFrame, arguments: Sequence[str] = ()) -> list[str]:
    """The columns of the axes, in their order; how wide cells are by `width_axis`.

    Args:
        rates: One row per cell.
        arguments: Columns that stand in place of the networks, if there are any.
    """
    columns = [width_axis(rates) if axis == "width" else axis for axis in AXES]
    if arguments:
        columns = [column for column in columns if column != NETWORK] + list(arguments)
    return [column for column in dict.fromkeys(columns) if column in rates]


def width_texts(cells: Mapping[str, Cell]) -> dict[str, str]:
    """How wide every cell is, as text: one number if it has one width, else those of all layers.

    With cells of several depths, some of which have no one width or, as modules, no depth, those of
    all layers always: the text then says the depth too, as it does where every width has a depth of
    its own. Of copies of a module that takes no width, the module.

    Args:
        cells: By id.
    """
    differ = any(isinstance(cell.width, tuple) for cell in cells.values())
    depths = {cell.depth for cell in cells.values()}
    whole = (differ or None in depths) and len(depths - {None}) > 1
    plain = not differ and all(cell.width is not None for cell in cells.values())
    sizes = [(cell.width, cell.depth) for cell in cells.values()]
    if plain and _are_shapes([width for width, _ in sizes], [depth for _, depth in sizes]):
        return {id_: f"{cell.width}, depth {cell.depth}" for id_, cell in cells.items()}
    texts = {}
    for id_, cell in cells.items():
        of_module = str(cell.network if cell.width is None else cell.width)
        texts[id_] = (
            of_module if cell.network is not None else str(cell.widths if whole else cell.width)
        )
    return texts


def places(rates: pd.DataFrame, x: str) -> list[Any]:
    """All places of the horizontal axis: numbers ascending, texts in the order of the cells.

    Args:
        rates: One row per cell, in the order of the study.
        x: The column along the horizontal axis.
    """
    distinct = list(dict.fromkeys(rates[x]))
    return distinct if x in TEXTS else sorted(distinct)


def place_text(place: Any) -> str:
    """A place of the horizontal axis, for people."""
    return place if isinstance(place, str) else f"{place:g}"


def place_names(ordered: Sequence[Any], x: str) -> dict[Any, str]:
    """What people read in place of a place: of modules what tells them apart.

    Args:
        ordered: All places, from `places`.
        x: The column along the horizontal axis.
    """
    return short(list(map(str, ordered))) if x == NETWORK else {}


def in_order(rates: pd.DataFrame, x: str, ordered: list[Any]) -> pd.DataFrame:
    """The rates with places that are texts as categories, in order, by their names, for figures.

    Args:
        rates: One row per cell.
        x: The column along the horizontal axis.
        ordered: From `places`.
    """
    if x not in TEXTS:
        return rates
    names = place_names(ordered, x)
    values, ordered = ([names.get(at, at) for at in places] for places in (rates[x], ordered))
    return rates.assign(**{x: pd.Categorical(values, ordered, ordered=True)})
