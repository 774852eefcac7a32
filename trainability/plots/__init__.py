"""Figures: estimates in, Axes out; no statistic is computed here."""

from trainability.plots.style import save
from trainability.plots.success import plot_success_over_width, success_panels

__all__ = ["plot_success_over_width", "save", "success_panels"]
