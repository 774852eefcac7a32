"""Figures: estimates in, Axes out; no statistic is computed here."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.plots.birth import predicted_panels
    from trainability.plots.census import census_panels, plot_census, plot_count_calibration
    from trainability.plots.maps import plot_success_map
    from trainability.plots.quantity import plot_quantity
    from trainability.plots.style import save, save_all, title_of
    from trainability.plots.success import (
        plot_scheme_against_scheme,
        plot_success_over_width,
        plot_trainability,
        success_panels,
    )
    from trainability.plots.throughput import plot_throughput
    from trainability.plots.training import plot_loss, plot_survival

__all__ = [
    "census_panels",
    "plot_census",
    "plot_count_calibration",
    "plot_loss",
    "plot_quantity",
    "plot_scheme_against_scheme",
    "plot_success_map",
    "plot_success_over_width",
    "plot_survival",
    "plot_throughput",
    "plot_trainability",
    "predicted_panels",
    "save",
    "save_all",
    "success_panels",
    "title_of",
]

# Matplotlib takes half a second: it is loaded when there is something to draw.
__getattr__ = lazy.attributes(
    __name__,
    birth="predicted_panels",
    census="census_panels plot_census plot_count_calibration",
    maps="plot_success_map",
    quantity="plot_quantity",
    style="save save_all title_of",
    success="plot_scheme_against_scheme plot_success_over_width plot_trainability success_panels",
    throughput="plot_throughput",
    training="plot_loss plot_survival",
)
