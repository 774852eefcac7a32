"""What a study found: its tables, from the rows that storage holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from trainability.analysis.laws import Verdict, verdict_table
from trainability.errors import InputError
from trainability.findings.arguments import Arguments, arguments
from trainability.findings.asked import SUCCESS, Asked, ask, valid_quantities
from trainability.findings.boundaries import boundaries
from trainability.findings.comparing import (
    Comparisons,
    compare_strategies,
    is_compared,
    with_streams,
)
from trainability.findings.expectations import best_constants, count_laws, expectations
from trainability.findings.fitting import Fits, fit_curves
from trainability.findings.gather import Measured, Shared, gather
from trainability.findings.labels import short
from trainability.findings.places import (
    NETWORK,
    WIDTHS,
    axis_columns,
    place_names,
    place_text,
    places,
    width_axis,
    width_texts,
)
from trainability.findings.predicting import prediction_tests, with_predicted_success
from trainability.findings.published import paper_beside_ours
from trainability.findings.reasons import failures_by_curve, survival_by_cell
from trainability.findings.scaling import growths, of_one_look, scaling
from trainability.findings.verdicts import bounded, theory_verdicts
from trainability.growth import cells_in_place, stopping_growth, stored_growth
from trainability.growth.intervals import with_valid_intervals
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study import Cell, Study
from trainability.study.axes import STRATEGIES, label

LEVEL = 0.95


@dataclass(frozen=True)
class Findings:
    """Everything a report says.

    Args:
        study: The study.
        cells: Its cells by id, those beyond the grid included.
        rates: One row per cell with networks: rates with intervals that are valid however the
            study grew, theory, and `curve`, the short name of what tells curves over `x` apart.
        x: The column along which curves run: `width`; `widths` if some cells have no one width; or
            `depth` if only that varies.
        places: All places of that column at which there are cells, in order.
        curves: The identity columns behind `curve`.
        arguments: Columns of the arguments of modules that stand in place of the networks.
        refined: The success rate whose boundary the study was refined for, or None.
        boundaries: Where success crosses it.
        fits: Fits of success over width; empty for deep networks.
        predictions: Predicted beside measured success, of the cells that theory predicts.
        verdicts: The tests of theory.
        failures: Why trainable networks failed, by curve.
        survival: Share of networks without success over steps, by cell.
        comparisons: Value against value of every axis of strategies.
        asked: The quantity that the study asks about.
        scaling: The width that success takes over the number of samples.
        published: Published numbers beside ours.
        measured: The tables by cell.
        n_looks: How often a cell was looked at before it stopped, at most; 1 for a study that did
            not grow.
        n_wanted: Networks that the study wants by now.
    """

    study: Study
    cells: dict[str, Cell]
    rates: pd.DataFrame
    x: str
    places: list[Any]
    curves: list[str]
    arguments: list[str]
    refined: float | None
    boundaries: pd.DataFrame
    fits: Fits
    predictions: pd.DataFrame
    verdicts: list[Verdict]
    failures: pd.DataFrame
    survival: pd.DataFrame
    comparisons: Comparisons
    asked: Asked
    scaling: pd.DataFrame
    published: pd.DataFrame
    measured: Measured
    n_looks: int
    n_wanted: int

    @property
    def n_networks(self) -> int:
        """Networks behind it all."""
        return int(self.rates["n"].sum())

    @cached_property
    def _place_names(self) -> dict[Any, str]:
        return place_names(self.places, self.x)

    def place_text(self, place: Any) -> str:
        """A place of the horizontal axis, for people."""
        return self._place_names.get(place) or place_text(place)

    def at(self, row: pd.Series) -> str:
        """Where a cell lies, within a sentence, with a space before it; empty for nowhere."""
        place = row[self.x]
        return "" if pd.isna(place) else f" at {self.x} {self.place_text(place)}"

    @property
    def is_complete(self) -> bool:
        return self.n_networks >= self.n_wanted

    @cached_property
    def bounded(self) -> pd.DataFrame:
        """The rates of the cells whose success theory bounds."""
        return bounded(self.rates)

    @property
    def has_bound(self) -> bool:
        """Whether theory bounds success anywhere."""
        return len(self.bounded) > 0

    @property
    def tested(self) -> list[Verdict]:
        """The verdicts; where theory bounds nothing, of laws alone that anything tested."""
        return [verdict for verdict in self.verdicts if self.has_bound or verdict.n]

    @property
    def is_deep(self) -> bool:
        """Whether any network has more than one hidden layer."""
        return bool((self.rates["depth"] > 2).any())

    @property
    def is_about_success(self) -> bool:
        """Whether there is anything to say of success: it is asked about, or any network had it."""
        return self.asked.quantity.name == SUCCESS or bool(self.rates["successes"].any())

    @property
    def has_one_place(self) -> bool:
        """Whether several curves are points at one place, upon each other in a figure over it."""
        return len(self.places) == 1 < len(self.rates)

    @property
    def has_fitted_curve(self) -> bool:
        """Whether anything was fitted to more than one width: a single point fits every q."""
        activity = self.fits.activity
        several = len(activity) > 0 and bool((activity["n_cells"] > 1).any())
        return several and self.is_about_success

    @property
    def has_widths(self) -> bool:
        """Whether the least width that suffices can be told: of a curve of more than one."""
        several = self.rates.groupby("curve")["width"].nunique() > 1
        if self.fits.widths.empty or not several.any() or not self.is_about_success:
            return False
        return bool(self.fits.widths[["width", "width_measured"]].notna().any(axis=None))

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by the name of its CSV file; those without rows are left out."""
        measured = self.measured
        tables = {
            "rates": self.rates.reset_index(),
            "boundaries": self.boundaries,
            "effective_activity": self.fits.activity,
            "models": self.fits.models,
            "model_comparisons": self.fits.comparisons,
            "residuals": self.fits.residuals,
            "widths_needed": self.fits.widths,
            "predictions": self.predictions.reset_index(),
            "laws": verdict_table(self.tested),
            "count_tests": measured.count_tests.reset_index(),
            "count_shares": measured.count_shares,
            "failures": self.failures,
            "survival": self.survival,
            "census": measured.census,
            "losses": measured.losses,
            "collapse": measured.collapse,
            "measures": measured.measures,
            "comparisons": self.comparisons.places,
            "pooled_comparisons": self.comparisons.pooled,
            "quantities": measured.quantities,
            "asked": self.asked.pairs,
            "collapsed_to": measured.collapsed_to,
            "scaling": self.scaling,
            "published": self.published,
            "blocks": measured.blocks,
        }
        return {name: table for name, table in tables.items() if len(table)}


