"""Who is told what happens in a run of a study or a tuning: a console, a function, MLflow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trainability.addresses import shown as shown_address
from trainability.checks import shown
from trainability.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from trainability.events import Events, Subscriber
    from trainability.storage import Storage
    from trainability.study import Study
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

    own = [] if on_event is None else [on_event]
    if console is None:
        yield Events(*own)
        return
    from trainability.running.display import Display

    with Display(console) as display:
        yield Events(display.on_event, *own)


def default_console(progress: bool) -> Console | None:
    """Where progress is shown in Python: on stderr, also of a notebook."""
    if not progress:
        return None
    from trainability.running.terminal import Terminal

    return Terminal(stderr=True)


@contextlib.contextmanager
def mirrored(
    study: Study,
    storage: Storage,
    uri: str,
    events: Events,
    *,
    again: str,
    when: str,
    when_interrupted: str | None = None,
) -> Iterator[Mirror]:
    """While it lasts, MLflow can be told what happens; how it is left is how the study ended.

    Args:
        study: The study.
        storage: Where its rows are.
        uri: MLflow's tracking URI.
        events: Told if MLflow is incomplete.
        again: The command that makes it whole.
        when: When it does, if the study has ended by itself.
        when_interrupted: The same if it was interrupted; default the same.
    """
    from trainability.events import Noted
    from trainability.tracking import Mirror

    mirror = Mirror(study, storage, uri)
    status, interrupted = "FAILED", False
    try:
        yield mirror
        status = "FINISHED"
    except KeyboardInterrupt:
        status, interrupted = "KILLED", True
        raise
    finally:
        mirror.close(status, hurry=interrupted)
        if mirror.trouble:
            where = f"MLflow at {shown_address(uri)} is incomplete ({mirror.trouble})"
            then = when_interrupted if interrupted and when_interrupted else when
            events.emit(Noted(heading=f"{where}; {then}", text=again))
