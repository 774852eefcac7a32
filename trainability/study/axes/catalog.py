"""Which axes there are: a file dropped into the folder is found by itself."""

from __future__ import annotations

from trainability.catalogs import concrete_types
from trainability.study.axes.base import Axis


def axis_types() -> dict[str, type[Axis]]:
    """Every axis by the name of its class."""
    return concrete_types("trainability.study.axes", Axis)


def ordered_axes() -> dict[str, Axis]:
    """Every axis by its name, in the order of the cells: older ones vary more slowly."""
    axes = sorted(
        (kind() for kind in axis_types().values()),
        key=lambda axis: (axis.since, axis.place, axis.name),
    )
    named = {axis.name: axis for axis in axes}
    assert len(named) == len(axes), "two axes of one name"
    return named
