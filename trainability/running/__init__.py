"""Studies and tunings, run from Python; the command line parses and calls the same functions."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.running.study import run
    from trainability.running.tuning import tune

__all__ = ["run", "tune"]

__getattr__ = lazy.attributes(__name__, study="run", tuning="tune")
