"""What all figures share: colors, lines, a place for the legend, saving."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from trainability.plots.colors import GRID, INK, MUTED, OKABE_ITO

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DPI = 160
_LETTERS_PER_INCH = 10
"""Of a title in bold, with some room."""
_LONGEST_NAME = 40
"""Letters of a name in a legend beside the Axes, which would leave them no room."""
_LEFT = 0.8
"""Inches at the left of a panel, for the axis."""
_SVG_DPI = 72
"""Of all SVG files; the sizes of texts depend on it."""
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))


@dataclass(frozen=True)
class Look:
    """How one curve is drawn; marker and dashes tell it apart in grayscale."""

    color: str
    marker: str
    dashes: str | tuple[int, tuple[float, ...]]


def look(index: int) -> Look:
    """The look of the curve with this index; 35 differ, 7 by color."""
    return Look(
        OKABE_ITO[index % len(OKABE_ITO)],
        MARKERS[index % len(MARKERS)],
        DASHES[index % len(DASHES)],
    )


def looks(names: Iterable[object]) -> Iterator[tuple[object, Look]]:
    """Every name with its look, in order."""
    return ((name, look(index)) for index, name in enumerate(names))


def new_axes(ax: Axes | None, width: float = 6.4, height: float = 4.2) -> Axes:
    """The given Axes, or those of a new figure of this size in inches; styled."""
    if ax is None:
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(MUTED)
    ax.tick_params(colors=INK, which="both", width=0.6)
    ax.grid(color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    return ax


def set_title(ax: Axes, title: str, note: str = "") -> None:
    """The finding, in bold, in lines that end within the figure, and how it was measured."""
    spec = ax.get_subplotspec()
    columns = 1 if spec is None else spec.get_gridspec().ncols
    room = int(_LETTERS_PER_INCH * (figure_of(ax).get_figwidth() / columns - _LEFT))
    title = "\n".join(textwrap.fill(line, room) for line in title.splitlines())
    if note:
        ax.annotate(
            note,
            (0, 1),
            xytext=(0, 5),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=8.5,
            color=MUTED,
            in_layout=True,
        )
    ax.set_title(
        title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=20 if note else 8
    )


def number_axis(ax: Axes, values: Iterable[float], label: str, *, axis: str = "x") -> None:
    """A logarithmic axis that names exactly the values that were studied."""
    ticks = sorted(set(values))
    scale, target = (ax.set_xscale, ax.xaxis) if axis == "x" else (ax.set_yscale, ax.yaxis)
    scale("log", base=2)
    target.set_major_locator(FixedLocator(ticks))
    target.set_minor_locator(NullLocator())
    target.set_major_formatter(lambda value, _: f"{value:g}")
    target.set_label_text(label)


def names_axis(ax: Axes, names: Sequence[str], label: str) -> None:
    """A horizontal axis with a name at 0, at 1, at 2 and so on; slanted if they need the room."""
    slanted = sum(map(len, names)) > 30
    turn = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    ax.set_xticks(range(len(names)), names, **turn)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_xlabel(label)


def positions(places: pd.Series) -> np.ndarray:
    """Where on the axis places are: numbers at themselves, categories at 0, 1, 2 and so on."""
    if isinstance(places.dtype, pd.CategoricalDtype):
        return places.cat.codes.to_numpy(dtype=float)
    return places.to_numpy(dtype=float)


def is_ordered(places: pd.Series) -> bool:
    """Whether places are numbers, between which a line says something; categories are none."""
    return not isinstance(places.dtype, pd.CategoricalDtype)


def places_axis(ax: Axes, places: pd.Series, label: str) -> None:
    """The horizontal axis of `positions`: it names the numbers, or the categories in order."""
    if isinstance(places.dtype, pd.CategoricalDtype):
        names_axis(ax, list(places.cat.categories), label)
    else:
        number_axis(ax, np.unique(places.to_numpy()), label)


def power_axis(ax: Axes, axis: str) -> None:
    """A logarithmic axis whose powers of ten are plain text: formulas take long to set.

    >>> power(1e-3), power(10.0), power(2.0)
    ('10⁻³', '10', '')
    """
    target = ax.xaxis if axis == "x" else ax.yaxis
    target.set_major_formatter(lambda value, _: power(value))
    target.set_minor_formatter(NullFormatter())


def power(value: float) -> str:
    """A power of ten as text, 1 and 10 as they are; nothing for other numbers."""
    if value in (0, 1, 10):
        return f"{value:g}"
    exponent = round(math.log10(value)) if value > 0 else 0
    if value <= 0 or not math.isclose(value, 10.0**exponent, rel_tol=1e-6):
        return ""
    return "10" + str(exponent).translate(_RAISED)


def legend_beside(ax: Axes, handles: Sequence[Artist] | None = None, title: str = "") -> None:
    """A legend at the right of the Axes, where it can't cover data; long names take more lines."""
    if handles is None:
        handles, _ = ax.get_legend_handles_labels()
    ax.legend(
        handles=handles,
        labels=[textwrap.fill(str(handle.get_label()), _LONGEST_NAME) for handle in handles],
        title=title or None,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        fontsize=9,
        alignment="left",
        borderaxespad=0,
    )


