"""Text for a terminal: as it is, whatever a user's names and addresses hold."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

from trainability.addresses import without_secrets
from trainability.commands import printable


class Terminal(Console):
    """Prints text as it is: no markup, no emoji codes, no control characters, no secrets.

    Names, questions, paths and messages are the user's. Who wants style prints a `Text`, made by
    `styled` from such text, or gives `style=`.
    """

    def __init__(self, stderr: bool = False) -> None:
        # In a notebook plain text too: Rich would make an output of each line there. And lines: a
        # kernel's streams call themselves terminals, and show every state of a bar.
        stream = sys.stderr if stderr else sys.stdout
        in_kernel = type(stream).__module__.startswith("ipykernel.")
        super().__init__(
            stderr=stderr,
            highlight=False,
            markup=False,
            emoji=False,
            force_jupyter=False,
            force_terminal=False if in_kernel else None,
        )

    def render_str(self, text: str, **options: object) -> Text:
        return super().render_str(clean(text), **options)  # type: ignore[arg-type]


def clean(text: str) -> str:
    """A text as a terminal may get it."""
    return printable(without_secrets(text))


def styled(label: str, style: str, text: str = "") -> Text:
    """A label in some style, and text behind it."""
    return Text.assemble((clean(label), style), clean(text))
