"""Ordinary torch modules: initialize them by any scheme, and count their dead neurons."""

from trainability.modules.initialization import Initialization, apply
from trainability.modules.inspection import Inspection, inspect

__all__ = ["Initialization", "Inspection", "apply", "inspect"]
