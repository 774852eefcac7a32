"""Laws that every task obeys. A task dropped into the folder is tested without a line here."""

import dataclasses
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest
from rule_examples import LOSSES

from trainability.domains import Ball, Box, Points
from trainability.errors import InputError
from trainability.tasks import (
    AbsoluteValue,
    Arrays,
    BrokenAbsoluteValue,
    Digits,
    Examples,
    Function,
    RotatedAbsoluteValues,
    StepPlusSine,
    Table,
    Task,
    task_types,
)
from trainability.tasks.classes import classes_problem


def cubic(x):
    return x[:, 0] ** 3


def pair(x):
    return np.stack([x.sum(axis=1), (x**2).sum(axis=1)], axis=1)


def ring(x):
    return np.linalg.norm(x, axis=1) > 1


_FOLDER = tempfile.mkdtemp()
"""Another one in every process: names of tests, which must agree, leave it out."""


def pictures_file() -> str:
    path = Path(_FOLDER, "pictures.npz")
    np.savez(path, x=np.arange(72.0).reshape(8, 1, 3, 3), y=np.arange(8) % 3)
    return str(path)


EXAMPLES = {
    "Function": [
        Function("cubic", cubic, Box(1, 1.0), n_train=20),
        Function("cubic", cubic, Box(1, 1.0), n_train=20, need=3),
        Function("pair", pair, Ball(3, 2.0), n_train=50, need=2),
        Function("pair", pair, Box(2, (1.0, 2.0), center=(5.0, -1.0)), n_train=30),
        Function("pair", pair, Points([[0.1, 0.2], [1.0, 3.0], [2.0, 2.0]]), n_train=3),
        Function("ring", ring, Ball(2, 2.0), n_train=50, n_validation=20, classes=True),
    ],
    "Digits": [Digits(n_pictures=60, n_validation=10)],
    "Arrays": [
        Arrays(pictures_file(), inputs=["x"], target="y", standardize=["x"], n_validation=2)
    ],
    "Examples": [
        Examples("pairs", (np.arange(12.0).reshape(6, 2), np.arange(6) % 2), classes=True),
        Examples("graphs", (np.arange(36.0).reshape(4, 3, 3), np.eye(4), np.arange(4.0))),
    ],
    "Table": [
        Table(dataset="diabetes"),
        Table(dataset="digits", rows=40),
        Table(dataset="digits", rows=60, classes=True, n_validation=10),
    ],
}
OTHERS = [AbsoluteValue(3), BrokenAbsoluteValue(7), RotatedAbsoluteValues(50), StepPlusSine(33)]


def tasks() -> list[Task]:
    kinds = [k for k in task_types().values() if k.__module__.startswith("trainability.tasks.")]
    examples = [task for kind in kinds for task in EXAMPLES.get(kind.__name__) or [kind()]]
    return [*examples, *OTHERS]


NAMES = [str(task).replace(_FOLDER, "") for task in tasks()]
each_task = pytest.mark.parametrize("task", tasks(), ids=NAMES)


@each_task
def test_data_are_finite_float32_of_the_stated_shapes(task):
    x, y = task.data()
    assert x.dtype == y.dtype == np.float32
    assert x.shape == (task.n_train, task.d_in)
    assert y.shape == (task.n_train, task.d_out)
    assert np.isfinite(x).all() and np.isfinite(y).all()
    assert task.data()[0] is x


@each_task
def test_training_points_lie_in_the_domain_and_differ(task):
    x, _ = task.data()
    assert task.domain.d == task.d_in
    assert task.domain.contains(x.astype(np.float64)).all()
    assert len(np.unique(x, axis=0)) == len(x)


@each_task
def test_the_fingerprint_belongs_to_the_data(task):
    again = pickle.loads(pickle.dumps(dataclasses.replace(task)))
    assert again == task and hash(again) == hash(task)
    assert str(again) == str(task)
    assert again.fingerprint() == task.fingerprint()
    assert all(np.array_equal(a, b) for a, b in zip(again.data(), task.data(), strict=True))


def test_fingerprints_of_different_data_differ():
    prints = [task.fingerprint() for task in tasks()]
    twice = 1  # the same function once with need 1 and once with need 3
    assert len(set(prints)) == len(prints) - twice


@each_task
def test_targets_and_points_that_are_held_back_are_what_they_say(task):
    x, y = task.data()
    assert [loss for loss in LOSSES if loss.target_problem(y) is None]
    assert not task.n_classes or classes_problem(y, task.n_classes) is None
    held_back = task.validation()
    assert task.n_validation_points == (0 if held_back is None else len(held_back[0]))
    if held_back is not None:
        assert [part.dtype for part in held_back] == [np.float32] * 2
        assert held_back[0].shape[1:] == x.shape[1:] and held_back[1].shape[1:] == y.shape[1:]
        assert np.isfinite(held_back[0]).all() and np.isfinite(held_back[1]).all()
        assert not task.n_classes or classes_problem(held_back[1], task.n_classes) is None


@each_task
def test_the_best_loss_below_need_is_between_0_and_the_variance(task):
    _, y = task.data()
    variance = np.var(y.astype(np.float64), axis=0).mean()
    assert task.need >= 1
    assert 0 <= task.best_loss_below_need() <= variance
    if task.need == 1:
        assert task.best_loss_below_need() == pytest.approx(variance, rel=1e-6)


@pytest.mark.parametrize("bad", [0, 1, -3, 2.0, "9", None, True])
@pytest.mark.parametrize(
    "kind",
    [
        kind
        for name, kind in task_types().items()
        # Not those that other tests have defined.
        if name not in EXAMPLES and kind.__module__.startswith("trainability.")
    ],
    ids=lambda kind: kind.__name__,
)
def test_a_number_of_training_points_below_2_is_refused(kind, bad):
    with pytest.raises(
        InputError, match=f"{kind.__name__} n_train must be an int >= 2, got {bad!r}"
    ):
        kind(n_train=bad)
