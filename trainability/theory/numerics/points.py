"""Born-dead probability on data sets and intervals, where a closed form is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

_SQRT2PI = math.sqrt(2 * math.pi)


def log_interval(log_ball: Callable[[float], float], low: float, high: float) -> float:
    """log p on points between `low` and `high`, d = 1, for a law that is symmetric in w and in b.

    h(w) = w high for w > 0 and w low for w < 0, so p = (q(high) + q(-low)) / 2 with
    q(t) = P(b <= -t |w|), which is the law's probability on the ball of radius t for t >= 0, and
    1 - q(-t) for t < 0.

    Args:
        log_ball: log q(t), t >= 0.
        low: The smallest point.
        high: The largest.
    """

    def log_q(t: float) -> float:
        return log_ball(t) if t >= 0 else math.log1p(-math.exp(log_ball(-t)))

    return float(np.logaddexp(log_q(high), log_q(-low))) - math.log(2)


def asymmetric_interval(sigma: float, low: float, high: float) -> float:
    """p of RAI on points between `low` and `high`, d = 1.

    With probability 1/2 the weight is the Beta(2, 1), so positive: P(b <= -w high), b ~
    N(0, sigma^2). Else the bias is, and the neuron can only be dead if all points lie on one side
    of 0: P(|w| >= b / t) for the weight's sign that points there, t the distance to the nearest.
    """
    with_weight = _beta_weight(high / sigma)
    nearest = max(low, -high)
    with_bias = _beta_bias(sigma * nearest) if nearest > 0 else 0.0
    return (with_weight + with_bias) / 2


def _beta_weight(k: float) -> float:
    """P(Z >= k W), W ~ Beta(2, 1): integral over 0 < w < 1 of 2 w Q(k w)."""
    if k < 0:
        return 1 - _beta_weight(-k)
    if k < 0.05:
        # 1/2 - k E W / sqrt(2 pi) + k^3 E W^3 / (6 sqrt(2 pi)) - ..., E W^n = 2 / (n + 2)
        series = sum(
            (-1) ** n
            * 2
            / (2 * n + 3)
            * k ** (2 * n + 1)
            / (2**n * math.factorial(n) * (2 * n + 1))
            for n in range(6)
        )
        return 0.5 - series / _SQRT2PI
    tail = float(special.ndtr(-k))
    return tail + (0.5 - tail - k * math.exp(-(k**2) / 2) / _SQRT2PI) / k**2


def _beta_bias(s: float) -> float:
    """P(0 < B <= s Z), B ~ Beta(2, 1), Z standard normal: E min(1, s Z)^2 over Z > 0."""
    k = 1 / s
    tail = float(special.ndtr(-k))
    if k < 0.05:
        # E Z^2 over 0 < Z < k, without cancellation: sum of (-1)^n k^(2n+3) / (2^n n! (2n+3)).
        inner = sum(
            (-1) ** n * k ** (2 * n + 3) / (2**n * math.factorial(n) * (2 * n + 3))
            for n in range(6)
        )
        return inner * s**2 / _SQRT2PI + tail
    return s**2 * (0.5 - tail - k * math.exp(-(k**2) / 2) / _SQRT2PI) + tail


def log_gaussian_plane(x: np.ndarray, kappa: float) -> float:
    """log p of Gaussian weights and bias on points x of shape (N, 2), kappa = s_w / s_b.

    The neurons that are dead form the cone polar to the lifted points (kappa x, 1). Its solid
    angle over 4 pi is 1/2 - perimeter / (4 pi), the perimeter being that of the lifted points'
    spherical hull (Cauchy-Crofton). If the origin lies inside the hull, the cone is bounded by
    kappa w.x <= 1 at b = -1 and is summed triangle by triangle instead (van Oosterom & Strackee
    1983), so that nothing cancels when p is small.
    """
    hull = _hull(x)
    follower = np.roll(hull, -1, axis=0)
    turn = hull[:, 0] * follower[:, 1] - hull[:, 1] * follower[:, 0]
    if len(hull) >= 3 and (turn > 0).all():
        # Corners of the polar polygon times kappa: the w with w.x = 1 at both ends of an edge.
        corner = np.stack([follower[:, 1] - hull[:, 1], hull[:, 0] - follower[:, 0]], 1)
        corner /= turn[:, None]
        after = np.roll(corner, -1, axis=0)
        area = corner[:, 0] * after[:, 1] - corner[:, 1] * after[:, 0]
        size, after_size = (
            np.hypot(1.0, np.hypot(c[:, 0], c[:, 1]) / kappa) for c in (corner, after)
        )
        inner = (corner * after).sum(axis=1) / kappa / kappa
        ratio = area / (size * after_size + size + after_size + 1 + inner)
        # log arctan(ratio / kappa^2), which equals its argument where that would underflow
        log_ratio = np.log(ratio) - 2 * math.log(kappa)
        log_angle = np.where(
            log_ratio < -25, log_ratio, np.log(np.arctan(np.exp(np.maximum(log_ratio, -25.0))))
        )
        return float(np.logaddexp.reduce(log_angle)) - math.log(2 * math.pi)
    lifted = np.concatenate([hull, np.full((len(hull), 1), 1 / kappa)], axis=1)
    lifted /= np.abs(lifted).max(axis=1, keepdims=True)
    neighbour = np.roll(lifted, -1, axis=0)
    sine = np.linalg.norm(np.cross(lifted, neighbour), axis=1)
    perimeter = float(np.arctan2(sine, (lifted * neighbour).sum(axis=1)).sum())
    p = 0.5 - perimeter / (4 * math.pi)
    return math.log(p) if p > 0 else -math.inf


def in_plane(x: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Points of any dimension that lie in one plane: coordinates in it, and its distance from 0.

    Across the plane w.x + b does not vary from point to point, so Gaussian weights see N points
    in a plane at distance t as they see N points of R^2 with a bias of variance s_b^2 + s_w^2 t^2.

    Returns:
        Coordinates of shape (N, 2), their origin being the plane's point nearest to 0, and the
        distance of that point from 0. None if the points span more than a plane.
    """
    middle = x.mean(axis=0)
    _, size, axes = np.linalg.svd(x - middle, full_matrices=False)
    if (size[2:] > 1e-14 * len(x) * np.abs(x).max()).any():
        return None
    axes = axes[: min(2, int((size > 0).sum()))]
    coordinates = np.zeros((len(x), 2))
    coordinates[:, : len(axes)] = x @ axes.T
    return coordinates, float(np.linalg.norm(middle - (middle @ axes.T) @ axes))


def direction_plane(x: np.ndarray) -> float:
    """P(max_i w.x_i <= 0) for a uniform direction w in the plane, x of shape (N, 2).

    The directions polar to all points: the widest gap between neighbouring points, seen from the
    origin, less half a turn.
    """
    seen = x[x.any(axis=1)]
    if not len(seen):
        return 1.0
    angles = np.sort(np.arctan2(seen[:, 1], seen[:, 0]))
    gaps = np.diff(angles, append=angles[0] + 2 * math.pi)
    return max(0.0, float(gaps.max()) - math.pi) / (2 * math.pi)


def _hull(x: np.ndarray) -> np.ndarray:
    """Corners of the convex hull, counterclockwise (Andrew's monotone chain)."""
    points = np.unique(x, axis=0)
    if len(points) <= 2:
        return points

    def chain(ordered: np.ndarray) -> list[np.ndarray]:
        corners: list[np.ndarray] = []
        for point in ordered:
            while len(corners) >= 2:
                (ax, ay), (bx, by) = corners[-1] - corners[-2], point - corners[-2]
                if ax * by - ay * bx > 0:
                    break
                corners.pop()
            corners.append(point)
        return corners[:-1]

    return np.array(chain(points) + chain(points[::-1]))