def find(study: Study, storage: Storage, shared: Shared | None = None) -> Findings:
    """Analyze what storage holds of a study, finished or not.

    Args:
        study: The study.
        storage: Where its rows are.
        shared: Sums up rows in other processes, too; see `gather`.

    Raises:
        InputError: If storage holds nothing of it.
    """
    cells = cells_in_place(study, storage)
    stored = {file.cell for file in storage.block_files(study.name, cells)}
    kept = [cell for cell in cells if cell in stored]
    if not kept:
        raise InputError(
            f"no results of {study.name} in {storage.shown}; first run it: trainability run"
        )
    growth = stored_growth(study, storage)
    chosen = {cell: cells[cell] for cell in kept}
    theory = expectations(chosen)
    measured = gather(
        study.name, storage, kept, count_laws(chosen), best_constants(chosen), LEVEL, shared
    )
    stopping = stopping_growth(study, storage)
    rates, n_looks = with_valid_intervals(measured.rates, measured.networks, stopping, LEVEL)
    rates = with_predicted_success(rates.join(theory), chosen, study.name, storage)
    rates[WIDTHS] = rates.index.map(width_texts(chosen))
    varied = arguments(cells, rates)  # of all: axes stay the same while cells come in
    x, curves = _curves(rates := varied.on(rates), varied)
    rates.insert(0, "curve", _labels(rates, curves, varied.columns))
    ordered = places(rates, x)
    at = pd.Categorical(rates[x], ordered).codes
    rates = rates.iloc[np.lexsort((at, pd.factorize(rates["curve"])[0]))]
    refined = None if growth is None else growth.refine
    quantities = valid_quantities(measured.quantities, rates)
    drawn = with_streams(rates, chosen)
    grown = growths(rates, chosen, of_one_look(LEVEL, n_looks))
    fits = fit_curves(rates, chosen, x, LEVEL)
    predictions = prediction_tests(rates, x, n_looks, LEVEL)
    return Findings(
        study=study,
        cells=cells,
        rates=rates,
        x=x,
        places=ordered,
        curves=curves,
        arguments=varied.columns,
        refined=refined,
        boundaries=boundaries(rates, chosen, x, refined),
        fits=fits,
        predictions=predictions,
        verdicts=theory_verdicts(rates, measured, predictions, n_looks),
        failures=failures_by_curve(measured.failures, rates, LEVEL),
        survival=survival_by_cell(measured.networks, rates, LEVEL),
        comparisons=compare_strategies(study, drawn, measured.networks, n_looks, LEVEL, varied),
        asked=ask(study, drawn, quantities, n_looks, LEVEL, varied),
        scaling=scaling(grown),
        published=paper_beside_ours(study, chosen, quantities, LEVEL, n_looks, grown),
        measured=measured,
        n_looks=n_looks,
        n_wanted=_wanted(rates, cells, study),
    )


def _wanted(rates: pd.DataFrame, cells: dict[str, Cell], study: Study) -> int:
    first = study.n_blocks * BLOCK_SIZE
    wanted = rates["n_wanted"].to_dict()
    return sum(max(int(wanted.get(cell, first)), first) for cell in cells)


def _curves(rates: pd.DataFrame, varied: Arguments) -> tuple[str, list[str]]:
    """The axis along which curves run, and the identity columns that tell them apart."""
    wide = varied.x or width_axis(rates)
    varies = [
        name
        for name in axis_columns(rates, [] if wide == NETWORK else varied.columns)
        if len(rates[name].drop_duplicates()) > 1 and is_compared(name, rates)
    ]
    if wide == WIDTHS:  # a text that says the depth too, where that varies
        varies = [name for name in varies if name != "depth"]
    has_depths = "depth" in varies and rates["depth"].notna().all()  # modules may have none
    x = "depth" if has_depths and wide not in varies else wide
    return x, [name for name in varies if name != x] or ["scheme"]


_ABSENT = {"batch_size": "full batch"}
"""What a value that is missing says. A curve has a tolerance or a target accuracy: of the other
there is nothing to say."""


def _labels(rates: pd.DataFrame, columns: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """The short name of every cell's curve."""
    parts = []
    for column in columns:
        missing = rates[column].isna()
        written = rates[column].astype(object).where(~missing, None).map(str)
        names = short(list(dict.fromkeys(written[~missing])))
        words = "" if column in (*STRATEGIES, *arguments) else f"{label(column)} "
        absent = _ABSENT.get(column, "")
        parts.append([words + names[name] if name in names else absent for name in written])
    return [", ".join(filter(None, entries)) for entries in zip(*parts, strict=True)]
