"""Fully connected networks, which have engines and laws of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from trainability.death import STANDARD_EFFORT, Census, Effort, census
from trainability.families.base import Evaluate, Family
from trainability.networks import Ensemble, concatenate, initialize
from trainability.seeds import BLOCK_SIZE, stream
from trainability.sensitivity import Sensitivity, data_sensitivity
from trainability.study.cell import Cell
from trainability.training import Problem, Training, choose_engine, engine_type

_GLANCE = Effort(boxes=1)
"""For the curves, where no exact way is known: what samples and one bound say. The censuses that
rows report, at birth and at the end, try harder."""
_MOST_OUTPUTS = 2**24


def draw(cell: Cell, blocks: Sequence[int]) -> Ensemble:
    """The initial networks of some blocks of a cell, in order."""
    x, y = cell.task.data()
    return concatenate(
        [
            initialize(
                cell.scheme,
                cell.sizes,
                BLOCK_SIZE,
                stream(cell.seed, cell.stream_identity, "initialization", block),
                x,
                y,
                cell.activation,
            )
            for block in blocks
        ]
    )


class FullyConnected(Family[Ensemble]):
    """Networks of affine layers and one activation, of the cell's width and depth.

    They are what a study is about that says nothing of networks. Theory is held against them, all
    engines train them, and the dead are counted with certainty. Widths of each layer are a tuple,
    `width=(16, 4)` at depth 3; `activation`, `loss`, `penalty` and `optimizer` are axes as well.
    """

    written = "network=None, width=8, depth=2"

    def draw(self, blocks: Sequence[int]) -> Ensemble:
        return draw(self.cell, blocks)

    def engine_obstacle(self, engine: str) -> str | None:
        if engine == "auto":
            return None
        # What a GPU lacks is seen where the trial runs.
        able = engine_type(engine)("cpu", 1)
        return able.problem_obstacle(self.cell.sizes, self.problem([0]))

    def start(
        self, networks: Ensemble, problem: Problem, engine: str, threads: int
    ) -> tuple[Training[Ensemble], str]:
        chosen = choose_engine(
            engine, self.cell.sizes, problem, device=self.device, threads=threads
        )
        return chosen.start(networks, problem), chosen.name

    def census(self, networks: Ensemble, *, at_birth: bool = False, quick: bool = False) -> Census:
        effort = _GLANCE if quick else STANDARD_EFFORT
        return census(networks, self.cell.task.domain, effort=effort, idle=self.cell.idle)

    def born_dead(self, networks: Ensemble, born: Census) -> np.ndarray:
        return born.born_dead

    def trainable(self, born: Census) -> np.ndarray:
        return born.trainable(self.cell.needs)

    def evaluation(self, x: np.ndarray, y: np.ndarray, classes: np.ndarray | None) -> Evaluate:
        # Imported here, so that a trial of another kind does not load it.
        from trainability.training.evaluation import Evaluation

        cell = self.cell
        return Evaluation(x, y, cell.sizes, cell.activation, cell.loss, classes, self.device)

    def variances(self, networks: Ensemble, x: np.ndarray) -> np.ndarray:
        points = torch.as_tensor(x)
        at_once = max(1, _MOST_OUTPUTS // (len(x) * max(*networks.widths, networks.d_out)))
        spread = []
        with torch.no_grad():
            for start in range(0, networks.n_networks, at_once):
                out = networks[start : start + at_once](points).double()
                spread.append((out - out.mean(dim=1, keepdim=True)).square().mean(dim=(1, 2)))
        return torch.cat(spread).numpy()

    def sensitivity(self, networks: Ensemble) -> Sensitivity:
        return data_sensitivity(networks, self.cell.task.data()[0])
