"""Ordinary torch modules: initialize them by any scheme, and count their dead neurons."""

from trainability.modules.initialization import apply
from trainability.modules.inspection import Inspection, inspect

__all__ = ["Inspection", "apply", "inspect"]
