"""The best fit of one or two hinges, kinks wherever they please: exact, in one dimension.

On the training points a hinge a relu(x - t) whose kink t lies in the gap between two neighbors
is, on the points beyond it, any line d + a x whose zero lies in the gap. So for every choice of
gaps the problem is least squares over a convex cone. Its optimum is the unconstrained one, if
that has its zeros in the gaps, or it is on the boundary, where a kink sits on a training point.
All choices of "on this point" and "in this gap" are tried. Where the columns are dependent, the
unconstrained optima form a line, which leaves the cone through its boundary: such choices are
covered by the others.
"""

from __future__ import annotations

from trainability.lazy import numpy as np

_DEPENDENT = 1e-12
"""Share of a column's squared norm below which the column counts as dependent on others."""


def best_hinges(x: np.ndarray, y: np.ndarray, n_hinges: int) -> float:
    """Smallest sum of squares of y - c - sum of `n_hinges` hinges a relu(+-(x - t)).

    Costs O(N) for one hinge and O(N^2) for two.

    Args:
        x: Inputs, shape (N,).
        y: Targets, shape (N,).
        n_hinges: 1 or 2.
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order] - x.mean(), y[order]
    ones = np.ones_like(x)
    best = _add_hinge(x, y, ones[:, None])
    if n_hinges == 1:
        return best
    for k in range(len(x)):
        for side in (1.0, -1.0):
            on_point = np.stack([ones, np.maximum(side * (x - x[k]), 0)], axis=1)
            best = min(best, _add_hinge(x, y, on_point))
            beyond = (np.arange(len(x)) > k) == (side > 0)
            if k + 1 < len(x):
                in_gap = np.stack([ones, beyond, x * beyond], axis=1)
                best = min(best, _add_hinge(x, y, in_gap, gap=(x[k], x[k + 1])))
    return best


def _add_hinge(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, gap: tuple[float, float] | None = None
) -> float:
    """Smallest sum of squares over the span of `start` and one hinge more.

    Args:
        x: Inputs in ascending order, shape (N,).
        y: Targets, shape (N,).
        start: Columns that are there already, shape (N, p).
        gap: Where the zero of the line in the last two columns of `start` must lie; the hinge
            more then has its kink in a gap as well (the boundary is covered elsewhere).

    Returns:
        The smallest sum of squares; infinite if the columns of `start` are dependent or no
        choice is in its cone.
    """
    q, r = np.linalg.qr(start)
    if len(r) < r.shape[1] or np.any(np.diag(r) ** 2 <= _DEPENDENT * (start**2).sum(axis=0)):
        return np.inf
    projection = q.T @ y
    residual = y - q @ projection
    without = float(residual @ residual)
    best = np.inf if gap else without
    for flip in (1, -1):
        side = _Side(flip * x[::flip], q[::flip], residual[::flip])
        if not gap:
            best = min(best, without - side.gain_on_point())
        gain, products = side.gain_in_gap()
        if gap:
            from scipy.linalg import solve_triangular  # its import takes a while

            line = solve_triangular(r, projection[:, None] - products)
            gain = np.where(_zero_within(line[-2], line[-1], *gap), gain, -np.inf)
        best = min(best, without - float(gain.max(initial=-np.inf)))
    return max(best, 0.0)


class _Side:
    """Hinges that rise to the right, each fitted to what an orthonormal q has left over."""

    def __init__(self, x: np.ndarray, q: np.ndarray, residual: np.ndarray) -> None:
        self.x = x
        self.p = q.shape[1]
        columns = np.column_stack([q, residual])
        # Sums over the points to the right of point k, k = 0..N-2, for all columns.
        self.sum_0 = _sums_right(columns)
        self.sum_1 = _sums_right(x[:, None] * columns)
        self.norm_0, self.norm_1, self.norm_2 = _sums_right(np.stack([x**0, x, x**2], axis=1)).T

    def gain_on_point(self) -> float:
        """By how much the best hinge with its kink on a training point lowers the squares."""
        kink = self.x[:-1]
        products = self.sum_1 - kink[:, None] * self.sum_0
        norm = self.norm_2 - 2 * kink * self.norm_1 + kink**2 * self.norm_0
        left = norm - (products[:, : self.p] ** 2).sum(axis=1)
        ok = left > _DEPENDENT * norm
        return float((products[ok, self.p] ** 2 / left[ok]).max(initial=0.0))

    def gain_in_gap(self) -> tuple[np.ndarray, np.ndarray]:
        """The same with the kink in each gap, and the products of q with the fitted line.

        Returns:
            Gains, shape (G,), for the gaps whose line has its zero there; products, shape (p, G).
        """
        p, u, v = self.p, self.sum_0, self.sum_1
        uu = self.norm_0 - (u[:, :p] ** 2).sum(axis=1)
        uv = self.norm_1 - (u[:, :p] * v[:, :p]).sum(axis=1)
        vv = self.norm_2 - (v[:, :p] ** 2).sum(axis=1)
        determinant = uu * vv - uv**2
        ok = (uu > _DEPENDENT * self.norm_0) & (determinant > _DEPENDENT * uu * self.norm_2)
        scale = np.where(ok, determinant, 1.0)
        offset = (vv * u[:, p] - uv * v[:, p]) / scale
        slope = (uu * v[:, p] - uv * u[:, p]) / scale
        ok &= _zero_within(offset, slope, self.x[:-1], self.x[1:])
        gain = offset * u[:, p] + slope * v[:, p]
        products = u[:, :p].T * offset + v[:, :p].T * slope
        return gain[ok], products[:, ok]


def _sums_right(values: np.ndarray) -> np.ndarray:
    """Row k holds the sum of the rows after k; shape (N - 1, ...)."""
    return np.cumsum(values[::-1], axis=0)[::-1][1:]


def _zero_within(
    offset: np.ndarray, slope: np.ndarray, low: np.ndarray | float, high: np.ndarray | float
) -> np.ndarray:
    """Whether offset + slope * t is 0 for a t in [low, high]: its sign changes there."""
    return (offset + slope * low) * (offset + slope * high) <= 0
