"""What a setting that is tuned may be: the values along one direction of the search space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from trainability.schemes.base import describe


class Dimension(ABC):
    """Values, each with a place in [0, 1]: numbers in their order, or categories in any."""

    is_ordered: ClassVar[bool] = True
    """Whether neighbors are alike: numbers, not categories."""
    log: bool = False
    """Whether equal ratios are equally far apart."""

    @property
    @abstractmethod
    def ends(self) -> Sequence[Any]:
        """The values by which it is checked: the least and the largest, or all categories."""

    @abstractmethod
    def at(self, share: float) -> Any:
        """The value at this share of the way, in [0, 1]; shares beyond are those of the ends."""

    @abstractmethod
    def place(self, value: Any) -> float:
        """Where in [0, 1] a value lies; `at` of it is the value."""

    @abstractmethod
    def holds(self, value: object) -> bool:
        """Whether a value is one of these."""

    def grid(self, n: int) -> list[Any]:
        """At most n values from end to end, in order, none twice."""
        shares = [k / (n - 1) for k in range(n)] if n > 1 else [0.5]
        return list(dict.fromkeys(self.at(share) for share in shares))

    def to_data(self, value: Any) -> Any:
        """A value as the records of a search hold it."""
        return value

    def from_data(self, data: Any) -> Any:
        """The inverse of `to_data`.

        Raises:
            ValueError: If it is none of these values.
        """
        if not self.holds(data):
            raise ValueError(f"{data!r} is not in {self}")
        return data

    def __str__(self) -> str:
        """The dimension as one writes it."""
        return describe(self)

    def text(self, value: Any) -> str:
        """A value as tables write it."""
        return f"{value:g}"
