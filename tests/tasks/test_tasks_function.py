import dataclasses

import numpy as np
import pytest

from trainability.domains import Box, Points
from trainability.errors import InputError
from trainability.tasks import Function

LINE = Box(1, 1.0)


def double(x):
    return 2 * x[:, 0]


def test_targets_belong_to_the_inputs_that_networks_see():
    x, y = Function("steep", lambda x: 1e6 * x[:, 0], LINE, n_train=7).data()
    assert np.array_equal(y, (1e6 * x.astype(np.float64)).astype(np.float32))


def test_a_function_is_found_again_by_its_name():
    task = Function("double", double, LINE, n_train=9)
    assert Function.registered("double", domain=LINE, n_train=9) == task
    assert "function" not in str(task) and "'double'" in str(task)


def test_the_latest_function_of_a_name_counts_and_changes_the_fingerprint():
    old = Function("changing", double, LINE, n_train=9)
    new = Function("changing", lambda x: 3 * x[:, 0], LINE, n_train=9)
    assert Function.registered("changing", domain=LINE, n_train=9) == new
    assert old.fingerprint() != new.fingerprint()


def test_an_unknown_name_says_what_to_load():
    with pytest.raises(InputError, match=r"no function 'nobody' is known .*give the study file"):
        Function.registered("nobody", domain=LINE, n_train=9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": " "}, "Function name must be a text such as 'cubic', got ' '"),
        ({"function": 3}, "Function function must take x of shape .*got 3"),
        ({"domain": (-1, 1)}, r"Function domain must be a Ball, a Box or Points, got \(-1, 1\)"),
        ({"n_train": 1}, "Function n_train must be an int >= 2, got 1"),
        ({"need": 0}, "Function need must be an int >= 1, got 0"),
        ({"domain": Points([[1.0], [2.0]])}, "n_train is 9, but its domain has only 2 points"),
        ({"name": "", "need": 0.5}, "(?s)2 problems.*name.*need"),
    ],
)
def test_settings_that_make_no_task_are_refused(settings, message):
    good = {"name": "double", "function": double, "domain": LINE, "n_train": 9}
    with pytest.raises(InputError, match=message):
        Function(**(good | settings))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x[:, 3], r"function 'bad' failed on x of shape \(9, 1\): IndexError"),
        (
            lambda x: 1.0,
            r"must return shape \(9,\) or \(9, d_out\) for x of shape \(9, 1\), got \(\)",
        ),
        (lambda x: x[:4], r"must return shape .* got \(4, 1\)"),
        (lambda x: x[:, :0], r"must return shape .* got \(9, 0\)"),
        (lambda x: np.full(9, np.nan), r"must be finite on its domain, got \[nan\] at x = \[-1.\]"),
        (lambda x: ["a"] * 9, "failed on x of shape .* ValueError"),
    ],
)
def test_a_function_that_gives_no_targets_is_refused(function, message):
    with pytest.raises(InputError, match=message):
        Function("bad", function, LINE, n_train=9).data()


@pytest.mark.parametrize("names", [[False, True], [3, 5], ["far", "near"], [0.0, 1.0]])
def test_a_function_may_name_classes(names):
    def side(x):
        return np.where(x[:, 0] > 0, names[1], names[0])

    task = Function("side", side, Box(2, 1.0), n_train=30, classes=True, n_validation=9)
    (x, y), (held_x, held_y) = task.data(), task.validation()
    assert task.n_classes == 2
    np.testing.assert_array_equal(y, x[:, :1] > 0)
    np.testing.assert_array_equal(held_y, held_x[:, :1] > 0)
    assert task.domain.contains(held_x.astype(float)).all() and len(held_x) == 9
    both = dataclasses.replace(task, one_hot=True)
    np.testing.assert_array_equal(both.data()[1].argmax(axis=1), x[:, 0] > 0)
    alone = dataclasses.replace(task, n_validation=0)
    assert alone.fingerprint() == task.fingerprint() and alone.validation() is None


def test_of_points_the_next_ones_are_held_back():
    points = np.arange(10.0)[:, None]
    task = Function("double", lambda x: 2 * x, Points(points), n_train=6, n_validation=3)
    np.testing.assert_array_equal(task.validation()[0], points[6:9])
    np.testing.assert_array_equal(task.validation()[1], 2 * points[6:9])
    with pytest.raises(InputError, match="n_validation is 5, but its domain has only 4 points"):
        dataclasses.replace(task, n_validation=5)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x[:, 0], "must return classes: .* got float64"),
        (lambda x: x > 2, "must return 2 to 100 classes, got 1"),
        (lambda x: np.stack([x[:, 0] > 0] * 2, axis=1), r"shape \(8,\), a class for each point"),
        (lambda x: x[:, 0] > (0 if len(x) == 8 else 9), None),
        (lambda x: np.where(np.abs(x[:, 0]) == 1, 7, np.sign(x[:, 0])), None),
        (lambda x: np.sign(x[:, 0]) + 5 * (len(x) != 8), "the class .* at a validation point"),
    ],
)
def test_what_names_no_classes_is_refused(function, message):
    task = Function("odd", function, Box(1, 1.0), n_train=8, n_validation=5, classes=True)
    if message is None:
        assert task.data() and task.validation()
        return
    with pytest.raises(InputError, match=message):
        (task.data(), task.validation())
