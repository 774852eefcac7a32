"""What tells results apart, and how that grows: settings, axes and columns say since when they are.

Results outlive the code. A setting of a strategy, an axis of a cell or a column of the rows that
is added later is declared with the version since which it exists. At its default it is left out
of ids and random streams, so that everything that was stored before keeps its id; an older file
is filled with the default. What is declared without a version has been there from the beginning,
and is part of every id whatever its value.
"""

from __future__ import annotations

import dataclasses
from typing import Any

_SINCE = "since"


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of the rows.

    Args:
        name: Its name.
        type: Its Arrow type, or Arrow's name of it, such as "float64"; of the entries if it holds
            lists, one per layer or per checkpoint.
        meaning: What it holds, in a sentence.
        least: Least value of it, or of every entry; None for texts and truth values.
        one_of: The texts that it may hold; empty for any.
        nullable: Whether a value may be missing.
        nullable_since: The version since which it may; 0 from the beginning.
        nullable_entries: Whether an entry of a list may be missing.
        same_for_cell: Whether all rows of a cell have the same value: it is identity.
        since: The version since which it exists; 0 from the beginning.
        default: Its value in rows of files that are older.
    """

    name: str
    type: Any
    meaning: str
    least: float | None = None
    one_of: tuple[str, ...] = ()
    nullable: bool = False
    nullable_since: int = 0
    nullable_entries: bool = False
    same_for_cell: bool = False
    since: int = 0
    default: Any = None


def younger(default: Any, *, since: int) -> Any:
    """A field of a strategy or a cell that the first release did not have.

    Args:
        default: Its value for all that was stored before; immutable. What it stands for must be
            what older code did.
        since: The version of stored files, >= 1: of an axis, that of its column; of a setting
            `columns.VERSION` as it is when the setting is added. A setting raises no version, for
            files with it lack nothing, and those of the same version that are older have its
            default.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Momentum:
    ...     rate: float
    ...     nesterov: bool = younger(False, since=1)
    >>> left_out(Momentum(0.1)), left_out(Momentum(0.1, nesterov=True))
    ({'nesterov'}, set())
    """
    assert since >= 1, f"since {since}: what the first release had is declared without a version"
    return dataclasses.field(default=default, metadata={_SINCE: since})


def left_out(value: Any) -> set[str]:
    """Names of the fields of a dataclass that its identity does not mention: younger, at default.

    Args:
        value: An instance of a dataclass.
    """
    return {
        field.name
        for field in dataclasses.fields(value)
        if _SINCE in field.metadata and getattr(value, field.name) == field.default
    }


def younger_fields(value: Any) -> dict[str, Any]:
    """The younger fields of a dataclass that are not at their default, by name."""
    return {
        field.name: getattr(value, field.name)
        for field in dataclasses.fields(value)
        if _SINCE in field.metadata and getattr(value, field.name) != field.default
    }
