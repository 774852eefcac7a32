"""Numbers that others have published, to stand beside a study's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainability.errors import StudyError
from trainability.schemes.base import Scheme

QUANTITIES = ("success_rate", "trainable_rate", "born_dead_rate")


@dataclass(frozen=True, kw_only=True)
class Published:
    """Published rates of a scheme over width. They change no number of a study.

    Args:
        source: Where they stand: paper, table or figure.
        quantity: Which rate.
        scheme: Of which initialization, as the study writes it.
        values: Pairs of a width and the rate there.
        n: Networks behind each, None where it was not told.
        differs: How their setting differs from the study's, in words; empty if it does not.

    Raises:
        StudyError: If a rate is none.
    """

    source: str
    quantity: Literal["success_rate", "trainable_rate", "born_dead_rate"]
    scheme: Scheme
    values: tuple[tuple[int, float], ...]
    n: int | None = None
    differs: str = ""

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise StudyError(
                f"quantity must be one of {', '.join(QUANTITIES)}, got {self.quantity!r}"
            )
        object.__setattr__(self, "values", tuple(tuple(pair) for pair in self.values))
        for pair in self.values:
            if len(pair) != 2 or not 0 <= pair[1] <= 1:
                raise StudyError(
                    f"values must be pairs of a width and a rate in [0, 1], got {pair!r}; for "
                    "example values=[(2, 0.355), (3, 0.642)]"
                )
