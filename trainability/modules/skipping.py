"""Which parts of a module the user wants left alone."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from trainability.errors import InputError, refuse

Skip = str | type | Sequence[str | type]


def skipped(module: nn.Module, skip: Skip) -> set[str]:
    """Names of the parts that are left alone, and of all that lies in them.

    Args:
        module: The module.
        skip: Names of parts ("head"), patterns of names ("features.*"), or types (nn.LSTM).

    Raises:
        InputError: If an entry is neither, or fits no part.
    """
    entries = [skip] if isinstance(skip, str | type) else list(skip)
    names = {name: part for name, part in module.named_modules() if name}
    chosen: set[str] = set()
    problems = []
    for entry in entries:
        if isinstance(entry, type):
            fitting = {name for name, part in names.items() if isinstance(part, entry)}
        elif isinstance(entry, str):
            fitting = {name for name in names if name == entry or fnmatchcase(name, entry)}
        else:
            raise InputError(
                f"skip must hold names, patterns such as 'head.*' or types such as nn.LSTM, got "
                f"{entry!r}"
            )
        if not fitting:
            shown = entry.__name__ if isinstance(entry, type) else repr(entry)
            problems.append(
                f"skip={shown} fits no part of the module; it has {', '.join(names) or 'none'}"
            )
        chosen |= fitting
    refuse(problems)
    return {
        name
        for name in names
        if any(name == part or name.startswith(f"{part}.") for part in chosen)
    }
