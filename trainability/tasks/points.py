"""Where training points lie on a domain: the same points every time, no randomness."""

from __future__ import annotations

from trainability.checks import counted
from trainability.domains import Ball, Box, Domain, Points
from trainability.errors import InputError
from trainability.lazy import numpy as np


def training_points(domain: Domain, n: int) -> np.ndarray:
    """n points of a domain, float64, shape (n, d), also in the domain after rounding to float32.

    - One dimension: equispaced, ends included.
    - A box: the Halton sequence (Halton 1960) from its second point on, stretched to the box:
      evenly spread for any n.
    - A ball: the same in d + 1 dimensions, d coordinates giving the direction through the normal
      quantile function and the last the radius: uniform over the ball.
    - Points: the first n of them.
    """
    if isinstance(domain, Points):
        if n > len(domain.x):
            raise InputError(
                f"n_train is {n}, but the domain has {counted(len(domain.x), 'point')}"
            )
        return domain.x[:n]
    if domain.d == 1:
        one = np.ones(1)
        return np.linspace(-domain.support(-one), domain.support(one), n).reshape(n, 1)
    if isinstance(domain, Box):
        return domain.low + (domain.high - domain.low) * _halton(n, domain.d)
    if isinstance(domain, Ball):
        u = _halton(n, domain.d + 1)
        from scipy.special import ndtri  # its import takes longer than declaring a study

        direction = ndtri(u[:, :-1])
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        # A hair inside, for rounding to float32 may lengthen a vector by 6e-8 of itself.
        return domain.radius * (1 - 1e-6) * direction * u[:, -1:] ** (1 / domain.d)
    raise InputError(
        f"training points can be placed on a Ball, a Box or Points, got {type(domain).__name__}"
    )


def _halton(n: int, d: int) -> np.ndarray:
    """Points 1 to n of the Halton sequence, in (0, 1)^d; point 0 is a corner."""
    # Imported here: scipy.stats takes a third of a second and 60 MB, in every worker.
    from scipy.stats.qmc import Halton

    sequence = Halton(d, scramble=False)
    sequence.fast_forward(1)
    return sequence.random(n)
