"""The figures of a tuning's report."""

from __future__ import annotations

from typing import cast

import pandas as pd

from trainability.plots.tuning import (
    plot_history,
    plot_importance,
    plot_pareto,
    plot_slices,
    plot_surface,
)
from trainability.tuning.dimensions import Dimension
from trainability.tuning.landscape import Landscape
from trainability.tuning.ranges import Range
from trainability.tuning.result import Result
from trainability.tuning.tables import finalist_table

_LONGEST = 70
"""Characters of a title that fits above a figure."""


def draw_figures(result: Result, candidates: pd.DataFrame) -> dict:
    """History and slices always; importance for two settings and more, a surface for two numbers
    that the best candidate has; a Pareto front for two objectives. Figures by name."""
    tuning = result.tuning
    words = tuning.objectives[0].words
    landscape = Landscape(tuning, result.search.standings)
    logarithmic = {name: part.log for name, part in tuning.vary.items()}
    slices = {name: landscape.slice(name) for name in tuning.vary}
    default = result.default.values[0]
    note = (
        f"{int(candidates['n_networks'].sum()):,} networks in the search, "
        f"{tuning.n_fresh_blocks * 256:,} each on fresh seeds; bars and bands: 95 %"
    )
    figures = {
        "history": plot_history(
            candidates,
            (default.value, default.low, default.high),
            words=words,
            title=_headline(result),
            note=note,
        ).figure,
        "slices": plot_slices(
            {name: curve for name, curve in slices.items() if len(curve)},
            candidates,
            logarithmic,
            words=words,
            title="Along each setting, through the best",
            note="circles: candidates, larger for more networks"
            + ("; squares: the surrogate" if any(map(_has_squares, tuning.vary.values())) else ""),
        ),
    }
    if len(tuning.vary) > 1:
        shares = landscape.importance()
        figures["importance"] = plot_importance(
            shares, title=f"{shares.idxmax()} matters most"
        ).figure
        numbers = shares[landscape.numbers()].sort_values(ascending=False).index[:2]
        if len(numbers) == 2:
            across, up = map(str, numbers)
            best = tuning.space.active(landscape.best)
            figures["surface"] = plot_surface(
                landscape.surface(across, up),
                candidates,
                (best[across], best[up]),
                logarithmic,
                across=across,
                up=up,
                words=words,
                title=f"The {words} over {across} and {up}",
            ).figure
    if len(tuning.objectives) == 2:
        figures["pareto"] = plot_pareto(
            candidates,
            finalist_table(result),
            [part.words for part in tuning.objectives],
            title="What one objective costs in the other",
        ).figure
    return cast(dict, figures)


def _has_squares(part: Dimension) -> bool:
    return not isinstance(part, Range)


def _headline(result: Result) -> str:
    if not result.is_improvement:
        return "No significant improvement over the default"
    sentence = f"{result.best.name} beats the default"
    return sentence if len(sentence) <= _LONGEST else "The best finalist beats the default"
