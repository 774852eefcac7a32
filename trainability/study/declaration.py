"""A study: a question with its axes, fixed values and seed."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from trainability.activations import RELU, Activation
from trainability.checks import (
    choice_problem,
    int_problem,
    name_problem,
    settle_fields,
    shown,
    text_problem,
)
from trainability.errors import StudyError, refuse
from trainability.identity import left_out, younger
from trainability.losses import MEAN_SQUARED_ERROR, Loss
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty
from trainability.schemes.base import Scheme
from trainability.seeds import BLOCK_SIZE
from trainability.study.axes import AXES, AXIS, STRATEGIES, Axes
from trainability.study.cell import Cell
from trainability.study.changes import further_axes, settle_axes, with_axes
from trainability.study.grid import axis_problems, canonical_axes
from trainability.study.limits import MOST_BLOCKS, joint_problems
from trainability.study.network import Module, networks_of
from trainability.study.published import Published, published_problems
from trainability.study.quantities import QUANTITIES
from trainability.study.records import field_problems, from_record, made, read_document, to_record
from trainability.study.widths import Width, own_depth, settled_depth
from trainability.tasks.base import Task


@dataclass(frozen=True, kw_only=True)
@with_axes
class Study:
    """What is asked, over which grid, with how many networks per cell.

    Every value that `axes` does not vary is fixed by the field of the same name. Fields and axes
    are also those of `study.axes` that are not described here, such as `label_noise`.

    Args:
        name: Lower-case letters, digits, `_` and `-`; names the folder on storage.
        question: The question, in a sentence; it heads the report.
        axes: For each axis its values, e.g. `{"width": [2, 4, 8]}`.
        task: What is learned.
        scheme: How the networks are initialized.
        width: Neurons of every hidden layer, or a tuple with those of each, from the input to the
            output: 8, or (8, 4) at depth 3. A tuple of equal numbers is that number.
        depth: L, the number of affine layers: 2 is a shallow network. Default: as many as a tuple
            of widths says, 2 where no width is a tuple.
        optimizer: The update rule.
        batch_size: Points per minibatch; None for the full batch.
        max_steps: The budget of a network, in updates.
        tolerance: Training loss at which a network has succeeded. Must lie below what fewer
            active neurons than the task needs can reach. None with a target accuracy.
        replicates: Networks per cell, rounded up to whole blocks of 256.
        seed: Of everything random.
        published: Numbers of others that the report puts beside ours; they change none of ours.
        activation: Of the hidden neurons.
        loss: What is minimized, and what the tolerance is compared with.
        penalty: What is descended beside the loss; None for nothing.
        network: Which networks are studied: None for fully connected ones, with engines of their
            own; `Module(build)` for copies of a module of yours. Then width and depth are given
            only if the function takes them.
        target_accuracy: Instead of a tolerance, for tasks with classes: the share of the training
            points whose class a network must name to have succeeded, looked at at checkpoints
            (steps 0, 1, 2, 5, 10, 20 and so on). Above the share of the largest class, which a
            network without active neurons reaches; at most 1.
        quantity: What the question is about, a name in `quantities.QUANTITIES`: the report says
            first what it is and which strategies have most of it, or least. If the first of the
            `axes` is of numbers, it says first how the quantity changes along that.

    Raises:
        StudyError: Lists every problem at once.
    """

    name: str
    question: str
    axes: Axes
    max_steps: int
    tolerance: float | None = None
    task: Task | None = None
    scheme: Scheme | None = None
    width: Width | None = None
    depth: int | None = None
    optimizer: Optimizer | None = None
    batch_size: int | None = None
    replicates: int = 1024
    seed: int = 0
    published: Sequence[Published] = ()
    activation: Activation = younger(RELU, since=1)
    loss: Loss = younger(MEAN_SQUARED_ERROR, since=1)
    penalty: Penalty | None = younger(None, since=1)
    target_accuracy: float | None = younger(None, since=2)
    quantity: str = younger("success", since=3)
    network: Module | None = younger(None, since=3)

    def __post_init__(self) -> None:
        refuse(self._problems(), StudyError)
        settle_fields(self)
        object.__setattr__(self, "published", tuple(self.published))
        object.__setattr__(self, "axes", canonical_axes(self.axes))
        settle_axes(self, ["width", *further_axes(Study)])
        if None in networks_of(self.axes, self._fixed()):
            widths = self.axes.get("width", [self.width])
            object.__setattr__(self, "depth", settled_depth(widths, self.depth))

    def cells(self) -> list[Cell]:
        """The points of the grid, in the order of the axes."""
        return list(self._cells())

    @property
    def n_blocks(self) -> int:
        """Blocks per cell: `replicates` rounded up."""
        return math.ceil(self.replicates / BLOCK_SIZE)

    def to_json(self) -> str:
        """The study as JSON text; `from_json` is the inverse."""
        names = [field.name for field in fields(self) if field.name not in left_out(self)]
        record = {name: to_record(getattr(self, name)) for name in names}
        return json.dumps({"study": 1, **record}, indent=2) + "\n"

    @staticmethod
    def from_json(text: str) -> Study:
        """Read a study that `to_json` wrote.

        Raises:
            StudyError: If the text is not such a study.
        """
        record = read_document(text, "study", "study.json")
        refuse(field_problems(record, Study, "study"), StudyError)
        values = {key: from_record(entry) for key, entry in record.items()}
        values |= {name: AXIS[name].read(values[name]) for name in AXES if name in values}
        if isinstance(axes := values.get("axes"), dict):
            values["axes"] = axes | {
                name: [AXIS[name].read(entry) for entry in axes[name]]
                for name in AXES
                if isinstance(axes.get(name), list)
            }
        return made("Study", Study, values)

    def _cells(self) -> Iterator[Cell]:
        fixed: dict[str, Any] = self._fixed() | {"seed": self.seed}
        names = [name for name in AXES if name in self.axes]
        of_modules: set[str] = set()
        for values in itertools.product(*(self.axes[name] for name in names)):
            chosen: dict[str, Any] = fixed | dict(zip(names, values, strict=True))
            if chosen["network"] is None:
                chosen["depth"] = own_depth(chosen["width"], chosen["depth"])
            cell = Cell(**chosen)
            if cell.network is not None:
                # Of an axis that a module doesn't take, all values are one cell.
                if cell.id in of_modules:
                    continue
                of_modules.add(cell.id)
            yield cell

    def _fixed(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in AXES}

    def _problems(self) -> list[str]:
        problems = name_problem("name", self.name)
        problems += text_problem("question", self.question, "'Is it wide enough?'", most=4000)
        problems += int_problem("replicates", self.replicates, 1, MOST_BLOCKS * BLOCK_SIZE)
        problems += int_problem("seed", self.seed, 0)
        if not isinstance(self.published, list | tuple) or not all(
            isinstance(entry, Published) for entry in self.published
        ):
            problems.append(
                f"published must be a list of Published(...), got {shown(self.published)}"
            )
        values = axis_problems(self.axes, self._fixed())
        problems += choice_problem("Study", "quantity", self.quantity, QUANTITIES)
        if problems + values:
            return problems + values
        # What is wrong with values together can be told only where each of them can be used.
        cells = list(self._cells())
        return published_problems(self.published, cells, AXES, set(STRATEGIES)) or joint_problems(
            cells, self.n_blocks
        )
