"""What a study found: its tables, from the rows that storage holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from trainability.analysis.laws import Verdict, verdict_table
from trainability.errors import InputError
from trainability.findings.boundaries import boundaries
from trainability.findings.comparing import Comparisons, compare_strategies, paper_beside_ours
from trainability.findings.expectations import count_laws, expectations
from trainability.findings.fitting import Fits, fit_curves
from trainability.findings.gather import Measured, gather
from trainability.findings.labels import short
from trainability.findings.reasons import failures_by_curve, survival_by_cell
from trainability.findings.verdicts import theory_verdicts
from trainability.growth import cells_in_place
from trainability.growth.intervals import with_valid_intervals
from trainability.growth.rounds import stored_growth
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study import Cell, Study

LEVEL = 0.95


@dataclass(frozen=True)
class Findings:
    """Everything a report says.

    Args:
        study: The study.
        cells: Its cells by id, those beyond the grid included.
        rates: One row per cell with networks: rates with intervals that are valid however the
            study grew, theory, and `curve`, the short name of what tells curves over `x` apart.
        x: The column along which curves run: `width`, or `depth` if only that varies.
        curves: The identity columns behind `curve`.
        refined: The success rate whose boundary the study was refined for, or None.
        boundaries: Where success crosses it.
        fits: Fits of success over width; empty for deep networks.
        verdicts: The tests of theory.
        failures: Why trainable networks failed, by curve.
        survival: Share of networks without success over steps, by cell.
        comparisons: Value against value of every axis of strategies.
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
    curves: list[str]
    refined: float | None
    boundaries: pd.DataFrame
    fits: Fits
    verdicts: list[Verdict]
    failures: pd.DataFrame
    survival: pd.DataFrame
    comparisons: Comparisons
    published: pd.DataFrame
    measured: Measured
    n_looks: int
    n_wanted: int

    @property
    def n_networks(self) -> int:
        """Networks behind it all."""
        return int(self.rates["n"].sum())

    @property
    def is_complete(self) -> bool:
        return self.n_networks >= self.n_wanted

    @property
    def is_deep(self) -> bool:
        """Whether any network has more than one hidden layer."""
        return bool((self.rates["depth"] > 2).any())

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
            "laws": verdict_table(self.verdicts),
            "count_tests": measured.count_tests.reset_index(),
            "count_shares": measured.count_shares,
            "failures": self.failures,
            "survival": self.survival,
            "census": measured.census,
            "losses": measured.losses,
            "comparisons": self.comparisons.places,
            "pooled_comparisons": self.comparisons.pooled,
            "published": self.published,
            "blocks": measured.blocks,
        }
        return {name: table for name, table in tables.items() if len(table)}


def find(study: Study, storage: Storage) -> Findings:
    """Analyze what storage holds of a study, finished or not.

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
    measured = gather(study.name, storage, kept, count_laws(chosen), LEVEL)
    rates, n_looks = with_valid_intervals(measured.rates, measured.networks, growth, LEVEL)
    rates = rates.join(theory)
    x, curves = _curves(study, rates)
    rates.insert(0, "curve", _labels(rates, curves))
    rates = rates.iloc[np.lexsort((rates[x], pd.factorize(rates["curve"])[0]))]
    refined = None if growth is None else growth.refine
    fits = fit_curves(rates, chosen, x, LEVEL)
    return Findings(
        study=study,
        cells=cells,
        rates=rates,
        x=x,
        curves=curves,
        refined=refined,
        boundaries=boundaries(rates, chosen, x, refined),
        fits=fits,
        verdicts=theory_verdicts(rates, measured, n_looks),
        failures=failures_by_curve(measured.failures, rates, LEVEL),
        survival=survival_by_cell(measured.networks, rates, LEVEL),
        comparisons=compare_strategies(study, rates, measured.networks, n_looks, LEVEL),
        published=paper_beside_ours(study, rates, LEVEL),
        measured=measured,
        n_looks=n_looks,
        n_wanted=_wanted(rates, cells, study),
    )


def _wanted(rates: pd.DataFrame, cells: dict[str, Cell], study: Study) -> int:
    first = study.n_blocks * BLOCK_SIZE
    wanted = rates["n_wanted"].to_dict()
    return sum(max(int(wanted.get(cell, first)), first) for cell in cells)


def _curves(study: Study, rates: pd.DataFrame) -> tuple[str, list[str]]:
    """The axis along which curves run, and the identity columns that tell them apart."""
    varies = [
        name
        for name in ("task", "scheme", "width", "depth", "optimizer", "batch_size", "max_steps",
                     "tolerance", "activation", "loss", "penalty")
        if name in rates and len(rates.drop_duplicates(subset=name)) > 1
    ]  # fmt: skip
    x = "depth" if "depth" in varies and "width" not in varies else "width"
    return x, [name for name in varies if name != x] or ["scheme"]


_STRATEGIES = ("task", "scheme", "optimizer", "activation", "loss", "penalty")


def _labels(rates: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """The short name of every cell's curve."""
    parts = []
    for column in columns:
        written = rates[column].astype(str)
        names = short(list(dict.fromkeys(written)))
        words = "" if column in _STRATEGIES else f"{column.replace('_', ' ')} "
        parts.append([words + names[name] for name in written])
    return [", ".join(entries) for entries in zip(*parts, strict=True)]
