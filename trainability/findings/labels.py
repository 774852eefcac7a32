"""Short names of curves: what tells strategies apart, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_FOLDERS = re.compile(r"(?<=['\"])(?:/|[A-Za-z]:[/\\\\])(?:[^'\"\n]*[/\\\\])")
"""The folders of an absolute path in quotes, as settings of tasks have them."""
_MANY = re.compile(r"(\w+)=\(((?:[-+\d.e]+, ){3,}[-+\d.e]+)\)")
"""A setting that holds four numbers or more."""
_SWITCHES = {"True": True, "False": False}
_FLOAT = re.compile(r"\d+\.\d+(?:e[+-]?\d+)?")


def short(names: Sequence[str]) -> dict[str, str]:
    """A short name for each of some different strategies, tasks or numbers, as columns write them.

    Of a path in a setting the name of the file is left, if that tells them apart. Settings that
    all share are left out, numbers get four digits, and of strategies of one kind
    that all have settings of their own only those are left, of a text its value alone; if a text
    tells them apart, such as the name of a task, it alone. What would no longer differ stays as it
    is. Of a setting of many numbers their number is left, if that tells them apart. A setting that
    is on or off is named, or denied.

    >>> short(["He()", "Orthogonal(gain=1.4142135623730951)"])
    {'He()': 'He', 'Orthogonal(gain=1.4142135623730951)': 'Orthogonal(gain=1.414)'}
    >>> list(short(["Table(dataset='a', rows=32)", "Table(dataset='b', rows=32)"]).values())
    ['a', 'b']
    >>> list(short(["Adam(learning_rate=0.01)", "Adam(learning_rate=0.02)"]).values())
    ['learning rate 0.01', 'learning rate 0.02']
    >>> list(short(["Function(name='a', n_train=3)", "Function(name='b', n_train=4)"]).values())
    ['a', 'b']
    >>> list(short(["Function(name='a', n_train=3)", "Function(name='a', n_train=4)"]).values())
    ['n train 3', 'n train 4']
    >>> list(short(["CNN(batch_norm=False, n=4)", "CNN(batch_norm=True, n=4)"]).values())
    ['no batch norm', 'batch norm']
    >>> list(short(["CNN(no_bias=False, n=4)", "CNN(no_bias=True, n=4)"]).values())
    ['bias', 'no bias']
    >>> list(short(["fully connected", "normalized()"]).values())
    ['fully connected', 'normalized']
    >>> list(short(["ReLU()", "Hermite(coefficients=(0.4, 0.5, 0.3, 0.0))"]).values())
    ['ReLU', 'Hermite(4 coefficients)']
    """
    written = list(names)
    if len(set(map(without_folders, names))) == len(set(names)):
        names = [without_folders(name) for name in names]
    counted = [_MANY.sub(_count, name) for name in names]
    names = counted if len(set(counted)) == len(set(names)) else names
    parsed = [_CALL.fullmatch(name) for name in names]
    labels = [_number(name.removesuffix("()")) for name in names]
    if all(parsed):
        calls = [(match[1], _settings(match[2])) for match in parsed if match]
        shared = set.intersection(*(set(settings) for _, settings in calls))
        if len(calls) == 1:
            shared = set()
        own = [[entry for entry in settings if entry not in shared] for _, settings in calls]
        kinds = {kind for kind, _ in calls}
        if len(kinds) == 1 and len(calls) > 1 and all(own):
            first = [_setting(entries[0]) for entries in own]
            named = all("='" in entries[0] for entries in own) and len(set(first)) == len(names)
            labels = first if named else [", ".join(map(_setting, entries)) for entries in own]
        else:
            labels = [_call(kind, entries) for (kind, _), entries in zip(calls, own, strict=True)]
    return dict(zip(written, labels if len(set(labels)) == len(names) else names, strict=True))


def without_folders(text: str) -> str:
    """A text whose quoted absolute paths have lost their folders.

    >>> without_folders("Table(path='/home/me/data.csv')")
    "Table(path='data.csv')"
    """
    return _FOLDERS.sub("", text)


def in_words(written: str) -> str:
    """The name of a strategy without settings as words; one with settings as it is written.

    A name of one word is that of a person, such as Huber's.

    >>> in_words("MeanSquaredError()"), in_words("Huber()"), in_words("Huber(delta=0.5)")
    ('mean squared error', 'Huber', 'Huber(delta=0.5)')
    """
    name = written.removesuffix("()")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    if not name.isidentifier():
        return written
    return words.lower() if " " in words else words


def _settings(inside: str) -> list[str]:
    """The settings of a call as they are written; commas inside of one part nothing.

    >>> _settings("domain=Box(d=1, half_width=2.0), n_train=3")
    ['domain=Box(d=1, half_width=2.0)', 'n_train=3']
    """
    parts, depth, quote = [""], 0, ""
    for letter in inside:
        if quote or letter in "'\"":
            quote = "" if letter == quote else quote or letter
        else:
            depth += (letter in "([{") - (letter in ")]}")
        parts[-1] += letter
        if not depth and not quote and parts[-1].endswith(", "):
            parts[-1] = parts[-1].removesuffix(", ")
            parts.append("")
    return [part for part in parts if part]


def setting_text(name: str, value: object) -> str:
    """A setting as people read it.

    >>> setting_text("skip", False), setting_text("n_hidden", 4), setting_text("norm", "layer")
    ('no skip', 'n hidden 4', 'layer')
    """
    return _setting(f"{name}={value!r}")


def quoted(names: Mapping[str, str]) -> dict[str, str]:
    """Names for the midst of a sentence: quoted where a comma in one would end a part of it.

    >>> quoted({"a": "skip, width 4", "b": "He(gain=2, bias_std=1)", "c": "He"})
    {'a': '“skip, width 4”', 'b': 'He(gain=2, bias_std=1)', 'c': 'He'}
    """
    return {
        written: f"“{name}”" if ", " in name and not _CALL.fullmatch(name) else name
        for written, name in names.items()
    }


def _setting(entry: str) -> str:
    name, _, value = entry.partition("=")
    if value in _SWITCHES:
        denies = name.startswith("no_")  # and what it denies when off is there
        words = name.removeprefix("no_").removeprefix("use_").replace("_", " ")
        return "no " * (_SWITCHES[value] == denies) + words
    return value.strip("'") if value[:1] == "'" else f"{name.replace('_', ' ')} {_number(value)}"


def _call(kind: str, settings: list[str]) -> str:
    inside = ", ".join(map(_number, settings))
    return f"{kind}({inside})" if inside else kind


def _count(numbers: re.Match[str]) -> str:
    """How many numbers a setting holds: `4 coefficients`."""
    return f"{numbers[2].count(',') + 1} {numbers[1].replace('_', ' ')}"


def _number(text: str) -> str:
    return _FLOAT.sub(lambda number: f"{float(number[0]):.4g}", text)
