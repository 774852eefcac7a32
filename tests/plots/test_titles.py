"""A title ends within its figure, however much it says."""

import pandas as pd
import pytest

from trainability import plots
from trainability.plots.style import figure_of, panel_grid

LONG = "Width for 90 % success over samples: power 0.68 for random targets and 0.50 for smooth ones"


def cells():
    return pd.DataFrame(
        {"curve": "one", "width": [2, 4], "value": [0.5, 0.75], "low": 0.4, "high": 0.8, "n": 256}
    )


def width_of(text, figure):
    return text.get_window_extent().x1 / figure.get_window_extent().x1


def rows():
    """One place: a row for each curve, whose name stands at the left of the panel."""
    return pd.concat([cells()[:1].assign(curve=10 * name) for name in ("one ", "two ")])


@pytest.mark.parametrize("table", [cells(), rows()])
def test_a_long_title_of_one_panel_goes_on_in_a_second_line(table):
    ax = plots.plot_quantity(table, title=LONG)
    figure = figure_of(ax)
    figure.draw_without_rendering()
    (title,) = [text for text in ax.findobj() if getattr(text, "get_text", str)() == ax.get_title(
        loc="left")]  # fmt: skip
    assert width_of(title, figure) <= 1 and "\n" in title.get_text()
    assert plots.title_of(ax) == LONG


@pytest.mark.parametrize("n_panels", [1, 2])
def test_a_figure_of_few_panels_is_as_wide_as_its_title(n_panels):
    figure, *_ = panel_grid(n_panels, LONG, "n = 256")
    figure.draw_without_rendering()
    assert width_of(figure._suptitle, figure) <= 1


def test_a_legend_of_long_names_leaves_room_for_the_panel():
    names = ["one", "Hermite(coefficients=(0.3989, 0.5, 0.2821, 0, -0.0814, 0, 0.0446, 0), x=True)"]
    both = pd.concat([cells().assign(curve=name) for name in names])
    ax = plots.plot_quantity(both, title="A title")
    figure = figure_of(ax)
    figure.draw_without_rendering()
    assert ax.get_window_extent().width > figure.get_window_extent().width / 3
