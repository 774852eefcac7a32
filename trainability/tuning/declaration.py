"""A tuning: which settings vary, over what ranges, and what they shall achieve."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from trainability import seeds
from trainability.activations import RELU, Activation
from trainability.checks import counted, int_problem, is_int, is_number, settle_fields, shown
from trainability.errors import InputError, StudyError, refuse
from trainability.identity import left_out, younger
from trainability.losses import MEAN_SQUARED_ERROR, Loss
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty
from trainability.schemes.base import Scheme
from trainability.seeds import BLOCK_SIZE
from trainability.study import Cell, Study
from trainability.study.axes import AXES, AXIS
from trainability.study.changes import further_axes, settle_axes, with_axes
from trainability.study.limits import MOST_BLOCKS
from trainability.study.network import Module
from trainability.study.records import (
    canonical,
    field_problems,
    from_record,
    made,
    read_document,
    to_record,
)
from trainability.study.widths import Width, own_depth, settled_depth
from trainability.tasks.base import Task
from trainability.tuning.choices import Choice
from trainability.tuning.dimensions import Dimension
from trainability.tuning.objectives import MedianSteps, Objective, SmallestWidth, SuccessRate
from trainability.tuning.parameters import (
    Path,
    dimension_problems,
    paths_of,
    space_of,
    value_at,
    with_changes,
)
from trainability.tuning.prior import prior_problems
from trainability.tuning.probes import probe_problems
from trainability.tuning.ranges import Integers, Range
from trainability.tuning.shapes import in_order, networks, shape_problems
from trainability.tuning.space import Settings, Space

_OBJECTIVES = {kind.__name__: kind for kind in (SuccessRate, MedianSteps, SmallestWidth)}
_KINDS = _OBJECTIVES | {kind.__name__: kind for kind in (Range, Integers, Choice)}
_COLUMNS = {
    "n_networks", "value", "low", "high", "expected", "hopeful", "begun", "fresh", "candidate",
    "is_default", "difference", "observed",
}  # fmt: skip
"""Names that the tables of candidates and finalists have taken."""
_TWO = "one objective, such as SuccessRate(width=4), or two different ones"
_NOT_SEARCHED = ("name", "question", "budget", "fresh_replicates")


@dataclass(frozen=True, kw_only=True)
@with_axes
class Tuning:
    """Settings that make training succeed: of a scheme, of the optimizer, or whole axes.

    What varies is named by its place: an axis (`width`, `activation`, `scheme`), or a field of what
    an axis holds (`scheme.bias_std`, `penalty.coefficient`, `optimizer.schedule.n_steps`), such as
    an argument of a module (`network.channels`); a field alone will do where only one of them has
    it. Where a `Choice` decides what holds a field, candidates that have no such field do without
    it.

    Args:
        name: Lower-case letters, digits, `_` and `-`; names the folder on storage.
        question: The question, in a sentence; it heads the report.
        task: What is learned.
        scheme: The default to compare with; settings that do not vary stay as it has them.
        optimizer: The same for the optimizer.
        vary: What varies and over what, e.g. `{"scheme.bias_std": Range(0.01, 10, log=True),
            "width": Integers(2, 64, log=True), "activation": Choice([ReLU(), GELU()])}`.
        objective: What to strive for, or two such: then the result is a Pareto front.
        max_steps: The budget of a network, in updates.
        tolerance: Training loss at which a network has succeeded; None where `target_accuracy`
            says when.
        budget: Networks to spend on the search, in whole blocks of 256.
        fresh_replicates: Networks of every width on which the best few and the default are
            evaluated again, with fresh seeds; rounded up to whole blocks. Beside the budget.
        max_born_dead: The largest probability, by theory, with which a neuron of the first hidden
            layer may be born dead; None for no such constraint.
        depth: L, the number of affine layers: 2 is a shallow network. Default: as many as a tuple
            of widths says, 2 where no width is a tuple.
        batch_size: Points per minibatch; None for the full batch.
        seed: Of everything random in the search.
        width: Neurons of every hidden layer of the default, where objectives name none.
        activation: Of the hidden neurons; the default's, as all that follows.
        loss: What is minimized, and what the tolerance is compared with.
        penalty: What is descended beside the loss; None for nothing.
        target_accuracy: Instead of a tolerance, for tasks with classes, as in a study.
        prior: "theory" to start at the candidates of which it predicts the most success, if any.
        network: What the networks are, as in a study: None for fully connected ones, `Module(build,
            channels=8)` for copies of a module, of which arguments that are named may vary.

    Raises:
        StudyError: Lists every problem at once.
    """

    name: str
    question: str
    task: Task
    scheme: Scheme
    optimizer: Optimizer
    vary: Mapping[str, Dimension]
    objective: Objective | Sequence[Objective]
    max_steps: int
    tolerance: float | None = None
    budget: int = 100_000
    fresh_replicates: int = 16_384
    max_born_dead: float | None = None
    depth: int | None = None
    batch_size: int | None = None
    seed: int = 0
    width: Width | None = younger(None, since=1)
    activation: Activation = younger(RELU, since=1)
    loss: Loss = younger(MEAN_SQUARED_ERROR, since=1)
    penalty: Penalty | None = younger(None, since=1)
    target_accuracy: float | None = younger(None, since=2)
    prior: str | None = younger(None, since=3)
    network: Module | None = younger(None, since=3)

    def __post_init__(self) -> None:
        refuse(self._problems(), StudyError)
        settle_fields(self)
        settle_axes(self, further_axes(Tuning))
        if None in networks(self):
            object.__setattr__(self, "depth", settled_depth(self._all_widths, self.depth))

    @cached_property
    def paths(self) -> dict[str, Path]:
        """Where the settings that vary stand, by their names."""
        return paths_of(self.vary, self.fixed)[0]

    @cached_property
    def space(self) -> Space:
        """The space that is searched."""
        return space_of({name: self.paths[name] for name in self.vary}, self.vary)

    @property
    def fixed(self) -> dict[str, Any]:
        """The default's value of every axis."""
        return {name: getattr(self, name) for name in AXES if hasattr(self, name)}

    @property
    def axes(self) -> list[str]:
        """The axes that vary, or of whose values some field does."""
        varied = {path[0] for path in self.paths.values()}
        return [name for name in AXES if name in varied]

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """One objective, or the two of a Pareto front."""
        if isinstance(self.objective, Objective):
            return (self.objective,)
        return tuple(self.objective)

    @property
    def widths(self) -> tuple[Width | None, ...]:
        """The widths at which a candidate is trained; None for its own, or else the default's."""
        widths = {width for part in self.objectives for width in part.widths}
        return tuple(sorted(widths, key=in_order))

    @property
    def _all_widths(self) -> list[Any]:
        """Every width that is named: by objectives, the default, or what varies."""
        varied = self.vary.get("width")
        return [*self.widths, self.width, *(varied.values if isinstance(varied, Choice) else ())]

    @property
    def n_evaluations(self) -> int:
        """Blocks that the budget pays for, a block being 256 networks of every width."""
        return self.budget // (BLOCK_SIZE * len(self.widths))

    @property
    def n_fresh_blocks(self) -> int:
        return math.ceil(self.fresh_replicates / BLOCK_SIZE)

    @property
    def fresh_seed(self) -> int:
        """The seed of the evaluation after the search: none that a user would have chosen."""
        return int(seeds.stream(self.seed, "fresh seed", "tuning").integers(2**32, 2**62))

    @property
    def search_id(self) -> str:
        """12 hexadecimal digits: a hash of what determines the search, apart from its length."""
        record = json.loads(self.to_json())
        identity = {key: value for key, value in record.items() if key not in _NOT_SEARCHED}
        identity["task"] = [identity["task"], self.task.fingerprint()]
        return hashlib.sha256(canonical(identity).encode()).hexdigest()[:12]

    @property
    def default(self) -> Settings | None:
        """The default's place in the search space, or None if it lies outside."""
        values = {
            name: self.default_of(name) if self.is_default_of(name) else None for name in self.vary
        }
        if not self.space.holds(values):
            return None
        numbers = {
            name: float(value) if isinstance(self.vary[name], Range) else value
            for name, value in self.space.active(tuple(values.values())).items()
        }
        return self.space.settings(values | numbers)

    def chosen(self, settings: Settings | None) -> dict[str, Any]:
        """The value of every axis with these settings; the default's for None."""
        chosen = self.fixed
        if settings is None:
            return chosen
        changes: dict[str, dict[Path, Any]] = {}
        for name, value in self.space.active(settings).items():
            axis, *rest = self.paths[name]
            changes.setdefault(axis, {})[tuple(rest)] = value
        return chosen | {axis: with_changes(chosen[axis], part) for axis, part in changes.items()}

    def cell(
        self, settings: Settings | None, width: Width | None = None, seed: int | None = None
    ) -> Cell:
        """The cell of a candidate, or of the default, at a width; by default of the search.

        Args:
            settings: Of the candidate; None for the default.
            width: Of `widths`; None for the candidate's own, or else the default's.
            seed: Of the random streams; by default that of the search.
        """
        chosen = self.chosen(settings)
        shape: Any = chosen["width"] if width is None else width
        chosen["width"] = shape
        if chosen["network"] is None:
            chosen["depth"] = own_depth(shape, chosen["depth"])
        paired = (path[1] for path in self.paths.values() if path[0] == "scheme" and len(path) == 2)
        return Cell(
            **chosen,
            seed=self.seed if seed is None else seed,
            paired_over=tuple(sorted(paired)),
        )

    def study(self) -> Study:
        """The default at every width, as a study."""
        return self._study(self._default_widths)

    @property
    def _default_widths(self) -> list[Any]:
        widths = [self.width if width is None else width for width in self.widths]
        return list(dict.fromkeys(widths))

    def _study(self, widths: list[Any]) -> Study:
        fixed: dict[str, Any] = self.fixed | {"width": None}
        if self.network is not None and "depth" not in self.network.takes:
            fixed["depth"] = None
        has_width = self.network is None or "width" in self.network.takes
        return Study(
            name=self.name,
            question=self.question,
            axes={"width": widths} if has_width and widths != [None] else {},
            replicates=self.fresh_replicates,
            seed=self.seed,
            **fixed,
        )

    def to_json(self) -> str:
        """The tuning as JSON text; `from_json` is the inverse."""
        names = [field.name for field in fields(self) if field.name not in left_out(self)]
        record = {name: to_record(getattr(self, name)) for name in names}
        return json.dumps({"tuning": 1, **record}, indent=2) + "\n"

    @staticmethod
    def from_json(text: str) -> Tuning:
        """Read a tuning that `to_json` wrote.

        Raises:
            StudyError: If the text is not such a tuning.
        """
        record = read_document(text, "tuning", "tuning.json")
        refuse(field_problems(record, Tuning, "tuning"), StudyError)
        return made("Tuning", Tuning, _read(record))

    def default_of(self, name: str) -> Any:
        """The default's value of a setting.

        Raises:
            AttributeError: If the default has no such setting.
        """
        axis, *rest = self.paths[name]
        return value_at(getattr(self, axis), rest)

    def is_default_of(self, name: str) -> bool:
        """Whether the default has such a setting."""
        try:
            self.default_of(name)
        except AttributeError:
            return False
        return True

    def _problems(self) -> list[str]:
        problems = self._objective_problems()
        if problems:
            return problems
        for name in ("task", "scheme", "optimizer", "max_steps"):
            if getattr(self, name) is None:
                problems.append(f"{name} must be given, got None")
        if problems:
            return problems
        problems += shape_problems(self)
        try:
            self._study([1] if problems else self._default_widths)
        except InputError as error:
            return [*problems, str(error)]
        problems += self._vary_problems(may_probe=not problems)
        problems += prior_problems(self)
        least = 8 * BLOCK_SIZE * len(self.widths)
        if not is_int(self.budget) or self.budget < least:
            problems.append(
                f"budget must be an int >= {least:,}, got {shown(self.budget)}: eight blocks of "
                f"{BLOCK_SIZE} networks at {counted(len(self.widths), 'width')} are the "
                "least to learn from"
            )
        elif self.budget > MOST_BLOCKS * BLOCK_SIZE:
            problems += int_problem("budget", self.budget, least, MOST_BLOCKS * BLOCK_SIZE)
        dead = self.max_born_dead
        if dead is not None and not (is_number(dead) and 0 <= dead < 1):
            problems.append(f"max_born_dead must be None or from 0 to 1, got {shown(dead)}")
        return problems

    def _objective_problems(self) -> list[str]:
        given = self.objective
        if isinstance(given, Objective):
            return []
        if not isinstance(given, list | tuple) or len(given) != 2:
            return [f"objective must be {_TWO}, got {shown(given)}"]
        problems = [
            f"objective must be one of {', '.join(sorted(_OBJECTIVES))}, got {shown(part)}"
            for part in given
            if not isinstance(part, Objective)
        ]
        if not problems and given[0] == given[1]:
            problems.append(f"objective must be {_TWO}, got {shown(given)}")
        return problems

    def _vary_problems(self, may_probe: bool) -> list[str]:
        if not isinstance(self.vary, Mapping) or not self.vary:
            wanted = '{"scheme.bias_std": Range(0.01, 10, log=True)}'
            return [f"vary must map settings to ranges, such as {wanted}, got {shown(self.vary)}"]
        paths, problems = paths_of(self.vary, self.fixed)
        problems += [
            f"vary {shown(name)}: the tables have a column of that name; write {'.'.join(path)}"
            for name, path in paths.items()
            if name in _COLUMNS and path != (name,)
        ]
        for name, dimension in self.vary.items():
            problems += dimension_problems(name, paths.get(name), dimension)
        if any(path[0] == "loss" for path in paths.values()):
            problems += [
                f"vary 'loss': {part} is measured in units of the loss, so that candidates could "
                "not be compared; wanted an objective of success, such as SuccessRate(width=8)"
                for part in self.objectives
                if part.in_units_of_loss
            ]
        return problems or (probe_problems(self) if may_probe else [])


def _kind_of(record: Mapping[str, Any]) -> str | None:
    """The name of the class that a record is of; "" where it is no name."""
    kind = record.get("type")
    return kind if kind is None or isinstance(kind, str) else ""


def _read(record: Any, axis: str = "") -> Any:
    """`from_record`, which also knows what only a tuning holds.

    Args:
        record: JSON data.
        axis: That it is a value of, or values; empty for none.
    """
    if isinstance(record, list):
        entries = [_read(entry) for entry in record]
        return AXIS[axis].read(entries) if axis else entries
    if not isinstance(record, Mapping) or (kind := _kind_of(record)) not in (None, *_KINDS):
        value = from_record(record)
        return AXIS[axis].read(value) if axis else value
    values = {
        key: _read(entry, key if key in AXIS else "")
        for key, entry in record.items()
        if key != "type"
    }
    if axis and kind == "Choice" and isinstance(values.get("values"), list):
        values["values"] = [AXIS[axis].read(entry) for entry in values["values"]]
    return values if kind is None else made(kind, _KINDS[kind], values)
