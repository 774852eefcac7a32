"""Descent along the sign of the gradient: what Adam does at small steps, for shallow networks.

While a gradient keeps its sign, Adam moves every parameter by the learning rate per step, whatever
the gradient's size. So every parameter moves at unit speed against the sign of its gradient, and
time is the learning rate times the number of steps: a flow without any setting. Adam's memory of
squared gradients and its momentum are left out. (The former alone makes the law worse: with
learning_rate / (1 - beta2) = 5 units of memory and no momentum, rates on |x| come out up to .06
too high.)

Source: Kingma & Ba (2015), Adam, section 2.1 (the effective step is at most about the learning
rate); Balles & Hennig (2018), "Dissecting Adam", for Adam as sign descent.
"""

from __future__ import annotations

import numba
import numpy as np

DURATION = 8.0
"""Units of time at full step; those who escape do so within about 3."""
STEP = 0.005
"""Units of time per step; .005 moves the rates on |x| by at most .014 (1,024 networks)."""
_N_REFINING = 200
"""Steps more, that shrink to a fiftieth: the loss settles where it chattered."""


def step_sizes() -> np.ndarray:
    """Sizes of all steps, in units of time, float32."""
    full = np.full(round(DURATION / STEP), STEP)
    return np.concatenate([full, np.geomspace(STEP, STEP / 50, _N_REFINING)]).astype(np.float32)


def final_losses(
    weights: tuple[np.ndarray, np.ndarray],
    biases: tuple[np.ndarray, np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    threshold: float,
    need: int = 1,
    steps: np.ndarray | None = None,
) -> np.ndarray:
    """Mean squared errors at which shallow ReLU networks end, float32, shape (R,).

    A network ends once its loss is <= the threshold, when fewer than `need` of its neurons are
    active on the data (a dead neuron stays dead: it has no gradient), or after the last step.

    Args:
        weights: Of the hidden layer, shape (R, W, d), and of the output layer, (R, d_out, W).
        biases: Shapes (R, W) and (R, d_out).
        x: Training inputs, shape (N, d).
        y: Training targets, shape (N, d_out).
        threshold: Mean squared error at which a network stops.
        need: Active neurons without which a network stops, >= 1.
        steps: Sizes of the steps; `step_sizes()` by default.
    """
    sizes = step_sizes() if steps is None else np.asarray(steps, np.float32)
    (w, a), (b, c) = (
        tuple(np.array(part, np.float32) for part in pair) for pair in (weights, biases)
    )
    points, targets = (np.ascontiguousarray(np.asarray(v, np.float32).T) for v in (x, y))
    return _follow(w, b, a, c, points, targets, sizes, np.float32(threshold), need)


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _follow(w, b, a, c, x, y, steps, threshold, need):
    n_networks, width, d = w.shape
    d_out, n = y.shape
    final = np.empty(n_networks, np.float32)
    hidden = np.empty((width, n), np.float32)
    residual = np.empty((d_out, n), np.float32)
    pull = np.empty(n, np.float32)
    zero = np.float32(0)
    for i in range(n_networks):
        step = 0
        while True:
            for k in range(d_out):
                offset = c[i, k]
                for p in range(n):
                    residual[k, p] = offset - y[k, p]
            active = 0
            for j in range(width):
                offset = b[i, j]
                for p in range(n):
                    hidden[j, p] = offset
                for m in range(d):
                    slope = w[i, j, m]
                    for p in range(n):
                        hidden[j, p] += slope * x[m, p]
                largest = zero
                for p in range(n):
                    value = max(hidden[j, p], zero)
                    hidden[j, p] = value
                    largest = max(largest, value)
                active += largest > 0
                for k in range(d_out):
                    slope = a[i, k, j]
                    for p in range(n):
                        residual[k, p] += slope * hidden[j, p]
            total = zero
            for k in range(d_out):
                for p in range(n):
                    total += residual[k, p] * residual[k, p]
            loss = total / np.float32(n * d_out)
            if loss <= threshold or active < need or step == len(steps):
                final[i] = loss
                break
            size = steps[step]
            step += 1
            for j in range(width):
                for p in range(n):
                    pull[p] = zero
                for k in range(d_out):
                    slope, product = a[i, k, j], zero
                    for p in range(n):
                        product += residual[k, p] * hidden[j, p]
                        pull[p] += slope * residual[k, p]
                    a[i, k, j] -= size * np.sign(product)
                product = zero
                for p in range(n):
                    value = pull[p] if hidden[j, p] > 0 else zero
                    pull[p] = value
                    product += value
                b[i, j] -= size * np.sign(product)
                for m in range(d):
                    product = zero
                    for p in range(n):
                        product += pull[p] * x[m, p]
                    w[i, j, m] -= size * np.sign(product)
            for k in range(d_out):
                product = zero
                for p in range(n):
                    product += residual[k, p]
                c[i, k] -= size * np.sign(product)
    return final
