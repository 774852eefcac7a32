"""What runs of studies and tunings share: who hears of them, and where MLflow is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainability.addresses import shown as shown_address
from trainability.checks import shown
from trainability.commands import command
from trainability.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from trainability.events import Events, Subscriber
    from trainability.storage import Storage
    from trainability.tracking import Mirror


@contextlib.contextmanager
def shown_events(console: Console | None, on_event: Subscriber | None) -> Iterator[Events]:
    """Events that a console shows, and that a user's function hears.

    Raises:
        InputError: If the function is none.
    """
    if on_event is not None and not callable(on_event):
        raise InputError(f"on_event must be a function of one event, got {shown(on_event)}")
    from trainability.events import Events

    heard = [] if on_event is None else [on_event]
    if console is None:
        yield Events(*heard)
        return
    from trainability.running.display import Display

    with Display(console) as display:
        yield Events(display.on_event, *heard)


def default_console(progress: bool) -> Console | None:
    """Where progress is shown in Python: on stderr, also of a notebook."""
    if not progress:
        return None
    from trainability.running.terminal import Terminal

    return Terminal(stderr=True)


def place_problems(storage: Any, tracking_uri: Any) -> list[str]:
    """What is wrong with the kinds of what is given for a storage and a tracking URI."""
    problems = []
    if not isinstance(storage, str | Path) and not hasattr(storage, "block_files"):
        problems.append(f"storage must be a folder or an address, got {shown(storage)}")
    if not (tracking_uri is None or isinstance(tracking_uri, str)):
        problems.append(f"tracking_uri must be a text, got {shown(tracking_uri)}")
    return problems


def require_usable(tracking_uri: str | None, storage: Storage) -> str:
    """MLflow's tracking URI.

    Raises:
        InputError: If MLflow can't use it.
    """
    from trainability.tracking import uri

    chosen = uri.tracking_uri(tracking_uri, storage)
    uri.require_usable(chosen)
    return chosen


def note_trouble(
    mirror: Mirror,
    uri: str,
    events: Events,
    when: str,
    name: str,
    text: str,
    storage: Storage,
    tracking_uri: str | None,
) -> None:
    """Tell that MLflow is incomplete, if it is, and which command makes it whole.

    Args:
        mirror: The closed mirror.
        uri: MLflow's tracking URI.
        events: Told of it.
        when: When that command helps.
        name: The command, such as `sync`.
        text: How the user names the study.
        storage: Its storage.
        tracking_uri: As it was given.
    """
    if mirror.trouble:
        from trainability.events import Noted

        again = command(name, text, storage=storage.address, tracking_uri=tracking_uri)
        where = f"MLflow at {shown_address(uri)} is incomplete ({mirror.trouble}); {when}"
        events.emit(Noted(heading=where, text=again))
