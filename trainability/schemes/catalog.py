"""Which schemes there are, and how one is read from text."""

from __future__ import annotations

from trainability.catalogs import concrete_types
from trainability.schemes.base import Scheme
from trainability.strategy_text import strategy_from_text


def scheme_types() -> dict[str, type[Scheme]]:
    """Every scheme by its name: those of this folder, and those that a study file defined."""
    return concrete_types("trainability.schemes", Scheme)


def scheme_from_text(text: str) -> Scheme:
    """A scheme from what one writes in a study, without running any code.

    Args:
        text: Such as "He", "He(bias_std=1.0)" or "SignFlipped(He())".

    Raises:
        InputError: If it names no scheme, or a setting that the scheme does not have.

    >>> scheme_from_text("He('uniform', bias_std=1)")
    He(distribution='uniform', bias_std=1.0)
    """
    return strategy_from_text(text, scheme_types, "scheme", "He(bias_std=1.0)")
