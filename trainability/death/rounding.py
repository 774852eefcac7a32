"""How far a computed pre-activation may be from the true one."""

from __future__ import annotations

import numpy as np

UNIT = 2.0**-53
"""Unit roundoff of float64."""


def margin(weight: np.ndarray, bias: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Rounding error of w.h + b in float64; a value this close to zero counts as zero.

    A dot product of n terms is off by at most n u / (1 - n u) times the sum of the magnitudes of
    its terms; the bias is one term more, and h itself, interpolated from two values no larger
    than `scale`, is off by at most 4 u scale. Doubled, to cover the second order. So a verdict
    holds for a network whose parameters are within a relative 2 (n + 5) u of the given one, far
    below the spacing of the float32 numbers that they are.

    Args:
        weight: Shape (R, W, n).
        bias: Shape (R, W).
        scale: Largest magnitude of each input of the layer, shape (R, n).

    Returns:
        Shape (R, W).

    Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.1.
    """
    magnitude = np.matmul(np.abs(weight), scale[:, :, None])[:, :, 0] + np.abs(bias)
    return 2 * (weight.shape[2] + 5) * UNIT * magnitude
