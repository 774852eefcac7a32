"""What a command is doing, for whoever waits for it: on stderr, whether or not that is a screen."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from trainability.cli.app import err


@contextlib.contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Say what is done, and by the function that it gives what is done next.

    A terminal shows it beside a spinner, until it is done; elsewhere each is a line.
    """
    with err.status(what) as status:

        def tell(what: str) -> None:
            if err.is_terminal:
                status.update(what)
            else:
                err.print(what)

        if not err.is_terminal:
            err.print(what)
        yield tell
