"""The last resort for one neuron: a mixed-integer linear program, solved by SciPy's HiGHS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import milp

from trainability.death.bounds import Bounds, Region, layer_bounds
from trainability.death.points import into_ball, positive_at
from trainability.death.status import POSITIVE, SAMPLE, SILENT, SOLVER, UNKNOWN, Verdicts
from trainability.domains import Ball, Box

TOLERANCE = 1e-6
"""HiGHS's default tolerance of feasibility, of rows and of integers."""
GOOD_ENOUGH = 0.9
"""Relative gap at which a search may stop: below 1, the best value and its bound have one sign."""
INFEASIBLE = 2
"""Status of a SciPy result."""


def settle_by_solver(
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    verdicts: Verdicts,
    domain: Ball | Box,
    max_calls: int,
    max_nodes: int,
) -> None:
    """Settle unknown neurons, from the first layer on, one program per neuron.

    A network without biases is left alone: its pre-activations are 0 at the origin, which is
    within the solver's tolerance of being positive, so no program could show silence.

    Args:
        weights: Of the hidden layers, each of shape (R, W_t, W_{t-1}).
        biases: Of the hidden layers, each of shape (R, W_t).
        verdicts: Filled in.
        domain: A ball, of which the program sees a polytope around it, or a box.
        max_calls: Programs per network; on a ball one neuron may take several.
        max_nodes: Nodes per program.
    """
    if not max_calls:
        return
    biased = np.logical_or.reduce([(bias != 0).any(axis=1) for bias in biases])
    for r in verdicts.open_networks[biased[verdicts.open_networks]]:
        row = slice(r, r + 1)
        network = [w[row] for w in weights], [b[row] for b in biases]
        bounds = layer_bounds(*network, Region.around(domain))
        tangents = [*weights[0][r], *-weights[0][r]]
        calls_left = max_calls
        for t, i in [(t, i) for t, sign in enumerate(verdicts.sign) for i in _unknown(sign[r])]:
            before = [w[r] for w in weights[:t]], [b[r] for b in biases[:t]]
            while calls_left and verdicts.sign[t][r, i] == UNKNOWN:
                calls_left -= 1
                program = _Program(*before, bounds, domain, tangents)
                x, silent = program.maximize(weights[t][r, i], biases[t][r, i], max_nodes)
                if silent:
                    only = np.arange(weights[t].shape[1]) == i
                    verdicts.record(t, row, np.where(only, SILENT, UNKNOWN)[None], SOLVER)
                elif x is None or _look_at(verdicts, row, network, domain, x):
                    break
                else:
                    tangents.append(x)


def _look_at(
    verdicts: Verdicts,
    row: slice,
    network: tuple[Sequence[np.ndarray], Sequence[np.ndarray]],
    domain: Ball | Box,
    x: np.ndarray,
) -> bool:
    """Record who is positive at the point of the domain next to x; whether x lies in it itself."""
    if isinstance(domain, Ball):
        inside = into_ball(x, domain.radius)
    else:
        inside = np.clip(x, domain.low, domain.high)
    for layer, positive in enumerate(positive_at(*network, inside[None])):
        verdicts.record(layer, row, np.where(positive, POSITIVE, UNKNOWN), SAMPLE)
    return bool(np.allclose(x, inside, rtol=TOLERANCE, atol=TOLERANCE))


class _Program:
    """The graph of the first layers of one network over the domain, as linear constraints.

    Variables: the d inputs; then, layer by layer, h = relu(z) of every neuron and a switch,
    which is 1 where z >= 0; last a constant 1, which makes the bias part of the objective. With z
    between l <= 0 and u >= 0: h >= z, h <= z - l (1 - switch), 0 <= h <= u switch. A ball is the
    polytope of its tangent planes in the directions `tangents`: those of the first layer's
    weights, and of the points outside of it that were found.

    Source: Tjeng, Xiao & Tedrake (2019), Evaluating robustness of neural networks with mixed
    integer programming.
    """

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        biases: Sequence[np.ndarray],
        of_layers: Sequence[Bounds],
        domain: Ball | Box,
        tangents: Sequence[np.ndarray],
    ) -> None:
        d = domain.d
        self.d = d
        self.n = d + 2 * sum(len(bias) for bias in biases) + 1
        self.low, self.high = np.zeros(self.n), np.ones(self.n)
        self.integer = np.zeros(self.n)
        self.rows: list[np.ndarray] = []
        self.floor: list[np.ndarray] = []
        self.ceiling: list[np.ndarray] = []
        region = Region.around(domain)
        self.low[-1] = 1
        self.low[:d] = region.center[0] - region.half[0]
        self.high[:d] = region.center[0] + region.half[0]
        if isinstance(domain, Ball):
            directions = np.zeros((len(tangents), self.n))
            directions[:, :d] = tangents
            self._require(directions, -np.inf, domain.support(np.array(tangents)))
        self.last = slice(0, d)
        self.error = np.full(d, TOLERANCE)
        for weight, bias, bounds in zip(weights, biases, of_layers, strict=False):
            self._add_layer(weight, bias, bounds.lower[0], bounds.upper[0])

    def _add_layer(
        self, weight: np.ndarray, bias: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> None:
        width = len(bias)
        start = self.last.stop + (0 if self.last.start == 0 else self.last.stop - self.last.start)
        output = np.arange(start, start + width)
        switch = output + width
        lower, upper = np.minimum(lower, 0), np.maximum(upper, 0)
        self.high[output] = upper
        self.low[switch], self.high[switch] = lower == 0, upper > 0
        self.integer[switch] = 1

        own = np.zeros((width, self.n))
        own[np.arange(width), output] = 1
        toggle = np.zeros((width, self.n))
        toggle[np.arange(width), switch] = 1
        excess = own.copy()
        excess[:, self.last] -= weight
        live = upper > 0
        self._require(excess[live], bias[live], np.inf)
        self._require((excess - lower[:, None] * toggle)[live], -np.inf, (bias - lower)[live])
        self._require((own - upper[:, None] * toggle)[live], -np.inf, 0.0)
        self.error = np.abs(weight) @ self.error + TOLERANCE * (1 + np.maximum(upper, -lower))
        self.last = slice(start, start + width)

    def _require(
        self, rows: np.ndarray, floor: np.ndarray | float, ceiling: np.ndarray | float
    ) -> None:
        self.rows.append(rows)
        self.floor.append(np.broadcast_to(floor, len(rows)))
        self.ceiling.append(np.broadcast_to(ceiling, len(rows)))

    def maximize(
        self, weight: np.ndarray, bias: float, max_nodes: int
    ) -> tuple[np.ndarray | None, bool]:
        """Maximize weight.h + bias over what is no less than the solver's tolerances below 0.

        Returns:
            Inputs at which it is large, if any were found, and whether it is negative everywhere.
        """
        objective = np.zeros((1, self.n))
        objective[0, self.last] = weight
        objective[0, -1] = bias
        slack = np.atleast_1d(np.abs(weight) @ self.error + TOLERANCE)
        result = milp(
            -objective[0],
            integrality=self.integer,
            bounds=(self.low, self.high),
            constraints=(
                np.concatenate([*self.rows, objective]),
                np.concatenate([*self.floor, -slack]),
                np.concatenate([*self.ceiling, [np.inf]]),
            ),
            options={"node_limit": max_nodes, "mip_rel_gap": GOOD_ENOUGH},
        )
        return (None if result.x is None else result.x[: self.d]), result.status == INFEASIBLE


def _unknown(sign: np.ndarray) -> list[int]:
    return [int(i) for i in np.flatnonzero(sign == UNKNOWN)]
