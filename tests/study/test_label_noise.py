"""Targets that are exchanged among training points: which, how, and what is proven of them."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from example_cells import a_cell
from torch import nn

from trainability import Adam, Study, Tuning
from trainability.domains import Box
from trainability.errors import InputError, StudyError
from trainability.findings.scaling import growths
from trainability.losses import BinaryCrossEntropy
from trainability.schemes import DataDependent, He
from trainability.study import Module, Published
from trainability.study.axes.label_noise import LabelNoise
from trainability.study.published import cells_of
from trainability.tasks import AbsoluteValue, Function, Table, TwoMoons
from trainability.tasks.classes import best_constant_accuracy
from trainability.trial import Runtime, run_trial
from trainability.tuning import Choice, SuccessRate

TASK = AbsoluteValue(n_train=20)
CLEAN = TASK.data()[1]
LINE = Function("a line", lambda x: x[:, 0], Box(1, 1.0), n_train=20)
"""Of which every point has a target of its own."""


def noisy(share: float, task=TASK):
    return a_cell(task=task, label_noise=share)


def small(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))


@pytest.mark.parametrize("share", [0.1, 0.33, 0.5, 1.0])
def test_that_share_of_the_points_has_the_target_of_another_of_them(share) -> None:
    task = noisy(share, task=LINE).task
    x, y = task.data()
    clean = LINE.data()[1]
    np.testing.assert_array_equal(x, LINE.data()[0])
    moved = np.flatnonzero((y != clean).any(axis=1))
    assert len(moved) == round(share * 20)
    np.testing.assert_array_equal(np.sort(y[moved], axis=0), np.sort(clean[moved], axis=0))
    assert task.domain == LINE.domain and str(task) == str(LINE)


def test_more_noise_is_on_more_of_the_same_points() -> None:
    moved = [
        set(np.flatnonzero(noisy(share, task=LINE).task.data()[1] != LINE.data()[1]))
        for share in (0.1, 0.3, 0.6, 1.0)
    ]
    assert all(a < b for a, b in itertools.pairwise(moved))


def test_the_task_chooses_them_and_neither_seed_nor_scheme_nor_width() -> None:
    cell = noisy(0.5)
    for changes in ({"seed": 1}, {"scheme": He()}, {"width": 9}, {"max_steps": 8}):
        assert dataclasses.replace(cell, **changes).task is cell.task
    again = noisy(0.5, task=AbsoluteValue(n_train=20))
    assert again.task.fingerprint() == cell.task.fingerprint()


def test_a_tuning_evaluates_its_finalists_on_what_it_has_searched_on() -> None:
    tuning = Tuning(name="t", question="?", task=TASK, scheme=He(), optimizer=Adam(0.02),
                    vary={"scheme.bias_std": Choice([0.1, 1.0])}, objective=SuccessRate(width=4),
                    max_steps=5, tolerance=1e-3, budget=4096, **LabelNoise.fixed(0.5))  # fmt: skip
    searched, fresh = tuning.cell(None, 4), tuning.cell(None, 4, seed=tuning.fresh_seed)
    assert searched.task.fingerprint() == fresh.task.fingerprint() != TASK.fingerprint()


def test_how_often_each_target_occurs_stays_and_what_is_held_back_is_clean() -> None:
    """So a constant network reaches what it reached, and targets of success stay comparable."""
    moons = TwoMoons(n_train=31, n_validation=12)
    cell = a_cell(task=moons, loss=BinaryCrossEntropy(), label_noise=0.6)
    _, y = cell.task.data()
    assert (y != moons.data()[1]).any() and cell.task.n_classes == 2
    assert best_constant_accuracy(y) == best_constant_accuracy(moons.data()[1])
    np.testing.assert_array_equal(cell.task.validation()[1], moons.validation()[1])
    assert cell.best_loss_below_need == cell.loss.of_constant(moons.data()[1])


def test_no_need_is_proven_of_exchanged_targets() -> None:
    """|x| needs 2 active neurons; who knows how many its shuffled values need."""
    assert noisy(0.0).needs == (2,) and noisy(0.0).best_loss_below_need < float(np.var(CLEAN))
    for share in (0.1, 1.0):
        cell = noisy(share)
        assert cell.needs == (1,) and cell.proven_need == 1
        assert cell.best_loss_below_need == pytest.approx(float(np.var(CLEAN)), rel=1e-6)
        assert cell.columns()["need"] == 1 and cell.columns()["n_train"] == 20


def test_less_than_two_points_have_nothing_to_exchange() -> None:
    fixed = {"name": "n", "question": "?", "task": TASK, "scheme": He(), "optimizer": Adam(0.02),
             "max_steps": 5, "tolerance": 1e-3, "width": 4}  # fmt: skip
    with pytest.raises(StudyError, match=r"label_noise 0.05 of 20 .* wanted 0 or more than 0.075$"):
        Study(**fixed, axes={"label_noise": [0.0, 0.05, 0.5]})
    assert Study(**fixed, axes={**LabelNoise.over(0.0, 0.1)}).cells()[1].label_noise == 0.1
    assert Study(**fixed, axes={}, **LabelNoise.fixed(0.1)).label_noise == 0.1


@pytest.mark.parametrize("n_train", [2, 7, 16, 20, 30, 625, 10_000])
def test_a_share_that_is_refused_names_those_that_are_not(n_train) -> None:
    task = AbsoluteValue(n_train=n_train)
    with pytest.raises(InputError) as refused:
        noisy(1 / n_train, task=task).task.data()
    limit = float(str(refused.value).rpartition(" ")[2])
    noisy(math.nextafter(limit, 1), task=task).task.data()
    with pytest.raises(InputError):
        noisy(limit - 2e-6, task=task).task.data()


def test_shares_that_exchange_the_same_targets_are_no_two_cells() -> None:
    """For they are as many points, or because targets that come after each other are equal."""
    fixed = {"name": "n", "question": "?", "task": LINE, "scheme": He(), "width": 4,
             "optimizer": Adam(0.02), "max_steps": 5, "tolerance": 1e-3}  # fmt: skip
    with pytest.raises(StudyError) as refused:
        Study(**fixed, axes={"label_noise": [0.4, 0.41, 0.5, 0.42], "max_steps": [3, 4]})
    message = str(refused.value)
    assert message.startswith("2 problems")
    for share in (0.41, 0.42):
        assert f"label_noise 0.4 and label_noise {share} are the same points of Func" in message
    assert len(Study(**fixed, axes={"label_noise": [0.0, 0.4, 0.43, 0.5]}).cells()) == 4
    signs = Function("signs", lambda x: np.sign(x[:, 0]), LINE.domain, n_train=20)
    shares = [n / 20 for n in range(2, 21)]
    with pytest.raises(StudyError, match="are the same points of Function.name='signs'"):
        Study(**fixed | {"task": signs}, axes={"label_noise": shares})


@pytest.mark.parametrize(
    ("tasks", "family"),
    [
        ([AbsoluteValue(n) for n in (16, 32, 64)], "AbsoluteValue"),
        ([Table(dataset="diabetes", rows=n) for n in (16, 32, 64)], "diabetes"),
    ],
    ids=["type", "dataset"],
)
def test_a_family_of_noisy_tasks_has_the_name_that_it_has_without_noise(tasks, family) -> None:
    cells = [a_cell(task=task, width=width, depth=2, label_noise=0.5)
             for task in tasks for width in (2, 4, 8, 16, 32)]  # fmt: skip
    counts = [round(4096 / (1 + 9 * cell.task.n_train / cell.width**2)) for cell in cells]
    rates = pd.DataFrame(
        [
            cell.columns() | {"n": 4096, "successes": n}
            for cell, n in zip(cells, counts, strict=True)
        ]
    ).set_index("cell")
    [grown] = growths(rates, {cell.id: cell for cell in cells}, 0.95)
    assert grown.family == family


def test_a_table_of_numbers_with_noise_may_be_one_of_classes_too() -> None:
    with pytest.raises(StudyError, match=r"got Table\(.*; give a tolerance .*, or classes=True"):
        Study(name="n", question="?", task=Table(dataset="diabetes", rows=20), scheme=He(),
              optimizer=Adam(0.02), max_steps=5, target_accuracy=0.9, width=4, axes={},
              **LabelNoise.fixed(0.5))  # fmt: skip


def test_published_numbers_may_be_of_a_share() -> None:
    cells = [noisy(share) for share in (0.0, 0.25, 0.5)]
    number = Published(source="s", quantity="success", value=0.5,
                       where={"label_noise": 0.25, "task": TASK})  # fmt: skip
    assert cells_of(number.where, cells) == [cells[1]]


@pytest.mark.parametrize(
    "own",
    [{}, {"scheme": DataDependent()}, {"batch_size": 4}, {"network": Module(small), "depth": None}],
    ids=str,
)
def test_networks_learn_the_exchanged_targets(own) -> None:
    """Whatever draws and trains them: at birth their loss is that on the noisy points."""
    cell = a_cell(task=TASK, **{"scheme": He(bias_std=1.0), "label_noise": 0.5} | own)
    rows, _ = run_trial("noisy", cell, [0], Runtime(engine="auto"))
    clean, _ = run_trial("noisy", dataclasses.replace(cell, label_noise=0.0), [0], Runtime())
    assert (rows["label_noise"] == 0.5).all() and (clean["label_noise"] == 0.0).all()
    assert (rows["initial_loss"] != clean["initial_loss"]).mean() > 0.9
    assert not (rows["success"] & ~rows["trainable"]).any()
    if cell.network is None and not cell.scheme.needs_data:
        assert rows["active_init"].map(list).equals(clean["active_init"].map(list))
