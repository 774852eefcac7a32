"""What axes make of a cell's parts: of each as it is declared, what networks are trained with."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from trainability.identity import younger
from trainability.study.axes import AXIS, Axes, Axis

T = TypeVar("T")

PARTS = ("task", "scheme", "activation", "loss", "penalty", "optimizer")
"""Parts of a cell that an axis may change, by its method `change_...`."""
CHANGING: dict[str, list[Axis]] = {
    part: [
        axis
        for axis in AXIS.values()
        if getattr(type(axis), f"change_{part}") is not getattr(Axis, f"change_{part}")
    ]
    for part in PARTS
}
"""By part, the axes that may change it."""
_DECLARED_AS = "declared_as"
"""Attribute of what an axis has made: what that was made from."""
_MADE: WeakValueDictionary[tuple[Any, ...], Any] = WeakValueDictionary()
"""So that cells with one task and one noise have one task, whose data are built once while any
of these cells lives."""


def with_axes(kind: type[T]) -> type[T]:
    """A declaration with a field for each axis that it has none for; below its `@dataclass`.

    So an axis that is a file alone is given, read, replaced and left out at its default as all are.
    """
    fields = vars(kind)["__annotations__"]
    for axis in AXIS.values():
        if axis.name in Axes.__annotations__:
            assert axis.name in fields, f"{kind.__name__} has no field {axis.name}"
        else:
            taken = axis.name in fields or hasattr(kind, axis.name)
            assert not taken, f"{kind.__name__} has a {axis.name}: give the axis another name"
            fields[axis.name] = "Any"
            setattr(kind, axis.name, younger(axis.default, since=axis.since))
    return kind


def settle_axes(instance: Any, names: Iterable[str]) -> None:
    """Give the values of some axes their canonical form; in a declaration's `__post_init__`."""
    for name in names:
        object.__setattr__(instance, name, AXIS[name].settled(getattr(instance, name)))


@cache
def further_axes(kind: Any) -> tuple[str, ...]:
    """The axes that a dataclass has fields of by `with_axes`, in their order."""
    fields = kind.__dataclass_fields__
    return tuple(name for name in AXIS if name in fields and fields[name].type == "Any")


def declared(value: Any) -> Any:
    """A part of a cell as a study declares it, whatever axes have made of it."""
    return getattr(value, "__dict__", {}).get(_DECLARED_AS, value)


def changed(part: str, value: Any, cell: Any) -> Any:
    """What networks of a cell are drawn or trained with.

    Args:
        part: One of `PARTS`.
        value: The part, as it is declared or as it was changed before.
        cell: For the values of the axes.
    """
    value = declared(value)
    values = [(axis, getattr(cell, axis.name)) for axis in CHANGING[part]]
    values = [(axis, own) for axis, own in values if own != axis.default]
    if not values:
        return value
    key = (part, id(value), *((axis.name, repr(own)) for axis, own in values))
    if (made := _MADE.get(key)) is not None:
        return made
    made = value
    for axis, own in values:
        made = getattr(axis, f"change_{part}")(made, own)
    if made is value:
        return value
    assert made is not None, f"{part} was changed to None, which can't say what it was"
    made = copy.copy(made)  # perhaps a constant of somebody's, which must stay what it is
    object.__setattr__(made, _DECLARED_AS, value)
    _MADE[key] = made
    return made
