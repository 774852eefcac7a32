"""Commands as they are shown to a user: to be pasted into a shell, whatever is in their names."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping

from trainability.addresses import has_secrets, shown

STORAGE = "TRAINABILITY_STORAGE"
TRACKING = "MLFLOW_TRACKING_URI"

_VARIABLES = {"--storage": STORAGE, "--tracking-uri": TRACKING, "--address": "RAY_ADDRESS"}
"""What the shell is asked for in place of an address that has secrets."""
# Control characters, which a terminal would obey, and bytes that are no text.
_UNPRINTABLE = re.compile(
    r"([\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+)"
)


def command(name: str, *words: str, **options: str | None) -> str:
    """A command of this program, quoted for a shell.

    Args:
        name: The command, such as `run`.
        words: Its arguments.
        options: Its options by name, `_` for `-`; None leaves one out. An address that has secrets
            is replaced by the environment variable that the option stands for.

    >>> command("run", "mine.py", storage="/data/my results")
    "trainability run mine.py --storage '/data/my results'"
    >>> command("sync", "mine", storage="s3://KEY:SECRET@bucket")
    'trainability sync mine --storage "$TRAINABILITY_STORAGE"'
    """
    quoted = []
    for key, value in options.items():
        if value is not None:
            option = f"--{key.replace('_', '-')}"
            if value.startswith("-"):
                quoted.append(f"{option}={quoted_word(value)}")
            else:
                quoted += [option, _address(option, value)]
    first = ["trainability", name]
    arguments = [quoted_word(word) for word in words]
    if any(word.startswith("-") for word in words):
        return " ".join([*first, *quoted, "--", *arguments])
    return " ".join([*first, *arguments, *quoted])


def python_command(code: str) -> str:
    """The command that runs some Python code."""
    return f"python -c {quoted_word(code)}"


def python_text(text: str) -> str:
    r"""A text in Python code, in double quotes where it may be: shells want the single ones.

    >>> python_text("results"), python_text("it's"), python_text('a "b"')
    ('"results"', '"it\'s"', '\'a "b"\'')
    """
    return f'"{text}"' if repr(text) == f"'{text}'" and '"' not in text else repr(text)


def variables(**addresses: str | None) -> dict[str, str]:
    """What the environment variables in a command stand for, as it may be shown.

    >>> variables(storage="s3://KEY:SECRET@bucket/a", tracking_uri="http://host:5000")
    {'TRAINABILITY_STORAGE': 's3://bucket/a'}
    """
    return {
        _VARIABLES[f"--{key.replace('_', '-')}"]: shown(address)
        for key, address in addresses.items()
        if address is not None and has_secrets(address)
    }


def variables_sentence(addresses: Mapping[str, str]) -> str:
    """What a reader has to set before a command works; empty if nothing."""
    if not addresses:
        return ""
    places = " and ".join(f"{name} to that of {address}" for name, address in addresses.items())
    return f"First set {places}: the whole address, with user, password and query."


def quoted_word(word: str) -> str:
    """One word for a POSIX shell; what a terminal can't show is written by `printf`."""
    parts = _UNPRINTABLE.split(word)
    if len(parts) == 1:
        return shlex.quote(word)
    return "".join(
        _printed(part) if place % 2 else shlex.quote(part)
        for place, part in enumerate(parts)
        if part
    )


def printable(text: str) -> str:
    """A text with what a terminal would obey, or can't show, written out."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _address(option: str, value: str) -> str:
    variable = _VARIABLES.get(option)
    if variable is not None and has_secrets(value):
        return f'"${variable}"'
    return quoted_word(value)


def _printed(text: str) -> str:
    return "\"$(printf '" + "".join(f"\\{byte:03o}" for byte in os.fsencode(text)) + "')\""
