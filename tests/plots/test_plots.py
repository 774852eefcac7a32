import re
import subprocess
import sys

import matplotlib.text
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainability import plots
from trainability.plots.style import look

SCHEMES = ["UnitSphere()", "He(bias_std=1.0)", "TorchDefault()", "RandomizedAsymmetric()"]
WIDTHS = [2, 3, 4, 8]
STEPS = [0, 1, 2, 5, 10]


def rates() -> pd.DataFrame:
    table = pd.DataFrame(
        [(scheme, width) for scheme in SCHEMES for width in WIDTHS], columns=["scheme", "width"]
    )
    index = np.arange(len(table))
    table["n"] = 1024
    table["success_rate"] = 0.2 + 0.04 * index
    table["success_rate_low"] = table["success_rate"] - 0.05
    table["success_rate_high"] = table["success_rate"] + 0.05
    return table.assign(trainability=np.minimum(table["success_rate"] + 0.2, 1))


def grid() -> pd.DataFrame:
    table = pd.DataFrame([(w, d) for w in (2, 4, 8) for d in (2, 5)], columns=["width", "depth"])
    return table.assign(n=256, success_rate=table["width"] / 10, trainability=table["width"] / 9)


def census() -> pd.DataFrame:
    return pd.DataFrame(
        [
            (moment, layer, state, 300, share)
            for moment in ("before", "after")
            for layer in (1, 2, 3)
            for state, share in zip(
                ("active", "tentatively dead", "permanently dead"), (0.7, 0.2, 0.1), strict=True
            )
        ],
        columns=["moment", "layer", "state", "n", "share"],
    )


def counts() -> pd.DataFrame:
    expected = np.array([0.0, 0.1, 0.9])
    table = {"n": 100, "expected": expected, "share": [0.0, 0.12, 0.88]}
    return pd.DataFrame(table | {"low": [0.0, 0.06, 0.8], "high": [0.03, 0.2, 0.94]})


def losses() -> pd.DataFrame:
    decay = 1 / (1 + np.array(STEPS))
    table = {"step": STEPS, "n": 256, "q10": decay / 10, "q50": decay}
    return pd.DataFrame(table | {"q90": [1.0, 2.0, 3.0, np.inf, np.inf]})


def survival() -> pd.DataFrame:
    one = pd.DataFrame({"step": STEPS, "n": 256, "survival": [1, 1, 0.9, 0.5, 0.4]})
    one = one.assign(survival_low=one["survival"] - 0.1, survival_high=one["survival"])
    return pd.concat([one.assign(scheme=scheme) for scheme in SCHEMES])


DRAWINGS = {
    "success": lambda **options: plots.plot_success_over_width(rates(), **options),
    "schemes": lambda **options: plots.plot_scheme_against_scheme(rates(), *SCHEMES[:2], **options),
    "theory": lambda **options: plots.plot_trainability(rates(), **options),
    "map": lambda **options: plots.plot_success_map(grid(), **options),
    "census": lambda **options: plots.plot_census(census(), **options),
    "counts": lambda **options: plots.plot_count_calibration(counts(), **options),
    "loss": lambda **options: plots.plot_loss(losses(), tolerance=1e-3, **options),
    "losses": lambda **options: plots.plot_loss(
        pd.concat([losses().assign(scheme=s) for s in SCHEMES]), curve="scheme", **options
    ),
    "quantity": lambda **options: plots.plot_quantity(
        rates().rename(
            columns={
                "success_rate": "value",
                "success_rate_low": "low",
                "success_rate_high": "high",
            }
        ),
        name="rate",
        curve="scheme",
        **options,
    ),
    "survival": lambda **options: plots.plot_survival(survival(), **options),
}


def texts(ax: Axes) -> str:
    return "\n".join([ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)])


def drawn(ax: Axes) -> list[list[float]]:
    return [list(map(float, line.get_ydata())) for line in ax.lines]


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_plot_draws_on_the_axes_it_is_given_and_on_its_own(name):
    ax = Figure().add_subplot()
    assert DRAWINGS[name](ax=ax) is ax
    assert DRAWINGS[name]().figure is not ax.figure


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_title_states_the_finding_and_the_note_how_many(name):
    ax = DRAWINGS[name](title="Wide networks succeed")
    assert ax.get_title(loc="left") == "Wide networks succeed"
    assert "n = " in texts(ax) or name == "theory"
    assert ax.get_xlabel() and ax.get_ylabel()


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_legend_covers_no_data(name):
    ax = DRAWINGS[name]()
    ax.figure.draw_without_rendering()
    legend = ax.get_legend()
    if legend is None:
        assert name in ("map", "schemes")
        return
    assert not legend.get_window_extent().overlaps(ax.get_window_extent())
    # And it is not cut off by the edge of the figure.
    assert legend.get_window_extent().x1 <= ax.figure.bbox.x1


