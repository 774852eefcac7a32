"""The checks of values, once: what a value must be, how it is shown, and its canonical form.

A check gives a list of messages for `errors.refuse`, empty if nothing is wrong. Limits follow from
what the rows and the random streams can hold and what memory can: a value that passes here is one
that everything behind can use. No check trusts a value: its `repr`, `len` or `==` may fail.
"""

from __future__ import annotations

import dataclasses
import math
import re
import reprlib
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

LARGEST_INT = 2**63 - 1
"""What a column of 64-bit integers holds, and the seed column is one."""
MOST_POINTS = 1_000_000
MOST_NUMBERS = 2**27
"""Of an array of data, 1 GiB in float64."""
LARGEST = 1e37
SMALLEST = 1e-37
"""Sizes of settings that float32, in which networks are trained, holds with room for sums."""
_MOST_TEXT = 1000
_SHOWN = 200
_MOST_NESTED = 12

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 120
_short.maxlist = _short.maxtuple = _short.maxdict = 8
_short.maxlong = 40
_short.maxlevel = 4


def shown(value: Any) -> str:
    """A value for a message: at most some 200 characters, whatever the value's `repr` does.

    >>> shown(10**400)
    '100000000000000000...0000000000000000000'
    """
    try:
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4000:
            return f"an int of {value.bit_length():,} bits"
        text = repr(value) if isinstance(value, type) else _short.repr(value)
    except Exception:
        text = f"a {type(value).__name__} whose repr fails"
    text = text if isinstance(text, str) else type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """How many of something there are.

    Args:
        n: How many.
        noun: What one of them is called.
        plural: What several are called; default: the noun with an s.

    >>> counted(1, "cell"), counted(2048, "cell"), counted(0, "missing value")
    ('1 cell', '2,048 cells', '0 missing values')
    """
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def reason(error: BaseException) -> str:
    """Kind and message of an error of somebody else's, a few lines at most."""
    try:
        text = str(error)
    except Exception:
        text = "an error that can't be written"
    return f"{type(error).__name__}: {text[:_MOST_TEXT]}" if text else type(error).__name__


def _numpy(*names: str) -> tuple[type, ...]:
    """Kinds of NumPy's scalars; none before NumPy is loaded, for no value can be one of them then.

    So what is refused before it comes to numbers, such as a study that there is not, is refused
    without it: it takes as long to load as all else that such a command needs.
    """
    numpy = sys.modules.get("numpy")  # perhaps still being loaded, by another thread
    return tuple(kind for name in names if (kind := getattr(numpy, name, None)) is not None)


def _is_bool(value: Any) -> bool:
    return isinstance(value, (bool, *_numpy("bool_")))


def size_of(values: Collection[Any]) -> int:
    """How many values there are; the largest int for a range that `len` can't count."""
    try:
        return len(values)
    except OverflowError:
        return LARGEST_INT


def is_int(value: Any) -> bool:
    """Whether a value is a whole number, NumPy's kinds included; True and False are none."""
    return isinstance(value, (int, *_numpy("integer"))) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number that a float holds; True and False are none."""
    kinds = (int, float, *_numpy("integer", "floating"))
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def int_problem(
    what: str, value: Any, least: int, most: int = LARGEST_INT, *, optional: bool = False
) -> list[str]:
    """Empty if `value` is an int from `least` to `most`, or None where it is optional.

    `what` begins the message.
    """
    if value is None:
        if optional:
            return []
        return [f"{what} must be an int >= {least}, got None"]
    wanted = "None or an int" if optional else "an int"
    if not is_int(value) or value < least:
        return [f"{what} must be {wanted} >= {least}, got {shown(value)}"]
    if value > most:
        return [f"{what} must be {wanted} from {least} to {most:,}, got {shown(value)}"]
    return []


def count_problem(
    owner: str, name: str, value: Any, least: int = 1, most: int = LARGEST_INT
) -> list[str]:
    """Empty if the argument `name` of `owner` is an int from `least` to `most`."""
    return int_problem(f"{owner} {name}", value, least, most)


def number_problem(
    owner: str,
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
) -> list[str]:
    """A list with the one thing wrong with a numeric setting, or an empty list.

    Settings meet float32, so that beside its bounds a setting must be at most 1e37 in size, and
    one that must be above 0 at least 1e-37.
    """
    what = f"{owner} {name}".strip()
    bound = ""
    if above is not None:
        bound = f" > {above:g}"
    elif at_least is not None:
        bound = f" >= {at_least:g}"
    ok = (
        is_number(value)
        and (above is None or value > above)
        and (at_least is None or value >= at_least)
    )
    if not ok:
        return [f"{what} must be a finite number{bound}, got {shown(value)}"]
    if abs(value) > LARGEST or (above == 0 and value < SMALLEST):
        return [
            f"{what} must be a finite number{bound} that float32 holds, {SMALLEST:g} to "
            f"{LARGEST:g} in size, got {shown(value)}"
        ]
    return []


def bool_problem(owner: str, name: str, value: Any) -> list[str]:
    """Empty if a setting is True or False."""
    if _is_bool(value):
        return []
    return [f"{f'{owner} {name}'.strip()} must be True or False, got {shown(value)}"]


def choice_problem(owner: str, name: str, value: Any, allowed: Collection[object]) -> list[str]:
    """Empty if a setting is one of the allowed texts or numbers."""
    if isinstance(value, str | int | float | None) and value in allowed:
        return []
    wanted = " or ".join(repr(entry) for entry in allowed)
    return [f"{f'{owner} {name}'.strip()} must be {wanted}, got {shown(value)}"]


def text_problem(what: str, value: Any, example: str, most: int = _MOST_TEXT) -> list[str]:
    """Empty if a value is a text that people can read and every file can hold."""
    if not isinstance(value, str) or not value.strip():
        return [f"{what} must be a text such as {example}, got {shown(value)}"]
    if len(value) > most:
        return [f"{what} must have at most {most:,} characters, got {len(value):,}"]
    # Half a surrogate pair can't be written; control characters act on a terminal.
    if re.search("[\ud800-\udfff]", value) or re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", value):
        return [f"{what} must hold no control characters, got {shown(value)}"]
    return []


_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")
"""Names that a file can't have on Windows."""


