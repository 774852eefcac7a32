"""The best loss of few neurons, against brute force and against known values."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import minimize

from trainability.tasks import AbsoluteValue, BrokenAbsoluteValue, RotatedAbsoluteValues, best_loss
from trainability.tasks.hinges import best_hinges


def squares(x, y, kinks, sides):
    """Least squares for given kinks."""
    hinges = [np.maximum(s * (x - t), 0) for t, s in zip(kinks, sides, strict=True)]
    columns = np.stack([np.ones_like(x), *hinges], axis=1)
    residual = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    return residual @ residual


def by_brute_force(x, y, n_hinges):
    """A grid of kinks, then a local search from the best: never below the truth."""
    grid = np.unique(np.concatenate([x, np.linspace(x.min(), x.max(), 12)]))
    best = np.inf
    for sides in itertools.product((1, -1), repeat=n_hinges):
        starts = sorted(
            itertools.product(grid, repeat=n_hinges), key=lambda t: squares(x, y, t, sides)
        )
        for start in starts[:3]:
            least = minimize(
                lambda t, s: squares(x, y, np.clip(t, x.min(), x.max()), s),
                start,
                args=(sides,),
                method="Nelder-Mead",
                options={"xatol": 1e-9, "fatol": 1e-13},
            )
            best = min(best, least.fun, squares(x, y, start, sides))
    return best


def cases():
    rng = np.random.default_rng(3)
    for n in (2, 3, 4, 5, 7, 9):
        yield rng.normal(size=n), rng.normal(size=n)
        x = np.linspace(-1, 1, n)
        yield x, np.abs(x) - 1.5 * np.maximum(x - 0.4, 0)
    yield np.array([0.0, 0.0, 1.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0, 2.0, 5.0])
    yield np.zeros(3), np.array([0.0, 1.0, 3.0])


@pytest.mark.parametrize("n_hinges", [1, 2])
@pytest.mark.parametrize(("x", "y"), list(cases()))
def test_hinges_agree_with_brute_force(x, y, n_hinges):
    """Never above it but for rounding; below it by no more than its local search leaves."""
    exact, brute = best_hinges(x, y, n_hinges), by_brute_force(x, y, n_hinges)
    assert exact <= brute + 1e-12
    assert exact >= brute - 1e-6 * max(1, brute)


@pytest.mark.parametrize("n_hinges", [1, 2])
def test_what_hinges_make_they_fit(n_hinges):
    """Kinks off the grid, close together, both sides: the residual is rounding."""
    rng = np.random.default_rng(4)
    x = np.sort(rng.uniform(-2, 2, 24))
    for sides in itertools.product((1, -1), repeat=n_hinges):
        for kinks in ([0.123, 0.321], [-1.9, 1.9], [0.5, 0.500001]):
            terms = zip(kinks[:n_hinges], sides, (1.7, -0.6), strict=False)
            y = 0.3 + sum(a * np.maximum(s * (x - t), 0) for t, s, a in terms)
            assert best_hinges(x, y, n_hinges) < 1e-12 * (y @ y)


def test_order_shift_and_scale_of_the_data_change_nothing():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 30))
    order = rng.permutation(30)
    for n_hinges in (1, 2):
        plain = best_hinges(x, y, n_hinges)
        moved = best_hinges(4 * x[order] - 7, 10 * y[order] + 2, n_hinges)
        assert moved == pytest.approx(100 * plain, rel=1e-9)


def test_absolute_value_with_one_neuron_tends_to_3_minus_2_root_2():
    """c + a relu(x - t) against |x| on [-1, 1], minimized over c, a, t; on the interval of the
    task the loss is 3 times that. Grid: an error of order 1/n."""
    n = 20_000
    assert AbsoluteValue(n).best_loss_below_need() == pytest.approx(3 - 2 * math.sqrt(2), abs=5 / n)
    assert AbsoluteValue(100).best_loss_below_need() == pytest.approx(0.175, abs=5e-4)


def test_broken_absolute_value_with_two_neurons():
    assert BrokenAbsoluteValue(100).best_loss_below_need() == pytest.approx(0.0275, abs=5e-5)
    assert BrokenAbsoluteValue(200).best_loss_below_need() == pytest.approx(0.0267, abs=1e-4)


@pytest.mark.parametrize(
    "task",
    [AbsoluteValue(2), BrokenAbsoluteValue(2), BrokenAbsoluteValue(3), BrokenAbsoluteValue(4)],
)
def test_too_few_points_need_no_neurons(task):
    """|x| at +-sqrt 3 is constant, and so on: the bound is 0, so no tolerance is below it."""
    assert task.best_loss_below_need() == 0


def test_one_neuron_on_the_rotated_pair_is_bounded_by_the_smaller_principal_component():
    task = RotatedAbsoluteValues()
    y = task.data()[1].astype(np.float64)
    smaller = np.linalg.eigvalsh(np.cov(y.T, bias=True))[0] / 2
    assert task.best_loss_below_need() == pytest.approx(smaller, rel=1e-6)


def test_no_network_with_fewer_neurons_beats_the_bound():
    """Random hidden neurons, best output weights, in one and two dimensions."""
    rng = np.random.default_rng(6)
    for task in (AbsoluteValue(20), BrokenAbsoluteValue(20), RotatedAbsoluteValues(30)):
        x, y = (array.astype(np.float64) for array in task.data())
        bound = task.best_loss_below_need()
        for _ in range(300):
            w = rng.normal(size=(task.need - 1, task.d_in))
            hidden = np.maximum(x @ w.T + rng.normal(size=task.need - 1), 0)
            columns = np.column_stack([np.ones(len(x)), hidden])
            residual = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
            assert np.mean(residual**2) >= bound


def test_where_nothing_is_known_the_bound_is_0():
    rng = np.random.default_rng(7)
    assert best_loss(rng.normal(size=(9, 2)), rng.normal(size=(9, 1)), n_neurons=1) == 0
    assert best_loss(rng.normal(size=(9, 1)), rng.normal(size=(9, 1)), n_neurons=3) == 0
