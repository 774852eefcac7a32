"""Copies of a module of the user's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from trainability.death import Census
from trainability.death.status import EXACT
from trainability.errors import InputError
from trainability.families.base import Evaluate, Family
from trainability.modules.blueprint import new_module
from trainability.modules.copying import Births, births_of
from trainability.modules.counting import Anatomy, dissect, statuses_of_copies
from trainability.modules.sensing import measure_layers
from trainability.networks.copies import Copies
from trainability.seeds import BLOCK_SIZE, stream
from trainability.sensitivity import Sensitivity, sensitivity_of
from trainability.training import Problem, Training
from trainability.training.copies_training import (
    CopiesEvaluation,
    CopiesTraining,
    reproducible,
    tile_size,
)

ENGINE = "module"
"""What trains copies; it is chosen by the network, not by its name."""


class CopiesOfModule(Family[Copies]):
    """Copies of the module that a function in the study file builds: any `torch.nn.Module`.

    Each copy is drawn by the scheme, as `trainability.apply` does, trained stacked with the others
    by PyTorch's own passes, and counted as `trainability.inspect` counts. Arguments of the function
    are settings, several of one an axis: `axes={"network": Module.grid(build, channels=[4, 8])}`.
    Arguments called `width` and `depth` are the study's own. See `help(trainability.Module)`.
    """

    written = "network=Module(build, channels=8)"

    @cached_property
    def births(self) -> Births:
        """Draws copies."""
        return births_of(self.cell)

    @cached_property
    def anatomy(self) -> Anatomy:
        """Where the module's neurons are."""
        return dissect(new_module(self.cell.build), self.births.layout, self.births.x)

    @property
    def layers(self) -> str | None:  # type: ignore[override]
        return ", ".join(self.anatomy.layers) or None

    def draw(self, blocks: Sequence[int]) -> Copies:
        cell = self.cell
        at_once = tile_size("cpu", cell.blueprint.numbers * len(self.births.x))
        parts = []
        for block in blocks:
            first = block * BLOCK_SIZE
            # Of the module and the scheme: what a function draws depends on all of it.
            own = stream(
                cell.seed, json.dumps([cell.initialization, "build"]), "initialization", block
            )
            parts.append(
                self.births.draw(
                    own.integers(2**63, size=BLOCK_SIZE).tolist(),
                    stream(cell.seed, cell.stream_identity, "initialization", block),
                    lambda index, first=first: stream(
                        cell.seed, cell.stream_identity, "initialization", first + index
                    ),
                    at_once,
                )
            )
        trained, kept = (
            tuple(torch.cat(tensors) for tensors in zip(*groups, strict=True))
            for groups in (
                [part.trained for part in parts],
                [part.kept for part in parts],
            )
        )
        return Copies(self.births.layout, trained, kept, at_once)

    def engine_obstacle(self, engine: str) -> str | None:
        if engine in ("auto", ENGINE):
            return None
        return "it trains fully connected networks, not copies of a module"

    def start(
        self, networks: Copies, problem: Problem, engine: str, threads: int
    ) -> tuple[Training[Copies], str]:
        facts = self.cell.blueprint
        if obstacle := self.engine_obstacle(engine):
            raise InputError(f"engine {engine!r} can't train this: {obstacle}")
        training = CopiesTraining(
            networks, problem, by_mode=facts.by_mode, numbers=facts.numbers, device=self.device,
            threads=threads,
        )  # fmt: skip
        one_by_one = f", copy by copy: {facts.not_stacked}" if facts.not_stacked else ""
        return training, ENGINE + one_by_one

    def census(self, networks: Copies, *, at_birth: bool = False, quick: bool = False) -> Census:
        x = torch.from_numpy(self.births.x).to(self.device)
        with reproducible():
            status = statuses_of_copies(
                self.anatomy, networks.to(self.device), x, batch_statistics=at_birth,
                proofs=self.cell.idle == "stays",
            )  # fmt: skip
        certificate = tuple(np.full_like(of, EXACT) for of in status)
        return Census(tuple(status), certificate, networks.n_networks)

    def born_dead(self, networks: Copies, born: Census) -> np.ndarray:
        outputs = self._outputs(networks, self.births.x)
        return (outputs.amax(1) == outputs.amin(1)).all(1).numpy()

    def trainable(self, born: Census) -> np.ndarray:
        if not self.anatomy.is_chain:  # data may go around a layer whose neurons are all dead
            return np.ones(len(born.permanent), dtype=bool)
        widths = np.array([status.shape[1] for status in born.status])
        return np.all(born.permanent < widths, axis=1)

    def evaluation(self, x: np.ndarray, y: np.ndarray, classes: np.ndarray | None) -> Evaluate:
        facts, loss = self.cell.blueprint, self.cell.loss
        return CopiesEvaluation(self.births.layout, loss, x, y, classes, facts.numbers, self.device)

    def variances(self, networks: Copies, x: np.ndarray) -> np.ndarray:
        out = self._outputs(networks, x).double()
        return (out - out.mean(dim=1, keepdim=True)).square().mean(dim=(1, 2)).numpy()

    def sensitivity(self, networks: Copies) -> Sensitivity | None:
        with reproducible():
            points = torch.from_numpy(self.births.x).to(self.device)
            measured = measure_layers(networks.to(self.device), points)
        if measured is None:
            return None
        return sensitivity_of(measured, self.births.layout.inputs(points)[0])

    def _outputs(self, networks: Copies, x: np.ndarray) -> torch.Tensor:
        with reproducible():
            points = torch.from_numpy(x).to(self.device)
            return networks.to(self.device)(points).cpu()