def panel_grid(
    n_panels: int, title: str, note: str, n_columns: int = 3
) -> tuple[Figure, list[Axes], Axes | None]:
    """Panels of equal size on shared axes: the figure, its panels, and an empty place if any."""
    n_columns = min(n_columns, n_panels)
    n_rows = math.ceil(n_panels / n_columns)
    height = 2.5 * n_rows + 1.0
    width = max(3.0 * n_columns + 0.4, 5.5, len(title) / _LETTERS_PER_INCH + 0.3)
    figure = Figure(figsize=(width, height), layout="constrained")
    heading = figure.suptitle(f"{title}\n", x=0.01, ha="left", fontsize=11.5, color=INK)
    heading.set(fontweight="bold", linespacing=1.9)
    figure.text(0.01, 0.98 - 0.27 / height, note, va="top", fontsize=8.5, color=MUTED)
    grid = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
    places = list(grid.flat)
    for index, ax in enumerate(places[:n_panels]):
        new_axes(ax).tick_params(labelbottom=index + n_columns >= n_panels)
    for ax in places[n_panels:]:
        ax.set_axis_off()
    return figure, places[:n_panels], places[n_panels] if len(places) > n_panels else None


def panel_title(ax: Axes, name: str) -> None:
    """The name of a panel, in lines that end within it."""
    ax.set_title(textwrap.fill(name, 34), loc="left", fontsize=9.5, color=INK)


def label_outer(panels: Sequence[Axes], x: str, y: str) -> None:
    """Label the panels with nothing below them, and those with nothing at their left."""
    n_columns = len({ax.get_position().x0 for ax in panels})
    for index, ax in enumerate(panels):
        ax.set_xlabel(x if index + n_columns >= len(panels) else "")
        ax.set_ylabel(y if index % n_columns == 0 else "")


def figure_legend(figure: Figure, handles: Sequence[Artist], spare: Axes | None) -> None:
    """One legend for all panels: in the empty place, else beneath."""
    if spare is not None:
        spare.legend(handles=handles, loc="center left", frameon=False, fontsize=9)
    else:
        figure.legend(
            handles=handles,
            loc="outside lower left",
            ncols=len(handles),
            frameon=False,
            fontsize=9,
        )


def save(drawn: Figure | Axes, path: str | Path, dpi: int = _DPI) -> Path:
    """Write a figure, or that of some axes; the suffix (.png, .svg, .pdf) says how.

    The same figure gives the same bytes.
    """
    path = Path(path)
    figure = figure_of(drawn)
    _as_written(figure)
    _write(figure, path, dpi)
    return path


def save_all(drawn: Figure | Axes, folder: Path, name: str, dpi: int = 110) -> Path:
    """Write a figure as SVG and PNG, laid out once for both.

    Returns:
        The PNG file.
    """
    figure = figure_of(drawn)
    _as_written(figure)
    _lay_out_for_svg(figure)
    _write(figure, folder / f"{name}.svg", _DPI)
    path = folder / f"{name}.png"
    _write(figure, path, dpi)
    return path


def _lay_out_for_svg(figure: Figure) -> None:
    """Find the places of all axes, once.

    Left to `savefig` it would be done by drawing everything once more for each file.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        before = figure.dpi
        FigureCanvasSVG(figure)
        figure.dpi = _SVG_DPI
        engine.execute(figure)
        figure.dpi = before
        with mpl.rc_context({"figure.autolayout": False, "figure.constrained_layout.use": False}):
            figure.set_layout_engine(None)


def _write(figure: Figure, path: Path, dpi: int) -> None:
    metadata = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with mpl.rc_context({"svg.hashsalt": "trainability", "svg.fonttype": "none"}):
        figure.savefig(path, dpi=dpi, metadata=metadata.get(path.suffix, {}), facecolor="white")


def figure_of(drawn: Figure | Axes) -> Figure:
    """A figure, or that of some axes."""
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    assert figure is not None
    return figure


def title_of(drawn: Figure | Axes) -> str:
    """The finding that a figure shows: its title."""
    figure = figure_of(drawn)
    title = figure.get_suptitle() or figure.axes[0].get_title(loc="left")
    return " ".join(title.split())


def _as_written(figure: Figure) -> None:
    """Show every text as it is: names are the user's, and a $ in them starts no formula.

    The labels of ticks that a formatter made are formulas of its own, such as 10^-3.
    """
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    # Of the ticks that there are by now, without asking where they lie: that sets all their texts.
    made = {
        label
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        if not isinstance(axis.get_major_formatter(), FixedFormatter | StrCategoryFormatter)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
    }
    for text in texts:
        if text not in made:
            text.set_parse_math(False)


def sample_note(
    n: Iterable[int],
    level: float | None = None,
    unit: str = "networks a cell",
    mark: str = "bands",
) -> str:
    """How many, and what the bands mean: "n = 1,024 networks a cell; bands: 95 % intervals"."""
    values = sorted({int(value) for value in n})
    count = f"{values[0]:,}" if len(values) == 1 else f"{values[0]:,} to {values[-1]:,}"
    intervals = "" if level is None else f"; {mark}: {100 * level:g} % intervals"
    return f"n = {count} {unit}{intervals}"
