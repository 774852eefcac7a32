"""Cells to trials, on this machine or on Ray: resume, retry; the only room that imports ray."""

from __future__ import annotations

from trainability import lazy
from trainability.launch.options import Options, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.launch.choice import choose_executor, operations
    from trainability.launch.dispatch import Launcher, launch
    from trainability.launch.executor import Executor

__all__ = [
    "Executor",
    "Launcher",
    "Options",
    "Outcome",
    "choose_executor",
    "launch",
    "operations",
]

# A launch that is refused needs no torch.
__getattr__ = lazy.attributes(
    __name__,
    choice="choose_executor operations",
    dispatch="Launcher launch",
    executor="Executor",
)
