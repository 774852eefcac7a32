"""Tasks of classes: whose points they are, how targets stand for classes, what is held back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_digits, make_moons

from trainability.errors import DataError, InputError
from trainability.losses import BinaryCrossEntropy, CrossEntropy
from trainability.tasks import Table, TwoMoons, TwoSpirals
from trainability.tasks.classes import (
    best_constant_accuracy,
    class_indices,
    class_targets,
    classes_problem,
)

TASKS = [TwoMoons, TwoSpirals]


def in_order(x, labels):
    """Points with their labels, sorted, rounded to what float32 keeps."""
    table = np.column_stack([np.asarray(x, dtype=np.float64).round(5) + 0.0, labels])
    return table[np.lexsort(table.T)]


@pytest.mark.parametrize("n", [2, 3, 10, 101])
def test_moons_without_noise_are_those_of_scikit_learn(n):
    x, y = TwoMoons(n_train=n, noise=0.0).data()
    np.testing.assert_allclose(in_order(x, y[:, 0]), in_order(*make_moons(n)), atol=2e-5)


def test_spirals_are_those_of_the_benchmark():
    i = np.arange(97)
    angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
    first = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    x, y = TwoSpirals().data()
    wanted = in_order(np.concatenate([first, -first]), np.repeat([0, 1], 97))
    np.testing.assert_allclose(in_order(x, y[:, 0]), wanted, atol=2e-5)


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_points_that_are_held_back_change_no_training_point(kind, noise):
    alone, with_validation = kind(noise=noise), kind(noise=noise, n_validation=31)
    assert alone.validation() is None and alone.validation_fingerprint() is None
    assert alone.fingerprint() == with_validation.fingerprint()
    x, y = with_validation.validation()
    assert x.shape == (31, 2) and y.shape == (31, 1) and with_validation.n_validation_points == 31
    assert sorted(np.bincount(class_indices(y))) == [15, 16]
    trained = {tuple(point) for point in with_validation.data()[0]}
    assert not trained & {tuple(point) for point in x}
    assert kind(n_validation=31, noise=0.3).validation_fingerprint() != (
        with_validation.validation_fingerprint()
    )


@pytest.mark.parametrize("kind", TASKS)
def test_a_seed_is_a_data_set_and_a_louder_noise_the_same_noise_enlarged(kind):
    plain, quiet, loud = (kind(noise=noise).data() for noise in (0.0, 0.1, 0.3))
    np.testing.assert_array_equal(quiet[1], loud[1])
    np.testing.assert_allclose(loud[0] - plain[0], 3 * (quiet[0] - plain[0]), atol=1e-5)
    assert kind(seed=1, noise=0.1).fingerprint() != kind(noise=0.1).fingerprint()
    # Kolmogorov-Smirnov at 1e-6: the noise is normal with the stated deviation.
    noise = (
        kind(n_train=2000, noise=0.1).data()[0] - kind(n_train=2000, noise=0.0).data()[0]
    ) / 0.1
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-6


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_validation": -1}, "n_validation must be an int >= 0, got -1"),
        ({"n_validation": 2.5}, "n_validation must be an int >= 0, got 2.5"),
        ({"noise": -0.1}, "noise must be a finite number >= 0, got -0.1"),
        ({"noise": float("nan")}, "noise must be a finite number >= 0, got nan"),
        ({"one_hot": 1}, "one_hot must be True or False, got 1"),
        ({"seed": None}, "seed must be an int >= 0, got None"),
    ],
)
def test_settings_that_can_not_be_are_refused(kind, settings, message):
    with pytest.raises(InputError, match=message):
        kind(**settings)
    with pytest.raises(InputError, match=r"n_train must be .* got 1(.|\n)*" + message):
        kind(n_train=1, **settings)


@pytest.mark.parametrize(("n_classes", "one_hot"), [(2, False), (2, True), (3, False), (10, True)])
def test_targets_and_classes_are_inverse(n_classes, one_hot):
    classes = np.random.default_rng(0).integers(n_classes, size=50)
    y = class_targets(classes, n_classes, one_hot)
    assert y.shape == (50, 1 if n_classes == 2 and not one_hot else n_classes)
    np.testing.assert_array_equal(class_indices(y), classes)
    assert classes_problem(y, n_classes) is None


@pytest.mark.parametrize(
    ("y", "n_classes", "message"),
    [
        ([[0.0], [1.0]], 3, "must have 3 columns"),
        ([[0.0], [1.0]], 1, "2 classes or more"),
        ([[0.0], [0.5]], 2, "must be 0 or 1"),
        ([[1.0, 1.0], [1.0, 0.0]], 2, "1 in one column of several"),
    ],
)
def test_targets_that_are_no_classes_are_told(y, n_classes, message):
    assert message in str(classes_problem(np.array(y), n_classes))


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_what_a_constant_reaches_by_two_routes(n_classes):
    """The largest share against all constants, the least loss against the entropy of scipy."""
    classes = np.random.default_rng(n_classes).integers(n_classes, size=77) // 2
    n = classes.max() + 1
    named = [float(np.mean(classes == one)) for one in range(n)]
    for one_hot in (False, True):
        y = class_targets(classes, max(2, n), one_hot)
        assert best_constant_accuracy(y) == max(named)
        if y.shape[1] > 1:
            wanted = stats.entropy(np.bincount(classes))
            assert CrossEntropy().of_constant(y) == pytest.approx(wanted, rel=1e-12)
        else:
            wanted = stats.bernoulli(y.mean()).entropy()
            assert BinaryCrossEntropy().of_constant(y) == pytest.approx(wanted, rel=1e-12)


def table(folder, suffix, target, **settings):
    """A table of 12 rows with one feature and this target."""
    columns = {"a": np.arange(12.0) ** 2, "kind": target}
    path = folder / f"data{suffix}"
    if suffix == ".npz":
        np.savez(path, **{name: np.asarray(values) for name, values in columns.items()})
    elif suffix == ".parquet":
        pd.DataFrame(columns).to_parquet(path)
    else:
        pd.DataFrame(columns).to_csv(path, index=False)
    return Table(str(path), features=["a"], target="kind", classes=True, **settings)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
@pytest.mark.parametrize(
    "names", [["no", "yes"], [0, 1], [False, True], [-1, 7], ["1", "1.5 mm"], ["NA", "b"]]
)
def test_texts_ints_and_truth_values_are_classes(tmp_path, suffix, names):
    which = np.array([0, 1, 1] * 4)
    task = table(tmp_path, suffix, [names[k] for k in which])
    assert task.n_classes == 2
    np.testing.assert_array_equal(task.data()[1], which[:, None])
    both = table(tmp_path, suffix, [names[k] for k in which], one_hot=True)
    np.testing.assert_array_equal(both.data()[1], np.eye(2)[which])


def test_more_classes_than_two_have_an_output_each_in_sorted_order(tmp_path):
    task = table(tmp_path, ".csv", [10, 9, 2, 2] * 3)
    assert task.n_classes == task.d_out == 3
    np.testing.assert_array_equal(class_indices(task.data()[1]), [2, 1, 0, 0] * 3)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([0.5, 1.0] * 6, "holds 0.5, which is no class"),
        ([np.inf, 1.0] * 6, "holds inf, which is no class"),
        ([1, 0, np.nan] * 4, "has no class in row 3"),
        (["a", "", "b"] * 4, "has no class in row 2"),
        (list(range(12)), "holds 12 classes in 12 rows; wanted 2 to 100 classes"),
        (["a"] * 12, "holds 1 class in 12 rows"),
    ],
)
def test_what_is_no_class_is_refused(tmp_path, suffix, target, message):
    with pytest.raises(DataError, match=message):
        table(tmp_path, suffix, target).data()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dataset": "digits", "classes": 1}, "classes must be True or False, got 1"),
        ({"dataset": "digits", "one_hot": True}, "one_hot is for classes; add classes=True"),
        ({"dataset": "diabetes", "classes": True}, '"diabetes" has no classes'),
        ({"dataset": "digits", "n_validation": -1}, "n_validation must be an int >= 0, got -1"),
        ({"dataset": "digits", "seed": "a"}, "seed must be an int >= 0, got 'a'"),
        (
            {"path": "a.csv", "features": ["a"], "target": ["b", "c"], "classes": True},
            "target must be one column with classes=True",
        ),
    ],
)
def test_settings_of_classes_that_can_not_be_are_refused(settings, message):
    with pytest.raises(DataError, match=message):
        Table(**settings)


def test_validation_rows_are_scaled_as_the_others_and_change_nothing_but_who_is_left(tmp_path):
    rng = np.random.default_rng(1)
    columns = {"a": rng.normal(5, 3, 40), "b": rng.normal(0, 1, 40), "y": rng.normal(2, 7, 40)}
    path = tmp_path / "data.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    task = Table(str(path), features=["a", "b"], target="y", n_validation=15, seed=4)
    (x, y), (held_x, held_y) = task.data(), task.validation()
    assert task.n_train == 25 and len(held_x) == len(held_y) == 15
    for got, held, values in (
        (x[:, 0], held_x[:, 0], columns["a"]),
        (y[:, 0], held_y[:, 0], columns["y"]),
    ):
        # One line takes all rows, trained on and held back, to what networks see.
        both = np.sort(np.concatenate([got, held]))
        slope, offset = np.polyfit(both, np.sort(values), 1)
        np.testing.assert_allclose(slope * both + offset, np.sort(values), atol=1e-5)
        assert got.mean() == pytest.approx(0, abs=1e-6) and got.std() == pytest.approx(1, abs=1e-6)
    other = Table(str(path), features=["a", "b"], target="y", n_validation=15, seed=5)
    assert other.fingerprint() != task.fingerprint()
    same = pd.read_csv(path)
    plain = Table(str(path), features=["a", "b"], target="y")
    assert plain.validation() is None and plain.n_train == len(same)


def test_too_many_validation_rows_are_refused(tmp_path):
    with pytest.raises(DataError, match="n_validation is 11, of 12 rows; leave at least 2"):
        table(tmp_path, ".csv", ["a", "b"] * 6, n_validation=11).data()
    rare = ["a"] * 10 + ["b"] * 2
    with pytest.raises(DataError, match="a class is the same in all 2 training rows"):
        table(tmp_path, ".csv", rare, n_validation=10).data()


def test_digits_are_ten_classes():
    task = Table(dataset="digits", rows=300, classes=True, n_validation=100)
    _, digits = load_digits(return_X_y=True)
    got = np.concatenate([class_indices(task.data()[1]), class_indices(task.validation()[1])])
    np.testing.assert_array_equal(np.bincount(got), np.bincount(digits[:300]))
    assert task.n_classes == task.d_out == 10 and task.n_train == 200
    assert np.isfinite(task.validation()[0]).all()
