"""Exact tests at one false-alarm rate, for sampling against theory."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest, chisquare

ALPHA = 1e-6


def assert_rate(n_events, n, p):
    """n_events of n is what probability p gives; fails once in 1e6 if it is."""
    assert binomtest(int(n_events), int(n), min(max(p, 0.0), 1.0)).pvalue > ALPHA, (n_events / n, p)


def assert_counts(counts: Sequence[int] | np.ndarray, pmf):
    """Counts of the outcomes 0, 1, ... are what a law gives: chi-square, small cells pooled."""
    counts, expected = np.asarray(counts, float), np.asarray(pmf, float) * np.sum(counts)
    order = np.argsort(expected)
    small = np.cumsum(expected[order]) < 20
    rest = order[~small]
    observed = np.append(counts[rest], counts[order[small]].sum())
    wanted = np.append(expected[rest], expected[order[small]].sum())
    if wanted[-1] < 20 and len(wanted) > 1:  # fold the pool into the next cell
        observed = np.append(observed[1:-1], observed[0] + observed[-1])
        wanted = np.append(wanted[1:-1], wanted[0] + wanted[-1])
    if len(wanted) > 1:
        assert chisquare(observed, wanted * observed.sum() / wanted.sum()).pvalue > ALPHA


def assert_estimates(estimate, p):
    """An estimate is within 6 standard errors of p: by the central limit theorem 2e-9, and 1e-6 is
    kept even where that is only roughly true."""
    assert estimate.standard_error > 0
    assert abs(estimate.value - p) < 6 * estimate.standard_error, (estimate, p)