def test_success_is_drawn_with_its_interval_and_its_bound():
    table = rates()
    ax = plots.plot_success_over_width(table, level=0.9)
    lines = drawn(ax)
    for scheme in SCHEMES:
        cells = table[table["scheme"] == scheme]
        assert cells["success_rate"].tolist() in lines
        assert cells["trainability"].tolist() in lines
    bands = [band.get_paths()[0].vertices for band in ax.collections[::2]]
    assert bands[0][:, 1].min() == pytest.approx(table["success_rate_low"].iloc[0])
    assert "n = 1,024 networks a cell; bands: 90 % intervals" in texts(ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2", "3", "4", "8"]


def test_without_theory_no_bound_is_drawn():
    ax = plots.plot_success_over_width(rates().drop(columns="trainability"))
    assert len(ax.lines) == len(SCHEMES)


def test_predicted_success_is_drawn_where_theory_predicts():
    table = rates()
    of_first = table["scheme"] == SCHEMES[0]
    table["predicted_success"] = np.where(of_first, table["success_rate"] + 0.01, np.nan)
    for figure in (plots.plot_success_over_width(table).figure, plots.success_panels(table)):
        lines = [line for ax in figure.axes for line in drawn(ax)]
        assert lines.count(table.loc[of_first, "predicted_success"].tolist()) == 1
        texts_drawn = [t.get_text() for t in figure.findobj(matplotlib.text.Text)]
        assert "predicted success (theory)" in texts_drawn
    figure = plots.success_panels(table.assign(predicted_success=np.nan))
    texts_drawn = [t.get_text() for t in figure.findobj(matplotlib.text.Text)]
    assert "predicted success (theory)" not in texts_drawn


def test_the_headline_figure_has_a_panel_per_scheme_and_one_legend():
    figure = plots.success_panels(rates(), title="Success stays below trainability")
    panels = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in panels] == SCHEMES
    table = rates()
    for ax, scheme in zip(panels, SCHEMES, strict=True):
        cells = table[table["scheme"] == scheme]
        assert cells["success_rate"].tolist() in drawn(ax)
        assert cells["trainability"].tolist() in drawn(ax)
    assert figure.get_suptitle().strip() == "Success stays below trainability"
    assert sum(ax.get_legend() is not None for ax in figure.axes) == 1


@pytest.mark.parametrize("n_schemes", [1, 2, 3])
def test_full_rows_of_panels_have_their_legend_beneath(n_schemes):
    table = rates()
    figure = plots.success_panels(table[table["scheme"].isin(SCHEMES[:n_schemes])], title="T")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    for ax in figure.axes:
        assert not legend.get_window_extent().overlaps(ax.get_tightbbox())
    assert legend.get_window_extent().x1 <= figure.bbox.x1


def test_the_map_prints_its_rates_and_the_contours_of_theory():
    ax = plots.plot_success_map(grid())
    assert "\n.20\n" in texts(ax) and "trainability by theory" in texts(ax)
    assert len(plots.plot_success_map(grid(), theory=None).collections) == 0


def test_bars_stack_to_the_whole_layer():
    ax = plots.plot_census(census())
    tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
    assert len(ax.patches) == 18 and max(tops) == pytest.approx(1)


def test_a_band_that_reaches_diverged_networks_is_open_above():
    ax = plots.plot_loss(losses())
    assert ax.get_ylim()[1] < ax.collections[0].get_paths()[0].vertices[:, 1].max()


def test_curves_differ_in_gray_too():
    shapes = {(look(index).marker, str(look(index).dashes)) for index in range(35)}
    assert len(shapes) == 35


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_figure_is_the_same_bytes(tmp_path, suffix):
    files = [
        plots.save(plots.success_panels(rates(), title="T"), tmp_path / f"{i}{suffix}")
        for i in range(2)
    ]
    assert files[0].read_bytes() == files[1].read_bytes() and files[0].stat().st_size > 10_000


def test_plotting_leaves_the_global_state_of_matplotlib_alone():
    code = "import trainability.plots, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_dollar_in_a_name_is_a_dollar(tmp_path, suffix):
    names = ["$x^$", "cost in $, $a_b}$", "He()", "$\\frac$"]
    table = rates()
    table["scheme"] = table["scheme"].map(dict(zip(SCHEMES, names, strict=True)))
    ax = plots.plot_success_over_width(table, title="What is $\\sqrt{$ worth?")
    ax.set_yscale("log")
    path = plots.save(ax, tmp_path / f"figure{suffix}")
    if suffix == ".svg":
        text = re.sub("<!--.*?-->", "", path.read_text(), flags=re.DOTALL)
        assert "$x^$" in text and "cost in $, $a_b}$" in text
        assert "mathdefault" not in text


def test_a_quantity_that_may_be_negative_is_drawn_whole():
    cells = pd.DataFrame({"width": [2, 4, 8], "value": [-4.0, 0.01, 20.0], "curve": "a", "n": 256})
    cells = cells.assign(low=cells["value"] - 1, high=cells["value"] + 1)
    assert plots.plot_quantity(cells).get_yscale() == "linear"
    assert plots.plot_quantity(cells[1:]).get_yscale() == "log"
