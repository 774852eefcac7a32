"""Domains: support functions by their definition, and what is refused."""

import numpy as np
import pytest

from trainability.domains import Ball, Box, Points
from trainability.errors import InputError

RNG = np.random.default_rng(0)
DOMAINS = [
    Ball(1, 2.0),
    Ball(3, 0.7),
    Box(2, 1.5),
    Box(3, (0.1, 2.0, 0.0), (1.0, -1.0, 0.5)),
    Points(RNG.standard_normal((9, 3))),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_the_support_is_the_largest_product_over_the_domain(domain):
    w = RNG.standard_normal((40, domain.d))
    x = domain.sample(RNG, 4000)
    assert domain.contains(x).all()
    highest = (w @ x.T).max(axis=1)
    support = domain.support(w)
    assert (highest <= support + 1e-12).all()
    # and it is reached: exactly on points and at corners, at radius w / |w| on a ball
    if isinstance(domain, Ball):
        best = domain.radius * w / np.linalg.norm(w, axis=1, keepdims=True)
    elif isinstance(domain, Box):
        best = np.where(w > 0, domain.high, domain.low)
    else:
        best = domain.x[(w @ domain.x.T).argmax(axis=1)]
    assert (best * w).sum(axis=1) == pytest.approx(support, rel=1e-12)


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_points_outside_are_not_contained(domain):
    assert not domain.contains(np.full((1, domain.d), 100.0)).any()


def test_a_box_knows_its_corners():
    box = Box(2, [1.0, 2.0], np.array([0.5, 0.0]))
    assert box.low.tolist() == [-0.5, -2.0] and box.high.tolist() == [1.5, 2.0]
    assert not box.is_centered_cube and Box(3, 1.0).is_centered_cube


def test_domains_are_values():
    assert Points([[1.0], [2.0]]) == Points([[1.0], [2.0]]) != Points([[1.0], [3.0]])
    assert hash(Points([[1.0]])) == hash(Points([[1.0]]))
    assert Box(2, [1.0, 2.0]) == Box(2, (1.0, 2.0))
    with pytest.raises(ValueError, match="read-only"):
        Points([[1.0]]).x[0, 0] = 2.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Ball(0, 1.0),
            "Ball d must be an int >= 1, the number of input coordinates, got 0",
        ),
        (lambda: Ball(2.0, 1.0), "Ball d must be an int >= 1, .* got 2.0"),
        (lambda: Ball(2, -1.0), "Ball radius must be a finite number >= 0, got -1.0"),
        (lambda: Ball(2, float("nan")), "Ball radius must be a finite number >= 0, got nan"),
        (lambda: Ball(2, float("inf")), "Ball radius must be a finite number >= 0, got inf"),
        (lambda: Box(2, -0.5), "Box half_width must be a finite number >= 0, got -0.5"),
        (lambda: Box(2, (1.0, 2.0, 3.0)), "Box half_width has 3 numbers, wanted d=2"),
        (lambda: Box(2, 1.0, (1.0,)), "Box center has 1 numbers, wanted d=2"),
        (lambda: Box(2, 1.0, 0.5), "Box center must hold one finite number per input, got 0.5"),
        (lambda: Box(1, 1.0, (float("nan"),)), "Box center must hold one finite number per input"),
        (lambda: Points([]), r"Points wants x of shape \(N, d\) with N, d >= 1, got shape \(0,\)"),
        (lambda: Points([1.0, 2.0]), r"got shape \(2,\); .* pass x.reshape\(-1, 1\)"),
        (lambda: Points([["a"]]), "Points wants numbers in rows of one length"),
        (lambda: Points([[1.0], [1.0, 2.0]]), "Points wants numbers in rows of one length"),
        (
            lambda: Points([[float("nan")]]),
            "Points wants finite numbers, got NaN or infinity; drop",
        ),
    ],
)
def test_what_is_not_a_domain_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
