"""The flow of Adam at small steps, for shallow networks: what decides is not the step's size.

Adam moves a parameter against m / sqrt(v), averages of its gradient and of the gradient's square
over the steps before. Let the steps shrink and the averages reach back as far as before, in units
of time = learning rate times steps: what is left is a flow,

    d theta / dt = -m / sqrt(v),

of which the optimizer sets two numbers, the mean ages of what m and v remember. A gradient of
constant sign moves its parameter at unit speed, whatever its size: the flow begins as descent
along the sign of the gradient. With Adam's defaults and a learning rate of 0.005, m reaches back
0.045 units of time, v 5, which is longer than most networks take to escape.

Source: Kingma & Ba (2015), Adam, algorithm 1; Balles & Hennig (2018), "Dissecting Adam", for Adam
as sign descent. The flow is derived here.
"""

from __future__ import annotations

import numba
import numpy as np

from trainability.theory.memory import AdamMemory

STEP = 0.01
"""Units of time per step."""
_PATIENCE = 4.0
"""Units of time in which the loss of a network that still moves falls by `_LEAST_FALL`."""
_LEAST_FALL = 1e-3


def final_losses(
    weights: tuple[np.ndarray, np.ndarray],
    biases: tuple[np.ndarray, np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    threshold: float,
    need: int,
    memory: AdamMemory,
    duration: float,
    step: float = STEP,
) -> np.ndarray:
    """Mean squared errors at which shallow ReLU networks end, float32, shape (R,).

    A network ends once its loss is <= the threshold; when fewer than `need` of its neurons are
    active on the data (a dead neuron has no gradient); when its loss has stalled; or after the
    last step.

    Args:
        weights: Of the hidden layer, shape (R, W, d), and of the output layer, (R, d_out, W).
        biases: Shapes (R, W) and (R, d_out).
        x: Training inputs, shape (N, d).
        y: Training targets, shape (N, d_out).
        threshold: Mean squared error at which a network stops.
        need: Active neurons without which a network stops, >= 0.
        memory: Of Adam.
        duration: Units of time to follow a network for, at most, > 0.
        step: Units of time per step, > 0.
    """
    (w, a), (b, c) = (
        tuple(np.array(part, np.float32) for part in pair) for pair in (weights, biases)
    )
    points, targets = (np.ascontiguousarray(np.asarray(v, np.float32).T) for v in (x, y))
    beta1, beta2 = map(np.float32, memory.decays(step))
    n_steps, patience = max(1, round(duration / step)), max(1, round(_PATIENCE / step))
    limits = np.float32(threshold), need, n_steps, patience, np.float32(1 - _LEAST_FALL)
    return _follow(w, b, a, c, points, targets, np.float32(step), beta1, beta2, *limits)


# Few passes over the points: each costs as much in its beginning and its end as in its middle. The
# first output and one of the inputs share theirs with what else there is to do. NumPy's model of
# errors has no test of every division, with which the update would go number by number.
@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _follow(
    w, b, a, c, x, y, step, beta1, beta2, threshold, need, n_steps, patience, fall
):  # fmt: skip
    n_networks, width, d = w.shape
    d_out, n = y.shape
    row = d + 1 + d_out  # parameters of a neuron: its weights, its bias, its outgoing weights
    n_parameters = width * row + d_out
    final = np.empty(n_networks, np.float32)
    hidden = np.empty((width, n), np.float32)
    residual = np.empty((d_out, n), np.float32)
    pull = np.empty(n, np.float32)
    theta = np.empty(n_parameters, np.float32)
    gradient = np.empty(n_parameters, np.float32)
    m = np.empty(n_parameters, np.float32)
    v = np.empty(n_parameters, np.float32)
    zero, one, tiny = np.float32(0), np.float32(1), np.float32(1e-30)
    scale = np.float32(2 / (n * d_out))
    for i in range(n_networks):
        for j in range(width):
            theta[j * row : j * row + d] = w[i, j]
            theta[j * row + d] = b[i, j]
            theta[j * row + d + 1 : (j + 1) * row] = a[i, :, j]
        theta[width * row :] = c[i]
        m[:] = zero
        v[:] = zero
        left1, left2, before = one, one, np.float32(np.inf)
        done = 0
        while True:
            for k in range(d_out):
                offset = theta[width * row + k]
                for p in range(n):
                    residual[k, p] = offset - y[k, p]
            active = 0
            for j in range(width):
                at = j * row
                slope, offset, outgoing = theta[at + d - 1], theta[at + d], theta[at + d + 1]
                for q in range(d - 1):
                    for p in range(n):
                        others = hidden[j, p] if q > 0 else zero
                        hidden[j, p] = others + theta[at + q] * x[q, p]
                outputs = zero  # a sum, not the largest: that is taken one by one
                for p in range(n):
                    value = offset + slope * x[d - 1, p]
                    if d > 1:
                        value += hidden[j, p]
                    value = max(value, zero)
                    hidden[j, p] = value
                    outputs += value
                    residual[0, p] += outgoing * value
                active += outputs > 0
                for k in range(1, d_out):
                    outgoing = theta[at + d + 1 + k]
                    for p in range(n):
                        residual[k, p] += outgoing * hidden[j, p]
            total = zero
            for k in range(d_out):
                for p in range(n):
                    total += residual[k, p] * residual[k, p]
            loss = total / np.float32(n * d_out)
            stalled = False
            if done % patience == 0:
                stalled = loss > fall * before
                before = loss
            if loss <= threshold or active < need or stalled or done == n_steps:
                final[i] = loss
                break
            done += 1
            for j in range(width):
                at = j * row
                for k in range(1, d_out):
                    outgoing, product = theta[at + d + 1 + k], zero
                    for p in range(n):
                        product += residual[k, p] * hidden[j, p]
                        others = pull[p] if k > 1 else zero
                        pull[p] = others + outgoing * residual[k, p]
                    gradient[at + d + 1 + k] = scale * product
                outgoing = theta[at + d + 1]
                product, total, moment = zero, zero, zero
                for p in range(n):
                    product += residual[0, p] * hidden[j, p]
                    value = outgoing * residual[0, p]
                    if d_out > 1:
                        value += pull[p]
                    value = value if hidden[j, p] > 0 else zero
                    if d > 1:
                        pull[p] = value
                    total += value
                    moment += value * x[0, p]
                gradient[at + d + 1] = scale * product
                gradient[at + d] = scale * total
                gradient[at] = scale * moment
                for q in range(1, d):
                    product = zero
                    for p in range(n):
                        product += pull[p] * x[q, p]
                    gradient[at + q] = scale * product
            for k in range(d_out):
                product = zero
                for p in range(n):
                    product += residual[k, p]
                gradient[width * row + k] = scale * product
            left1 *= beta1
            left2 *= beta2
            factor = step / (one - left1)
            correction = np.sqrt(one / (one - left2))
            for q in range(n_parameters):
                mean = beta1 * m[q] + (one - beta1) * gradient[q]
                square = beta2 * v[q] + (one - beta2) * gradient[q] * gradient[q]
                # Of a dead neuron both shrink to numbers with which processors are slow.
                m[q] = mean if abs(mean) > tiny else zero
                v[q] = square if square > tiny else zero
                theta[q] -= factor * m[q] / (np.sqrt(v[q]) * correction + np.float32(1e-8))
    return final