def name_problem(what: str, value: Any, most: int = 200) -> list[str]:
    """Empty if a value can name a folder on every storage, and needs no quoting anywhere."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
        return [
            f"{what} must be lower-case letters, digits, _ and -, got {shown(value)}: it names "
            "the folder on storage"
        ]
    if len(value) > most or _RESERVED.fullmatch(value):
        return [
            f"{what} must have at most {most} characters and be none of Windows' own names, such "
            f"as con, got {shown(value)}: it names the folder on storage"
        ]
    return []


def canonical_setting(field: dataclasses.Field, value: Any) -> Any:
    """A setting as identity writes it: one number, one way.

    NumPy's scalars become Python's. In a field that is declared float an int becomes a float and
    -0.0 becomes 0.0; everything else stays as it is written, so that no id changes.
    """
    value = plain(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and _is_float(field):
        try:
            return float(value) + 0.0
        except OverflowError:
            return value
    return value


def plain(value: Any) -> Any:
    """A NumPy scalar as Python's, anything else as it is."""
    return value.item() if isinstance(value, _numpy("generic")) else value


def settle_fields(instance: Any) -> None:
    """Give the fields of a frozen dataclass their canonical form; in its `__post_init__`."""
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        canonical = canonical_setting(field, value)
        if canonical is not value:
            object.__setattr__(instance, field.name, canonical)


def _is_float(field: dataclasses.Field) -> bool:
    """Whether a field is declared float, or float or None, and not also int."""
    kind = field.type
    parts = kind.split("|") if isinstance(kind, str) else [kind]
    names = {part.strip() if isinstance(part, str) else str(part) for part in parts}
    if not isinstance(kind, str):
        names = {"float"} if kind is float else set(re.findall(r"\w+", str(kind)))
    optional = {"Optional[float]", "typing.Optional[float]", "t.Optional[float]"}
    return bool(names & ({"float"} | optional)) and "int" not in names


def strategy_problems(what: str, strategy: Any) -> list[str]:
    """What is wrong with a scheme, task, optimizer or the like, whoever has written it.

    Its settings must be data that JSON can hold, for they are its identity; functions are left out
    of it. Its text must be there, for it is a column of the rows.
    """
    if not dataclasses.is_dataclass(strategy) or isinstance(strategy, type):
        return [
            f"{what} must be a frozen dataclass, got {shown(strategy)}; write "
            "@dataclass(frozen=True) above its class"
        ]
    owner = type(strategy).__name__
    problems = []
    for field in dataclasses.fields(strategy):
        if not field.init:
            continue
        value = getattr(strategy, field.name, None)
        if _is_bool(value) and _is_float(field):
            problems.append(f"{owner} {field.name} must be a number, got {shown(value)}")
        problems += _data_problems(f"{owner} {field.name}", value, 0)
    if problems:
        return problems
    try:
        text = str(strategy)
    except Exception as error:
        return [f"{what} can't be written as a text: {reason(error)}"]
    return text_problem(f"the text of {what}", text, "He()", most=20_000)


def _data_problems(what: str, value: Any, level: int) -> list[str]:
    """What keeps a value from being data."""
    value = plain(value)
    if level > _MOST_NESTED:
        return [f"{what} is nested more than {_MOST_NESTED} levels deep"]
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, int):
        return int_problem(what, value, -LARGEST_INT)
    if isinstance(value, float):
        return [] if math.isfinite(value) else [f"{what} must be finite, got {shown(value)}"]
    if isinstance(value, str):
        return text_problem(what, value, "'cubic'", most=4096) if value else []
    if isinstance(value, list | tuple | range):
        if size_of(value) > MOST_POINTS:
            return [f"{what} must hold at most {MOST_POINTS:,} values, got {size_of(value):,}"]
        entries: list[Any] = list(value)
    elif isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        entries = list(value.values())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        entries = [getattr(value, f.name, None) for f in dataclasses.fields(value) if f.init]
    elif isinstance(value, Callable) or isinstance(getattr(value, "d", None), int):
        return []  # code, or a domain of d inputs, which checks itself
    else:
        return [
            f"{what} must be data: numbers, texts, lists of them, a scheme or the like, got "
            f"{shown(value)}"
        ]
    for entry in entries:
        if problems := _data_problems(what, entry, level + 1):
            return problems
    return []
