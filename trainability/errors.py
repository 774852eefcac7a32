"""The few exceptions that a caller may catch.

Every message says three things: what we got, what we wanted, and how to fix it.
Each exception takes one string, so that it survives pickling between workers.
"""

from __future__ import annotations

from collections.abc import Iterable

from trainability.addresses import without_secrets


class TrainabilityError(Exception):
    """Base of everything that this package raises on purpose.

    Messages quote addresses and what libraries say of them; a reader never sees their secrets.
    """

    def __str__(self) -> str:
        return without_secrets(super().__str__())


class InputError(TrainabilityError, ValueError):
    """The user's input can't be used as it is; the command line ends with exit code 2."""


class StudyError(InputError):
    """A study is declared in a way that can't be run."""


class DataError(InputError):
    """A table of data can't be used as it is."""


class StorageError(InputError):
    """The storage can't be read or written as it is."""


class StudyFailed(TrainabilityError):
    """Some cells of a study could not be finished; the command line ends with exit code 1."""


def refuse(problems: Iterable[str], kind: type[InputError] = InputError) -> None:
    """Raise one `kind` that lists every problem; do nothing if there is none."""
    problems = list(problems)
    if len(problems) == 1:
        raise kind(problems[0])
    if problems:
        lines = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(problems, 1))
        raise kind(f"{len(problems)} problems:\n{lines}")
