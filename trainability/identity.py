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

VERSION = 4
"""Of what is stored. Raise it by one whenever a column, a setting or an axis is added. 0 are the
files from before files said their version."""

_SINCE = "since"


def younger(default: Any, *, since: int) -> Any:
    """A field of a strategy or a cell that the first release did not have.

    Args:
        default: Its value for all that was stored before; immutable. What it stands for must be
            what older code did.
        since: The `VERSION` that first had it, >= 1.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Momentum:
    ...     rate: float
    ...     nesterov: bool = younger(False, since=1)
    >>> left_out(Momentum(0.1)), left_out(Momentum(0.1, nesterov=True))
    ({'nesterov'}, set())
    """
    assert 1 <= since <= VERSION, f"since {since}: raise VERSION, which is {VERSION}"
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
