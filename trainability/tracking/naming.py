"""What MLflow calls a study's cells: names that fit a column, and keys that MLflow allows."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from trainability.findings.labels import short
from trainability.study import AXES, Study
from trainability.study.cell import Cell

_FORBIDDEN = re.compile(r"[^\w.-]+")
"""What MLflow refuses in the key of a metric, on any system."""
_LONGEST = 150
"""Characters of a series in a key; a key may have 250."""


class Names:
    """Names of a study's cells, short where the study's axes tell them apart.

    A cell belongs to a *series*: all cells that differ in their width alone. Each is a curve of
    the study's main figure.

    Args:
        study: The study.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._short = {
            axis: short(list(dict.fromkeys(_written(value) for value in study.axes[axis])))
            for axis in AXES
            if axis in study.axes and axis != "width"
        }
        cells = study.cells()
        widths = [cell.width for cell in cells if isinstance(cell.width, int)]
        self._digits = max(2, *(len(str(width)) for width in [0, *widths]))
        self._keys = _distinct_keys(list(dict.fromkeys(self.series(cell) for cell in cells)))

    def run(self, cell: Cell) -> str:
        """The name of a cell's MLflow run, such as `w02 UnitSphere`; by name is by width."""
        if cell.width is None:  # of copies of a module that takes none
            return self.series(cell)
        if isinstance(cell.width, int):
            width = f"{cell.width:0{self._digits}}"
        else:
            width = "-".join(map(str, cell.width))
        return f"w{width} {self.series(cell)}"

    def series(self, cell: Cell) -> str:
        """The scheme, and every other axis but the width that tells cells apart."""
        parts = [self._value("scheme", cell)]
        parts += [self._value(axis, cell) for axis in AXES if self._tells_apart(axis, cell)]
        return ", ".join(parts)

    def key(self, cell: Cell) -> str | None:
        """The series as part of a metric's key; None of a cell that is in no declared series."""
        return self._keys.get(self.series(cell))

    @property
    def declared(self) -> list[str]:
        """All series of the study as it is declared, in its order."""
        return list(self._keys)

    @property
    def keys(self) -> list[str]:
        """Those of all declared series, in the order of the study."""
        return list(self._keys.values())

    def _tells_apart(self, axis: str, cell: Cell) -> bool:
        if axis in ("scheme", "width"):
            return False
        if axis in self._short:
            return len(self._short[axis]) > 1
        declared = getattr(self._study, axis)
        if axis in ("depth", "tolerance") and declared is None:  # follows from other values
            return False
        return cell.declared(axis) != declared

    def _value(self, axis: str, cell: Cell) -> str:
        written = _written(cell.declared(axis))
        texts = self._short.get(axis, {})
        value = texts[written] if written in texts else short([written])[written]
        value = value.removesuffix("()")
        return value if value[:1].isalpha() else f"{axis.replace('_', ' ')} {value}"


def _written(value: Any) -> str:
    return "none" if value is None else str(value)


def _distinct_keys(series: list[str]) -> dict[str, str]:
    """A key for every series; two that MLflow would write alike get some digits of a hash."""
    keys = {name: _FORBIDDEN.sub(" ", name).strip() for name in series}
    taken = list(keys.values())
    for name, key in keys.items():
        if len(key) > _LONGEST or taken.count(key) > 1:
            digits = hashlib.sha256(name.encode()).hexdigest()[:8]
            keys[name] = f"{key[:_LONGEST].strip()} {digits}"
    return keys
