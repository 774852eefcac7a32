"""Where training points lie on a domain: the same points every time, no randomness."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from trainability.domains import Ball, Box, Domain, Points
from trainability.errors import InputError


def training_points(domain: Domain, n: int) -> np.ndarray:
    """n points of a domain, float64, shape (n, d), also in the domain after rounding to float32.

    - One dimension: equispaced, ends included.
    - A box: the additive recurrence x_i = frac(1/2 + i alpha), i = 1..n, with
      alpha_j = g^-j and g > 0 the root of g^(d+1) = g + 1 (Roberts 2018, "The unreasonable
      effectiveness of quasirandom sequences"), stretched to the box: evenly spread for any n.
    - A ball: the same recurrence in d + 1 dimensions, d coordinates giving the direction through
      the normal quantile function and the last the radius: uniform over the ball.
    - Points: the first n of them.
    """
    if isinstance(domain, Points):
        if n > len(domain.x):
            raise InputError(f"n_train is {n}, but the domain has {len(domain.x)} points")
        return domain.x[:n]
    if domain.d == 1:
        one = np.ones(1)
        return np.linspace(-domain.support(-one), domain.support(one), n).reshape(n, 1)
    if isinstance(domain, Box):
        return domain.low + (domain.high - domain.low) * _recurrence(n, domain.d)
    if isinstance(domain, Ball):
        u = _recurrence(n, domain.d + 1)
        direction = ndtri(u[:, :-1])
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        # A hair inside, for rounding to float32 may lengthen a vector by 6e-8 of itself.
        return domain.radius * (1 - 1e-6) * direction * u[:, -1:] ** (1 / domain.d)
    raise InputError(
        f"training points can be placed on a Ball, a Box or Points, got {type(domain).__name__}"
    )


def _recurrence(n: int, d: int) -> np.ndarray:
    root = 1.5
    for _ in range(60):
        root = (1 + root) ** (1 / (d + 1))
    alpha = root ** -np.arange(1.0, d + 1)
    return np.mod(0.5 + np.arange(1, n + 1)[:, None] * alpha, 1.0)
