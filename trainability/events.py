"""What happens while a study runs, as subscribers get it: the terminal, MLflow, a user's own code.

A subscriber is any function of one event; `isinstance`, or `match`, tells which it is:

    def on_event(event):
        if isinstance(event, events.Failed):
            print(event.cell, event.error_type, event.text)

Events come one after the other, in the thread that called `trainability.run`; with a Ray client,
what trials report comes in another one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.study.cell import Cell


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened.

    Args:
        at: When, in seconds since 1970, by the clock of the machine where it did.
    """

    at: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class Working(Event):
    """The next part of the work begins.

    Args:
        what: Which, such as "starting Ray".
    """

    what: str


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """A cell is being worked on; comes again for each part of it that is trained on its own.

    Args:
        cell: Which.
        node: The machine's name.
    """

    cell: Cell
    node: str


@dataclass(frozen=True, kw_only=True)
class Progressed(Event):
    """How far the round is; at least every two seconds while networks train.

    Args:
        cells: Cells that are whole.
        n_cells: Cells of the round.
        networks: Networks on storage.
        n_networks: Networks that the round wants.
        networks_before: Those of `networks` that storage held when the round began.
        network_steps: Updates done in this round, summed over networks.
        seconds: Since the round began.
    """

    cells: int
    n_cells: int
    networks: int
    n_networks: int
    networks_before: int
    network_steps: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """Storage holds all networks that the round wants of a cell; also of one that lacked none.

    Args:
        cell: Which.
    """

    cell: Cell


@dataclass(frozen=True, kw_only=True)
class Failed(Event):
    """A cell, or a part of it, could not be trained.

    Args:
        cell: Which.
        error_type: Name of the exception's class; None where there was none, say because the
            worker was lost.
        text: The exception's message, or what happened.
        traceback: As Python prints it; empty where there is none.
        node: The machine's name; None if it is not known.
        is_final: Whether it is given up for now. Else it is tried again, or may be.
    """

    cell: Cell
    error_type: str | None
    text: str
    traceback: str = ""
    node: str | None = None
    is_final: bool = False

    @property
    def why(self) -> str:
        """Type and text, in a line."""
        return f"{self.error_type}: {self.text}" if self.error_type else self.text


@dataclass(frozen=True, kw_only=True)
class Retried(Event):
    """Work that was lost starts again.

    Args:
        why: What it was lost to.
    """

    why: str


@dataclass(frozen=True, kw_only=True)
class Waiting(Event):
    """Nothing goes on until something changes, such as a storage that is full.

    Args:
        why: What is waited for.
    """

    why: str


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    """Something that a user should read, and that stops nothing.

    Args:
        text: One line.
        heading: What kind of thing it is, if that is to be set apart.
    """

    text: str
    heading: str = ""


Subscriber = Callable[[Event], None]


class Events:
    """Hands every event to all subscribers, in their order, one event at a time.

    A subscriber that raises an exception hears no more; the exception is kept, and `check` raises
    it where the work can end in order.

    Args:
        subscribers: Who hears.
    """

    def __init__(self, *subscribers: Subscriber) -> None:
        self._subscribers = list(subscribers)
        self._error: Exception | None = None
        self._lock = threading.RLock()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Let somebody else hear from now on."""
        with self._lock:
            self._subscribers.append(subscriber)

    def emit(self, event: Event) -> None:
        """Tell everybody."""
        with self._lock:
            for subscriber in list(self._subscribers):
                try:
                    subscriber(event)
                except Exception as error:  # whatever a user's code may raise
                    self._subscribers.remove(subscriber)
                    self._error = self._error or error

    def check(self) -> None:
        """Raise what a subscriber has raised, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error
