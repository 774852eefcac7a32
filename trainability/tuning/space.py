"""The space that is searched: which settings vary, and which of them there are given others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainability.tuning.dimensions import Dimension
from trainability.tuning.ranges import Range

Settings = tuple[Any, ...]
"""Values of the settings that vary, in the order of the space; None where a setting is not there:
`scheme.bias_std` of a candidate whose scheme has no such setting."""
_MIDDLE = 0.5
_NONE = -1.0
"""The features of a number and of a category that are not there."""


@dataclass(frozen=True)
class Condition:
    """When a setting is there.

    Args:
        on: The setting that decides.
        values: Its values with which there is this one.
    """

    on: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Space:
    """Dimensions by name, and when each of them is there.

    Args:
        dimensions: By the name of the setting.
        conditions: Of the settings that are not always there.
        categories: Texts of the values of categories, in their order, where they are not those of
            the dimension: without the fields that vary by themselves.
    """

    dimensions: Mapping[str, Dimension]
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return list(self.dimensions)

    @property
    def order(self) -> list[str]:
        """The names, such that what decides of a setting comes before it."""
        return sorted(self.dimensions, key=self._level)

    @property
    def is_categorical(self) -> np.ndarray:
        """bool, shape (d,): whether a setting is one of several, with nothing between them."""
        return np.array([not part.is_ordered for part in self.dimensions.values()], dtype=bool)

    @property
    def children(self) -> set[str]:
        """The settings on which others depend."""
        return {condition.on for condition in self.conditions.values()}

    def is_active(self, name: str, values: Mapping[str, Any]) -> bool:
        """Whether a setting is there, given the values of those before it in `order`."""
        condition = self.conditions.get(name)
        if condition is None:
            return True
        return self.is_active(condition.on, values) and values[condition.on] in condition.values

    def active(self, settings: Settings) -> dict[str, Any]:
        """The settings that are there, by name."""
        values = dict(zip(self.dimensions, settings, strict=True))
        return {name: value for name, value in values.items() if self.is_active(name, values)}

    def settings(self, values: Mapping[str, Any]) -> Settings:
        """The inverse of `active`; values of settings that are not there are dropped."""
        return tuple(
            values[name] if self.is_active(name, values) else None for name in self.dimensions
        )

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether all that is there lies in its dimension."""
        return all(
            not self.is_active(name, values) or part.holds(values[name])
            for name, part in self.dimensions.items()
        )

    def at(self, place: Sequence[float] | np.ndarray) -> Settings:
        """The settings at a point of the unit cube, shape (d,)."""
        parts = zip(self.dimensions.items(), place, strict=True)
        return self.settings({name: part.at(share) for (name, part), share in parts})

    def features(self, settings: Sequence[Settings]) -> np.ndarray:
        """Settings as points, shape (n, d): places in [0, 1], and of a category its own number.

        A number that is not there lies in the middle, a category that is not there is one more.
        """
        rows = [self._features(entry) for entry in settings]
        return np.array(rows, dtype=float).reshape(len(settings), len(self.dimensions))

    def snapped(self, places: np.ndarray) -> np.ndarray:
        """Points of the unit cube, shape (n, d), as features of the settings next to them."""
        parts = self.dimensions
        if not self.conditions and all(map(_is_continuous, parts.values())):
            return places
        rows = []
        for place in places:
            settings = self.at(place)
            values, features = self.active(settings), self._features(settings)
            rows.append(
                [
                    share if name in values and _is_continuous(part) else feature
                    for (name, part), share, feature in zip(
                        parts.items(), place, features, strict=True
                    )
                ]
            )
        return np.array(rows, dtype=float).reshape(places.shape)

    def gaps(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The largest distance along any direction between features, shape (n, m).

        Different categories are 1 apart, as the ends of a range are.
        """
        distance = np.abs(a[:, None] - b[None])
        category = self.is_categorical
        distance[:, :, category] = distance[:, :, category] > 0
        return distance.max(axis=2)

    def to_data(self, settings: Settings) -> list[Any]:
        """Settings as the records of a search hold them."""
        values = self.active(settings)
        return [
            part.to_data(values[name]) if name in values else None
            for name, part in self.dimensions.items()
        ]

    def from_data(self, data: Mapping[str, Any]) -> Settings:
        """The settings of a record, by name.

        Raises:
            ValueError: If there are no such settings.
        """
        values: dict[str, Any] = {}
        for name in self.order:
            if self.is_active(name, values):
                values[name] = self.dimensions[name].from_data(data[name])
        return self.settings(values)

    def texts(self, settings: Settings) -> dict[str, str]:
        """Settings as tables write them, by name; empty where one is not there."""
        values = self.active(settings)
        return {
            name: self.text(name, values[name]) if name in values else ""
            for name in self.dimensions
        }

    def text(self, name: str, value: Any) -> str:
        """A value of a setting as tables write it."""
        part = self.dimensions[name]
        if name in self.categories:
            return self.categories[name][list(part.ends).index(value)]
        return part.text(value)

    def _features(self, settings: Settings) -> list[float]:
        values = self.active(settings)
        absent = [_MIDDLE if part.is_ordered else _NONE for part in self.dimensions.values()]
        parts = zip(self.dimensions.items(), absent, strict=True)
        return [part.place(values[name]) if name in values else no for (name, part), no in parts]

    def _level(self, name: str) -> int:
        condition = self.conditions.get(name)
        return 0 if condition is None else 1 + self._level(condition.on)


def _is_continuous(part: Dimension) -> bool:
    return isinstance(part, Range) and part.step is None
