"""The search as an Optuna study in an SQLite file, for Optuna's dashboard; storage is the truth."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import optuna

from trainability.tuning.result import Result
from trainability.tuning.sampler import parameters


class _Scratch(sqlite3.Connection):
    """Of a file that is read as soon as it is written: no transaction waits for the disk."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for pragma in ("synchronous = OFF", "journal_mode = MEMORY"):
            self.execute(f"PRAGMA {pragma}")


def optuna_file(result: Result) -> bytes:
    """The content of an SQLite file with one study: `optuna-dashboard sqlite:///optuna.db`.

    A trial per candidate, its values as measured in the search, and one per proposal that theory
    refused, pruned. Attributes of a trial: `networks`, `low` and `high` (limits of the first
    objective that hold for all candidates at all times), `hopeful`, and `fresh`, the values on
    fresh seeds, of finalists.
    """
    tuning, search = result.tuning, result.search
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = tuning.space
    fresh = {
        entry.settings: [estimate.value for estimate in entry.values]
        for entry in result.evaluated_again
    }
    trials = [
        optuna.trial.create_trial(
            **_named(parameters(space, standing.settings)),
            values=[estimate.value for estimate in standing.estimates],
            user_attrs={
                "networks": standing.n_networks,
                "low": standing.estimates[0].low,
                "high": standing.estimates[0].high,
                "hopeful": standing.hopeful,
            }
            | ({"fresh": fresh[standing.settings]} if standing.settings in fresh else {}),
        )
        for standing in search.standings
    ] + [
        optuna.trial.create_trial(
            **_named(parameters(space, settings)),
            state=optuna.trial.TrialState.PRUNED,
            user_attrs={"refused": "by theory it can't be best"},
        )
        for settings in search.refused
    ]
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "optuna.db"
            storage = optuna.storages.RDBStorage(
                f"sqlite:///{path}", engine_kwargs={"connect_args": {"factory": _Scratch}}
            )
            study = optuna.create_study(
                storage=storage,
                study_name=tuning.name,
                directions=["maximize" if p.maximize else "minimize" for p in tuning.objectives],
            )
            study.set_user_attr("question", tuning.question)
            study.add_trials(trials)
            storage.remove_session()
            with contextlib.suppress(AttributeError):
                storage.engine.dispose()
            return path.read_bytes()
    finally:
        optuna.logging.set_verbosity(verbosity)


def _named(pair: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    values, distributions = pair
    return {"params": values, "distributions": distributions}
