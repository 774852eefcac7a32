"""The first sentence is about the axis that the study writes first, of whatever kind it is."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from study.test_axes_conformance import study, values_of
from synthetic_rows import MADE
from torch import nn

from trainability import Module, Study
from trainability.findings.labels import short
from trainability.findings.study import find
from trainability.report.better import NOUNS
from trainability.report.sentences import answer
from trainability.schemes import Glorot, He
from trainability.storage import Storage
from trainability.study.axes import AXES, AXIS, COMPARED, label
from trainability.tasks import AbsoluteValue
from trainability.trial import Runtime, run_trial

SCHEMES = [He(bias_std=1.0), Glorot()]
TASKS = [AbsoluteValue(n_train=n) for n in (8, 12, 16, 20, 24)]


def narrow() -> nn.Module:
    return nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1))


def wide() -> nn.Module:
    return nn.Sequential(nn.Linear(1, 6), nn.ReLU(), nn.Linear(6, 1))


def axes_of(name: str, first: bool) -> dict[str, Any]:
    """An axis before another one, or behind it."""
    values = values_of(name) if name != "network" else [Module(narrow), Module(wide)]
    other = {"width": [4, 6]} if name == "scheme" else {"scheme": SCHEMES}
    return {name: values} | other if first else other | {name: values}


def stored(study: Study, folder: Any, share: Any) -> Storage:
    """A share of the networks of every cell succeeds."""
    storage = Storage(folder)
    for cell in study.cells():
        # torch compiles nothing; of modules that is said of no engine.
        runtime = Runtime(engine="torch") if cell.network is None else Runtime()
        rows, _ = run_trial(study.name, cell, [0], runtime)
        trainable = rows["trainable"].to_numpy()
        lucky = trainable & (np.cumsum(trainable) <= 256 * share(cell))
        rows = rows.assign(
            success=lucky,
            status="ok",
            steps=cell.max_steps,
            final_loss=np.where(lucky, 1e-6, 1.0).astype(np.float32),
            accuracy=np.where(lucky, 1.0, 0.0).astype(np.float32),
        )
        storage.write_rows(study.name, rows, MADE)
    return storage


@cache
def texts_of(name: str) -> tuple[list[str], set[str]]:
    """The values of an axis as sentences say them, and the words for several of them."""
    values = next(iter(axes_of(name, first=True).values()))
    written = [AXIS[name].written(value) for value in values]
    if AXIS[name].is_strategy:
        written = [text.removesuffix("()") for text in short(list(map(str, written))).values()]
    words = {NOUNS[name]} if name in COMPARED else {label(name)}
    return [value if isinstance(value, str) else f"{value:g}" for value in written], words


@pytest.mark.parametrize("quantity", ["success", "born_dead"])
@pytest.mark.parametrize("name", AXES)
def test_the_first_sentence_is_about_the_first_axis(name, quantity, tmp_path):
    further = {"width": None, "depth": None} if name == "network" else {}
    declared = study(axes=axes_of(name, first=True), quantity=quantity, **further)
    values = [str(AXIS[name].written(value)) for value in declared.axes[name]]

    def rising(cell: Any) -> float:
        return 0.2 + 0.6 * values.index(str(cell.columns()[name])) / len(values)

    said = answer(find(declared, stored(declared, tmp_path, rising)))
    texts, words = texts_of(name)
    assert any(text in said[0] for text in texts), said[0]
    if name in COMPARED and quantity == "success":  # the better of two
        assert said[0].startswith(f"{texts[-1]} succeeds more often"), said[0]
        assert f"more often than {texts[0]}, beyond reasonable doubt" in said[0]
    else:
        assert any(word in said[0] for word in words), said[0]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("name", ["label_noise", "task", "width", "depth", "penalty"])
def test_an_axis_that_comes_later_is_not_what_is_asked(name, tmp_path):
    declared = study(axes=axes_of(name, first=False))

    def by_scheme(cell: Any) -> float:
        return 0.8 if cell.scheme == Glorot() else 0.2

    first = answer(find(declared, stored(declared, tmp_path, by_scheme)))[0]
    assert first.startswith(
        ("Glorot succeeds", "The difference in success between the 2 initializations")
    )


def test_where_no_width_suffices_the_rates_over_the_width_are_the_answer(tmp_path):
    declared = study(axes={"width": [4, 6], "scheme": SCHEMES})
    findings = find(declared, stored(declared, tmp_path / "few", lambda _: 0.25))
    assert answer(findings)[0].startswith("The rate of success is 25.0 % [")
    assert " at width 4 and 6 alike" in answer(findings)[0]
    enough = find(declared, stored(declared, tmp_path / "most", lambda _: 1.0))
    assert enough.fits.widths["width_measured"].notna().any()
    first = answer(enough)[0]
    assert first.startswith("Of the widths studied (4 and 6), width ")
    assert answer(enough).count(first) == 1


def test_of_many_tasks_those_with_the_least_and_the_most_are_named(tmp_path):
    declared = study(axes={"task": TASKS, "width": [4, 6]})
    shares = dict(zip(map(str, TASKS), (0.5, 0.75, 0.25, 0.125, 0.375), strict=True))
    findings = find(declared, stored(declared, tmp_path, lambda cell: shares[str(cell.task)]))
    first = answer(findings)[0]
    assert first.startswith("The rate of success is 12.5 % [") and " 75.0 % [" in first
    assert "] at task n train 20 and" in first and "] at task n train 12 (" in first
    assert first.count(" at task ") == 2


def test_an_axis_of_one_value_asks_nothing(tmp_path):
    declared = study(axes={"label_noise": [0.25], "scheme": SCHEMES})
    findings = find(declared, stored(declared, tmp_path, lambda _: 0.25))
    assert answer(findings)[0].startswith("The difference in success between the 2 initializations")
