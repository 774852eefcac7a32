"""What a study found: its tables, from the rows that storage holds."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from trainability.analysis.expected import expected_trainability
from trainability.analysis.fits import effective_activity
from trainability.analysis.laws import Verdict, untrainable_never_succeed
from trainability.analysis.rates import success_rates, varying
from trainability.results import SCHEMA
from trainability.storage import Storage
from trainability.study import Study
from trainability.theory import born_dead_probability

LEVEL = 0.95


@dataclass(frozen=True)
class Findings:
    """Everything a report says.

    Args:
        study: The study.
        rates: One row per cell: rates with intervals, and theory.
        activity: One row per curve: the fitted effective activity q beside 1 - p.
        verdicts: The tests of the theory.
        n_networks: Networks behind it all.
        n_wanted: Networks that the study asks for.
    """

    study: Study
    rates: pd.DataFrame
    activity: pd.DataFrame
    verdicts: list[Verdict]
    n_networks: int
    n_wanted: int

    @property
    def is_complete(self) -> bool:
        return self.n_networks >= self.n_wanted

    @property
    def curve_columns(self) -> list[str]:
        """The columns that tell the curves over width apart; at least the scheme."""
        return varying(self.rates) or ["scheme"]


def find(study: Study, storage: Storage) -> Findings:
    """Analyze what storage holds of a study, finished or not."""
    cells = {cell.id: cell for cell in study.cells()}
    there = {file.cell for file in storage.block_files(study.name, cells)}
    kept = [cell for cell in cells if cell in there]
    columns = [field.name for field in SCHEMA if not str(field.type).startswith("list")]
    rows = storage.read_rows(study.name, kept, columns)
    # Cells in the order of the grid, not of their hashes.
    rows["cell"] = pd.Categorical(rows["cell"], kept, ordered=True)
    rows = rows.sort_values(["cell", "replicate"], ignore_index=True)
    rows["cell"] = rows["cell"].astype(str)
    theory = pd.DataFrame(
        [
            {
                "trainability": float(expected),
                "trainability_se": expected.standard_error,
                "trainability_method": expected.method,
            }
            for expected in (expected_trainability(cells[cell]) for cell in kept)
        ],
        index=pd.Index(kept, name="cell"),
    )
    rates = success_rates(rows, theory, level=LEVEL)
    return Findings(
        study=study,
        rates=rates,
        activity=_activity(rates, cells),
        verdicts=[untrainable_never_succeed(rows)],
        n_networks=len(rows),
        n_wanted=len(cells) * study.n_blocks * 256,
    )


def _activity(rates: pd.DataFrame, cells: dict) -> pd.DataFrame:
    """The effective activity of every curve of shallow networks, beside the activity at birth."""
    shallow = rates[rates["depth"] == 2]
    if shallow.empty:
        return pd.DataFrame()
    by = varying(rates) or ["scheme"]
    fitted = effective_activity(shallow, by, LEVEL)
    widest = {tuple(row[name] for name in by): cell for cell, row in shallow.iterrows()}
    born_alive = []
    for key in fitted[by].itertuples(index=False, name=None):
        cell = cells[widest[key]]
        p = float(born_dead_probability(cell.scheme, cell.task.domain, cell.width))
        born_alive.append(1 - p)
    fitted["born_alive"] = born_alive
    return fitted
