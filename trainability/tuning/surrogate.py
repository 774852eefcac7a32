"""A Gaussian process for scores whose noise is known, point by point.

Optuna's own Gaussian process estimates one noise level for all trials; here one point may rest on
256 networks and another on 50,000, and the binomial law says how far to trust either.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg, optimize

_LENGTH_SCALE = (np.log(0.4), 0.8)
"""Mean and standard deviation of the log length scales a priori, in shares of a range: settings
act smoothly, over a good part of the range that somebody thought worth asking about."""
_VARIANCE = (0.0, 1.0)
"""The same for the log variance of the standardized scores."""
_JITTER = 1e-6


class Surrogate:
    """Posterior of a smooth function on the unit cube, given noisy scores.

    Matern-5/2 kernel with a length scale per setting (Rasmussen & Williams 2006, equations 4.17
    and 5.9) plus a constant; hyperparameters at their posterior mode. Two categories are as far
    apart as any other two, at distance 1, as in Optuna's Gaussian process: the Hamming distance.

    Args:
        x: Where, shape (n, d), in the unit cube, of a category any number of its own; n >= 1.
        score: What was observed there, shape (n,).
        variance: Its known noise variance, shape (n,), > 0.
        is_categorical: Which columns of x are categories, bool, shape (d,); by default none.
    """

    def __init__(
        self,
        x: np.ndarray,
        score: np.ndarray,
        variance: np.ndarray,
        is_categorical: np.ndarray | None = None,
    ) -> None:
        self._x = x
        self._is_categorical = (
            np.zeros(x.shape[1], dtype=bool) if is_categorical is None else is_categorical
        )
        self._center = float(np.average(score, weights=1 / variance))
        spread = float(np.sqrt(np.mean((score - self._center) ** 2)))
        self._scale = max(spread, float(np.sqrt(variance.mean())))
        self._y = (score - self._center) / self._scale
        self._noise = variance / self._scale**2
        self._theta = self._fit()
        self._factor = linalg.cho_factor(self._covariance(self._theta)[0], lower=True)
        self._weights = linalg.cho_solve(self._factor, self._y)

    @property
    def length_scales(self) -> np.ndarray:
        """Shape (d,), in shares of the ranges."""
        return np.exp(self._theta[:-1])

    def mean(self, x: np.ndarray) -> np.ndarray:
        """Posterior mean at x, shape (m, d): shape (m,)."""
        return self._center + self._scale * (self._between(x, self._x) @ self._weights)

    def deviation(self, x: np.ndarray) -> np.ndarray:
        """Posterior standard deviation of the function, not of an observation: shape (m,)."""
        half = linalg.solve_triangular(self._factor[0], self._between(self._x, x), lower=True)
        variance = np.exp(self._theta[-1]) + 1 - (half**2).sum(axis=0)
        return self._scale * np.sqrt(np.maximum(variance, 0.0))

    def sampler(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean, and a factor F such that mean + F z, z standard normal, is a posterior sample."""
        half = linalg.solve_triangular(self._factor[0], self._between(self._x, x), lower=True)
        covariance = self._between(x, x) - half.T @ half
        covariance[np.diag_indices_from(covariance)] += 1e-6
        return self.mean(x), self._scale * linalg.cholesky(covariance, lower=True)

    def _fit(self) -> np.ndarray:
        d = self._x.shape[1]
        center = np.r_[np.full(d, _LENGTH_SCALE[0]), _VARIANCE[0]]
        sd = np.r_[np.full(d, _LENGTH_SCALE[1]), _VARIANCE[1]]
        bounds = list(zip(center - 4 * sd, center + 4 * sd, strict=True))
        starts = [center, center - 1.0 * sd * np.r_[np.ones(d), 0.0]]
        optima = [
            optimize.minimize(
                self._loss, start, (center, sd), jac=True, method="L-BFGS-B", bounds=bounds
            )
            for start in starts
        ]
        return min(optima, key=lambda result: result.fun).x

    def _loss(
        self, theta: np.ndarray, center: np.ndarray, sd: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Negative log posterior of the hyperparameters, and its gradient."""
        covariance, slopes = self._covariance(theta)
        factor = linalg.cho_factor(covariance, lower=True)
        alpha = linalg.cho_solve(factor, self._y)
        inverse = linalg.cho_solve(factor, np.eye(len(alpha)))
        value = 0.5 * self._y @ alpha + np.log(np.diag(factor[0])).sum()
        inner = inverse - np.outer(alpha, alpha)
        gradient = 0.5 * np.array([(inner * slope).sum() for slope in slopes])
        standard = (theta - center) / sd
        return value + 0.5 * standard @ standard, gradient + standard / sd

    def _covariance(self, theta: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Of the observations, and its derivatives by the hyperparameters."""
        scales, variance = np.exp(theta[:-1]), np.exp(theta[-1])
        squares = [
            ((c[:, None] != c) / s) ** 2 if category else ((c[:, None] - c) / s) ** 2
            for c, s, category in zip(self._x.T, scales, self._is_categorical, strict=True)
        ]
        r = np.sqrt(5 * sum(squares))
        decay = np.exp(-r)
        kernel = variance * (1 + r + r**2 / 3) * decay
        slopes = [variance * 5 / 3 * (1 + r) * decay * square for square in squares]
        noise = np.diag(self._noise + _JITTER)
        return kernel + 1 + noise, [*slopes, kernel]

    def _between(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        scales = np.exp(self._theta[:-1])
        gaps = a[:, None] - b[None]
        gaps[:, :, self._is_categorical] = gaps[:, :, self._is_categorical] != 0
        r = np.sqrt(5 * ((gaps / scales) ** 2).sum(axis=2))
        return np.exp(self._theta[-1]) * (1 + r + r**2 / 3) * np.exp(-r) + 1
