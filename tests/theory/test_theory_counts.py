"""Laws of counts: binomial where neurons are independent, averaged over rows where not."""

import math

import numpy as np
import pytest
from chance import assert_counts
from scipy.stats import binom

from trainability.domains import Ball, Box, Points
from trainability.theory import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    OrthogonalRows,
    Uniform,
    active_count_pmf,
    born_dead_probability,
    permanent_count_pmf,
    permanent_probability,
)
from trainability.theory.questions.counts import binomial_pmf

GAUSSIAN = Gaussian(1.0, 1.0)
CLOUD = Points(np.random.default_rng(2).standard_normal((6, 3)) * 0.5)


def active(law, domain, width, n=40_000, seed=1):
    w, b = law.sample_layer(n, domain.d, width, np.random.default_rng(seed))
    alive = (b + domain.support(w) > 0).sum(axis=1)
    return np.bincount(alive, minlength=width + 1)


@pytest.mark.parametrize("p", [0.0, 1e-12, 0.3, 0.999, 1.0])
@pytest.mark.parametrize("n", [0, 1, 7, 300])
def test_the_binomial_law_is_scipys(p, n):
    ours = binomial_pmf(np.array([p]), n)[0]
    assert ours == pytest.approx(binom.pmf(np.arange(n + 1), n, p), rel=1e-10, abs=1e-300)


def test_wide_layers_keep_their_law():
    pmf = active_count_pmf(GAUSSIAN, Ball(1, 1.0), 20_000).pmf
    assert pmf.sum() == pytest.approx(1, rel=1e-9)
    assert pmf @ np.arange(20_001) == pytest.approx(15_000, rel=1e-9)


@pytest.mark.parametrize("law", [GAUSSIAN, Uniform(1.0), Asymmetric(0.6)], ids=str)
@pytest.mark.parametrize("domain", [Ball(1, 1.0), Box(3, 0.4), CLOUD], ids=str)
def test_independent_neurons_are_counted_by_the_binomial_law(law, domain):
    counts = active_count_pmf(law, domain, 4)
    p = born_dead_probability(law, domain)
    assert counts.pmf == pytest.approx(binom.pmf(range(5), 4, 1 - p.value), rel=1e-9)
    assert counts.method == p.method
    assert (counts.standard_error > 0).any() == (p.standard_error > 0)
    if not p.standard_error:
        assert_counts(active(law, domain, 4), counts.pmf)


def test_the_error_of_a_binomial_law_is_its_slope_times_that_of_p():
    counts = active_count_pmf(GAUSSIAN, CLOUD, 5)
    p = born_dead_probability(GAUSSIAN, CLOUD)
    step = 1e-6
    above, below = (binom.pmf(range(6), 5, 1 - p.value - s) for s in (step, -step))
    slope = (above - below) / (2 * step)
    assert counts.standard_error == pytest.approx(abs(slope) * p.standard_error, rel=1e-4)
    tail = np.cumsum(slope[::-1])[::-1]
    assert counts.tail_error == pytest.approx(abs(tail) * p.standard_error, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("bias_std", [0.0, 0.4])
@pytest.mark.parametrize(
    ("domain", "width"), [(Ball(2, 1.0), 5), (CLOUD, 2), (CLOUD, 7), (Box(2, 0.5), 2)], ids=str
)
def test_orthogonal_rows_depend_on_each_other(domain, width, bias_std):
    law = OrthogonalRows(1.0, bias_std, width)
    pmf = active_count_pmf(law, domain, width)
    counts = active(law, domain, width)
    assert pmf.method == "rao-blackwell"
    # Both are sampled: 6 standard errors of each cell, and of the binomial noise of the counts.
    share = counts / counts.sum()
    error = np.hypot(pmf.standard_error, np.sqrt(np.maximum(pmf.pmf, 1e-4) / counts.sum()))
    assert (np.abs(share - pmf.pmf) < 6 * error).all()


def test_orthogonal_rows_on_a_ball_are_independent_up_to_the_dimension():
    law = OrthogonalRows(1.0, 0.5, 3)
    counts = active_count_pmf(law, Ball(3, 1.0), 3)
    assert counts.method == "closed form"
    assert_counts(active(law, Ball(3, 1.0), 3), counts.pmf)


def test_a_law_of_counts_reads_as_an_array_and_has_tails():
    counts = active_count_pmf(GAUSSIAN, Ball(1, 1.0), 3)
    assert np.asarray(counts).tolist() == counts.pmf.tolist()
    assert np.asarray(counts, dtype=np.float32).dtype == np.float32
    assert counts.at_least(0).value == pytest.approx(1)
    assert counts.at_least(2).value == pytest.approx(0.84375)


@pytest.mark.parametrize(
    ("law", "p"),
    [
        (GAUSSIAN, 2.0**-4),
        (Gaussian(1.0, 0.0), 2.0**-3),
        (Uniform(0.1), 2.0**-4),
        (OrthogonalRows(1.0, 0.0, 2), 2.0**-3),
        (OrthogonalRows(1.0, 0.5, 5), 2.0**-4),
        (Asymmetric(0.6), 0.0),
        (KinkAtData(1.0, 0.1), 0.0),
    ],
    ids=str,
)
def test_permanent_death_is_a_matter_of_signs(law, p):
    assert float(permanent_probability(law, 3)) == pytest.approx(p, rel=1e-14)
    logarithm = permanent_probability(law, 3, log=True).value
    assert logarithm == pytest.approx(math.log(p) if p else -math.inf)
    if isinstance(law, KinkAtData):
        return
    width = law.fan_out if isinstance(law, OrthogonalRows) else 4
    w, b = law.sample_layer(20_000, 3, width, np.random.default_rng(7))
    dead = ((w <= 0).all(axis=2) & (b <= 0)).sum(axis=1)
    counts = np.bincount(dead, minlength=width + 1)
    pmf = permanent_count_pmf(law, 3, width)
    if pmf.method == "closed form":
        assert_counts(counts, pmf.pmf)
    else:
        error = np.sqrt(2 * np.maximum(pmf.pmf, 1e-4) / 10_000)
        assert (np.abs(counts / 20_000 - pmf.pmf) < 6 * error).all()
        assert pmf.method == "sampling"


def test_permanent_death_in_wide_layers_has_a_logarithm():
    assert permanent_probability(GAUSSIAN, 2000, log=True).value == -2001 * math.log(2)


def test_at_most_one_orthogonal_neuron_is_permanently_dead():
    counts = permanent_count_pmf(OrthogonalRows(1.0, 0.0, 3), 4, 3)
    assert counts.pmf.tolist() == [1 - 3 / 16, 3 / 16, 0, 0]
    assert permanent_count_pmf(OrthogonalRows(1.0, 0.2, 3), 4, 3).pmf[1] == 3 / 32
