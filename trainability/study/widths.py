"""Hidden widths: one number for all layers, or a tuple with one number for each.

`8` and `(8, 8)` at depth 3 are one network, and one cell: as 1 and 1.0 are one number, a tuple of
equal numbers is that number. A tuple says how deep its networks are, a number does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from trainability.checks import int_problem, is_int, is_number, plain, shown
from trainability.errors import InputError, refuse

MOST_WIDTH = 1_000_000
MOST_DEPTH = 10_000

Width = int | tuple[int, ...]
"""Neurons of every hidden layer, or of each of them, from the input to the output."""
SHALLOW = 2
"""Depth of a network whose width is a number, where nothing says its depth."""
_WANTED = "an int >= 1, or a tuple with one for each hidden layer, such as (8, 4)"
_NAMED = 3


def width_problems(what: str, value: Any, most: int = MOST_WIDTH) -> list[str]:
    """Empty if a value is a width, or a tuple of them.

    Args:
        what: Begins the message.
        value: To be checked.
        most: Neurons of a layer, at most.
    """
    if value is None or isinstance(value, bool) or is_int(value) or is_number(value):
        return int_problem(what, value, 1, most)
    if not isinstance(value, tuple) or not value:
        meant = (
            f"; did you mean {shown(tuple(value))}?" if isinstance(value, list) and value else ""
        )
        return [f"{what} must be {_WANTED}, got {shown(value)}{meant}"]
    if len(value) >= MOST_DEPTH:
        return [f"{what} must have at most {MOST_DEPTH - 1:,} layers, got {len(value):,}"]
    for entry in value:
        if not is_int(entry) or not 1 <= entry <= most:
            return [
                f"{what} must hold one int from 1 to {most:,} for each hidden layer, such as "
                f"(8, 4), got {shown(entry)} in {shown(value)}"
            ]
    return []


def plain_width(value: Any) -> Any:
    """A width without NumPy's numbers, anything else as it is."""
    return tuple(plain(entry) for entry in value) if isinstance(value, tuple) else plain(value)


def one_width(width: Width) -> Width:
    """A width in its canonical form: a tuple of equal numbers is that number.

    >>> one_width((8, 8)), one_width((8, 4)), one_width(8)
    (8, (8, 4), 8)
    """
    width = plain_width(width)
    return width[0] if isinstance(width, tuple) and len(set(width)) == 1 else width


def own_depth(width: Width, depth: int | None) -> int:
    """The depth that is declared, else that of a width: its layers and the output's.

    >>> own_depth((8, 4), None), own_depth(8, None), own_depth(8, 5)
    (3, 2, 5)
    """
    if depth is not None:
        return depth
    return len(width) + 1 if isinstance(width, tuple) else SHALLOW


def settled_depth(widths: Iterable[Any], depth: int | None) -> int | None:
    """The depth of a declaration: None, for that of each width, only where a width is a tuple."""
    if depth is None and not any(isinstance(width, tuple) for width in widths):
        return SHALLOW
    return depth


def layer_widths(width: Width, depth: int) -> tuple[int, ...]:
    """Neurons of each of the depth - 1 hidden layers.

    Raises:
        InputError: If the width names another number of layers.

    >>> layer_widths(8, 3), layer_widths((8, 4), 3)
    ((8, 8), (8, 4))
    """
    if not isinstance(width, tuple):
        return (width,) * (depth - 1)
    refuse(depth_contradictions([width], [depth]))
    return width


def depth_contradictions(widths: Iterable[Width], depths: Sequence[int | None]) -> list[str]:
    """At most one message: which widths name another number of layers than a depth that is given.

    Args:
        widths: All widths of a grid.
        depths: All depths of it; None for that of each width.
    """
    wrong = [
        f"width {shown(width)} needs depth {len(width) + 1}, got depth {depth}"
        for width, depth in product(widths, depths)
        if isinstance(width, tuple) and depth is not None and len(width) != depth - 1
    ]
    if not wrong:
        return []
    more = f" and {len(wrong) - _NAMED:,} more" if len(wrong) > _NAMED else ""
    return [
        f"{'; '.join(wrong[:_NAMED])}{more}: a tuple has one number for each of the depth - 1 "
        "hidden layers; without a depth every tuple has its own"
    ]


def twice(widths: Iterable[Width], depths: Sequence[int | None]) -> list[str]:
    """At most one message: which widths of a grid are written in two ways.

    Args:
        widths: All widths of a grid, none of them twice.
        depths: All depths of it; None for that of each width.
    """
    first: dict[tuple[Width, int], Width] = {}
    for width, depth in product(widths, depths):
        key = (one_width(width), own_depth(width, depth))
        if first.setdefault(key, width) != width:
            return [
                f"axis width holds a value twice: {shown(first[key])} and {shown(width)} are the "
                f"same networks at depth {key[1]}; keep one of them"
            ]
    return []


def width_from_text(option: str, text: str, most: int) -> Width:
    """A width as the command line writes it: 8, or 8,4 layer by layer.

    Args:
        option: Its name, for messages.
        text: Of it.
        most: Neurons of a layer, at most.

    Raises:
        InputError: If it is none.
    """
    inside = text.strip()
    if inside.startswith("(") and inside.endswith(")"):
        inside = inside[1:-1].strip().removesuffix(",")
    try:
        widths = tuple(int(part) for part in inside.split(","))
    except ValueError:
        widths = ()
    if not widths or not 1 <= min(widths) <= max(widths) <= most or len(widths) >= MOST_DEPTH:
        raise InputError(
            f"{option} must be an int from 1 to {most}, or one for each hidden layer with commas "
            f"such as 8,4, got {shown(text)}"
        )
    return widths if "," in text else next(iter(widths))


def grouped(width: Width) -> str:
    """A width for messages, with commas between thousands.

    >>> grouped(1000), grouped((1000, 4))
    ('1,000', '(1000, 4)')
    """
    return shown(width) if isinstance(width, tuple) else f"{width:,}"
