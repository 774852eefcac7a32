"""Every scheme on every domain: what theory says is what is drawn. A new scheme needs no line."""

import dataclasses
import math

import numpy as np
import pytest

from trainability.domains import Ball, Box, Points
from trainability.schemes import Layer, Scheme, scheme_types
from trainability.theory import (
    active_count_pmf,
    born_dead_network_probability,
    born_dead_probability,
    trainability_probability,
)

DOMAINS = [
    Ball(1, math.sqrt(3)),
    Ball(4, 0.8),
    Box(2, 1.0),
    Box(2, (0.5, 1.0), (0.3, 0.2)),
    Points(np.random.default_rng(3).standard_normal((7, 2)) * 0.5),
]
WIDTH, N = 3, 8_000


def examples() -> list[Scheme]:
    """Each packaged scheme as it comes, and with biases where it has a setting for them."""
    kinds = [k for k in scheme_types().values() if k.__module__.startswith("trainability.")]
    schemes: list[Scheme] = []
    for kind in kinds:
        fields = {field.name: field for field in dataclasses.fields(kind)}
        missing = [f for f in fields.values() if f.default is dataclasses.MISSING]
        inner = next(k for k in kinds if k.__name__ == "He")
        made = kind(*[inner(bias_std=0.5) for _ in missing])  # a wrapper takes a scheme
        schemes.append(made)
        if "bias_std" in fields:
            schemes.append(dataclasses.replace(made, bias_std=0.5))
    return schemes


def drawn(scheme: Scheme, domain, n, seed=0):
    rng = np.random.default_rng(seed)
    data = (None,) * 4
    if scheme.needs_data:
        x = domain.x if isinstance(domain, Points) else domain.sample(rng, 256)
        data = (x[None], np.ones((1, len(x)), bool), x, 1.0)
    w, b = scheme.draw(Layer(n, 1, 3, domain.d, WIDTH, *data), rng)
    return b + domain.support(w) <= 0


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@pytest.mark.parametrize("scheme", examples(), ids=str)
def test_what_is_drawn_is_what_theory_says(scheme, domain):
    p = born_dead_probability(scheme, domain, WIDTH)
    counts = active_count_pmf(scheme, domain, WIDTH)
    dead = drawn(scheme, domain, N)
    # Rows may depend on each other: the mean over networks is tested, by its own error; 6
    # standard errors, and 3 deaths where there are hardly any.
    share = dead.mean(axis=1)
    error = math.hypot(share.std() / math.sqrt(N), p.standard_error)
    assert abs(share.mean() - p.value) < 6 * error + 3 / N
    observed = np.bincount((~dead).sum(axis=1), minlength=WIDTH + 1) / N
    error = np.hypot(np.sqrt(counts.pmf / N), counts.standard_error)
    assert (np.abs(observed - counts.pmf) < 6 * error + 3 / N).all()


@pytest.mark.parametrize("domain", DOMAINS[::2], ids=str)
@pytest.mark.parametrize("scheme", examples(), ids=str)
def test_every_network_has_an_answer(scheme, domain):
    for method in ("chain", "product"):
        p = trainability_probability(scheme, domain, [3, 2], method=method, n_samples=500)
        assert 0 <= p.value <= 1 and math.isfinite(p.standard_error)
    p = born_dead_network_probability(scheme, domain, [3, 2], n_samples=500)
    assert 0 <= p.value <= 1 and math.isfinite(p.standard_error)
