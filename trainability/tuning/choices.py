"""Categories that are tuned: activations, schemes, penalties, or plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from trainability.checks import is_int, is_number, plain, shown, size_of
from trainability.errors import refuse
from trainability.tuning.dimensions import Dimension

MOST_VALUES = 1000
_DEEPEST = 3
"""Levels of lists within lists; deeper ones are no data."""


@dataclass(frozen=True)
class Choice(Dimension):
    """One of some values, of which none lies between two others.

    Args:
        values: Two or more, different and written differently: activations, schemes and the
            like, texts, numbers, truth values, None, or widths per layer. 1 and 1.0 are one value.

    >>> Choice(["normal", "uniform"]).at(0.7)
    'uniform'
    """

    values: Sequence[Any]

    is_ordered: ClassVar[bool] = False

    def __post_init__(self) -> None:
        given = self.values
        if not isinstance(given, list | tuple | range) or not 2 <= size_of(given) <= MOST_VALUES:
            wanted = f"a list of two or more values, {MOST_VALUES:,} at most"
            refuse([f"Choice values must be {wanted}, got {shown(given)}"])
        values = [_settled(value) for value in given]
        refuse(_value_problems(values))
        object.__setattr__(self, "values", tuple(values))

    def __str__(self) -> str:
        return f"Choice([{', '.join(map(written, self.values))}])"

    @property
    def ends(self) -> Sequence[Any]:
        return self.values

    def at(self, share: float) -> Any:
        n = len(self.values)
        return self.values[min(max(int(share * n), 0), n - 1)]

    def place(self, value: Any) -> float:
        return (self.values.index(value) + 0.5) / len(self.values)

    def holds(self, value: object) -> bool:
        """Whether a value is one of these; what can't be compared is none."""
        try:
            return _settled(value) in self.values
        except Exception:
            return False

    def grid(self, n: int) -> list[Any]:
        """All values, for nothing lies between them; n is not looked at."""
        return list(self.values)

    def to_data(self, value: Any) -> int:
        """Its number: the declaration holds the values in order."""
        return self.values.index(value)

    def from_data(self, data: Any) -> Any:
        if not is_int(data) or not 0 <= data < len(self.values):
            raise ValueError(f"{data!r} is no number of a value of {self}")
        return self.values[data]

    def text(self, value: Any) -> str:
        return written(value)


def written(value: Any) -> str:
    """A value as tables write it.

    >>> written(None), written("relu"), written(0.10), written((8, 4))
    ('none', 'relu', '0.1', '(8, 4)')
    """
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _settled(value: Any, level: int = 0) -> Any:
    """A value as it is compared: lists as tuples, NumPy's scalars as Python's."""
    if isinstance(value, list | tuple) and level < _DEEPEST:
        return tuple(_settled(entry, level + 1) for entry in value)
    return plain(value)


def _value_problems(values: Sequence[Any]) -> list[str]:
    unusable = [
        f"Choice values must be data that can be compared and written, got {shown(value)}; wanted "
        "frozen dataclasses, tuples, texts or numbers"
        for value in values
        if not _is_usable(value, values[0])
    ]
    unusable += [
        f"Choice values must be finite, got {shown(value)}"
        for value in values
        if isinstance(value, float) and not is_number(value)
    ]
    return unusable or _twice(values)


def _is_usable(value: Any, other: Any) -> bool:
    """Whether a value can be hashed, compared and written, whoever has written it."""
    try:
        hash(value)
        return isinstance(value == other, bool) and bool(written(value))
    except Exception:
        return False


def _twice(values: Sequence[Any]) -> list[str]:
    problems = []
    seen, texts = set(), set()
    for value in values:
        text = written(value)
        if value in seen:
            problems.append(f"Choice holds a value twice: {shown(value)}")
        elif text in texts:
            problems.append(
                f"Choice has different values that are written alike, {text}; give them names or "
                "settings by which they can be told apart"
            )
        seen.add(value)
        texts.add(text)
    return list(dict.fromkeys(problems))
