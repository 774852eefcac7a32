"""A tuning: which settings vary, over what ranges, and what they shall achieve."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from trainability import seeds
from trainability.checks import int_problem, is_int, is_number, settle_fields, shown
from trainability.errors import InputError, StudyError, refuse
from trainability.optimizers import Optimizer
from trainability.schemes.base import Scheme
from trainability.seeds import BLOCK_SIZE
from trainability.study import Cell, Study
from trainability.study.limits import MOST_BLOCKS
from trainability.study.records import (
    canonical,
    did_you_mean,
    field_problems,
    from_record,
    made,
    read_document,
    to_record,
)
from trainability.study.widths import Width, own_depth, settled_depth
from trainability.tasks.base import Task
from trainability.tuning.objectives import MedianSteps, Objective, SmallestWidth, SuccessRate
from trainability.tuning.ranges import Range

S = TypeVar("S", bound=Scheme | Optimizer)
Settings = tuple[float, ...]
"""Values of the settings that vary, in the order of `Tuning.vary`."""
_KINDS = {kind.__name__: kind for kind in (Range, SuccessRate, MedianSteps, SmallestWidth)}
_TWO = "one objective, such as SuccessRate(width=4), or two different ones"
_NOT_SEARCHED = ("name", "question", "budget", "fresh_replicates")


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Settings of a scheme, and of the optimizer beside it, that make training succeed.

    Args:
        name: Lower-case letters, digits, `_` and `-`; names the folder on storage.
        question: The question, in a sentence; it heads the report.
        task: What is learned.
        scheme: The default to compare with; settings that do not vary stay as it has them.
        optimizer: The same for the optimizer.
        vary: Ranges of fields of the scheme or of the optimizer, e.g.
            `{"bias_std": Range(0.01, 10, log=True)}`.
        objective: What to strive for, or two such: then the result is a Pareto front.
        max_steps: The budget of a network, in updates.
        tolerance: Training loss at which a network has succeeded.
        budget: Networks to spend on the search, in whole blocks of 256.
        fresh_replicates: Networks of every width on which the best few and the default are
            evaluated again, with fresh seeds; rounded up to whole blocks. Beside the budget.
        max_born_dead: The largest probability, by theory, with which a neuron of the first hidden
            layer may be born dead; None for no such constraint.
        depth: L, the number of affine layers: 2 is a shallow network. Default: as many as a tuple
            of widths says, 2 where no width is a tuple.
        batch_size: Points per minibatch; None for the full batch.
        seed: Of everything random in the search.

    Raises:
        StudyError: Lists every problem at once.
    """

    name: str
    question: str
    task: Task
    scheme: Scheme
    optimizer: Optimizer
    vary: Mapping[str, Range]
    objective: Objective | Sequence[Objective]
    max_steps: int
    tolerance: float
    budget: int = 100_000
    fresh_replicates: int = 16_384
    max_born_dead: float | None = None
    depth: int | None = None
    batch_size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        refuse(self._problems(), StudyError)
        settle_fields(self)
        object.__setattr__(self, "depth", settled_depth(self.widths, self.depth))

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """One objective, or the two of a Pareto front."""
        if isinstance(self.objective, Objective):
            return (self.objective,)
        return tuple(self.objective)

    @property
    def widths(self) -> tuple[Width, ...]:
        """The widths at which a candidate is trained."""
        widths = {width for part in self.objectives for width in part.widths}
        return tuple(
            sorted(widths, key=lambda width: width if isinstance(width, tuple) else (width,))
        )

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
        values = tuple(self.default_of(name) for name in self.vary)
        inside = all(r.holds(v) for r, v in zip(self.vary.values(), values, strict=True))
        return tuple(map(float, values)) if inside else None

    def strategies(self, settings: Settings | None) -> tuple[Scheme, Optimizer]:
        """Scheme and optimizer with these settings; the default for None."""
        if settings is None:
            return self.scheme, self.optimizer
        values = dict(zip(self.vary, settings, strict=True))
        return _with(self.scheme, values), _with(self.optimizer, values)

    def cell(self, settings: Settings | None, width: Width, seed: int | None = None) -> Cell:
        """The cell of a candidate, or of the default, at a width; by default of the search."""
        scheme, optimizer = self.strategies(settings)
        return Cell(
            task=self.task,
            scheme=scheme,
            width=width,
            depth=own_depth(width, self.depth),
            optimizer=optimizer,
            batch_size=self.batch_size,
            max_steps=self.max_steps,
            tolerance=self.tolerance,
            seed=self.seed if seed is None else seed,
            paired_over=tuple(sorted(name for name in self.vary if name in _names(self.scheme))),
        )

    def study(self) -> Study:
        """The default at every width, as a study."""
        return Study(
            name=self.name,
            question=self.question,
            axes={"width": list(self.widths)},
            task=self.task,
            scheme=self.scheme,
            optimizer=self.optimizer,
            depth=self.depth,
            batch_size=self.batch_size,
            max_steps=self.max_steps,
            tolerance=self.tolerance,
            replicates=self.fresh_replicates,
            seed=self.seed,
        )

    def to_json(self) -> str:
        """The tuning as JSON text; `from_json` is the inverse."""
        record = {field.name: to_record(getattr(self, field.name)) for field in fields(self)}
        return json.dumps({"tuning": 1, **record}, indent=2) + "\n"

    @staticmethod
    def from_json(text: str) -> Tuning:
        """Read a tuning that `to_json` wrote.

        Raises:
            StudyError: If the text is not such a tuning.
        """
        record = read_document(text, "tuning", "tuning.json")
        refuse(field_problems(record, Tuning, "tuning"), StudyError)
        return made("Tuning", Tuning, {key: _read(entry) for key, entry in record.items()})

    def default_of(self, name: str) -> Any:
        """The default's value of a setting."""
        return getattr(self.scheme if name in _names(self.scheme) else self.optimizer, name)

    def _problems(self) -> list[str]:
        problems = self._objective_problems()
        if problems:
            return problems
        for name in ("task", "scheme", "optimizer", "max_steps", "tolerance"):
            if getattr(self, name) is None:
                problems.append(f"{name} must be given, got None")
        if problems:
            return problems
        try:
            self.study()
        except InputError as error:
            return [str(error)]
        problems += self._range_problems()
        least = 8 * BLOCK_SIZE * len(self.widths)
        if not is_int(self.budget) or self.budget < least:
            problems.append(
                f"budget must be an int >= {least:,}, got {shown(self.budget)}: eight blocks of "
                f"{BLOCK_SIZE} networks at {len(self.widths)} widths are the least to learn from"
            )
        elif self.budget > MOST_BLOCKS * BLOCK_SIZE:
            problems += int_problem("budget", self.budget, least, MOST_BLOCKS * BLOCK_SIZE)
        dead = self.max_born_dead
        if dead is not None and not (is_number(dead) and 0 <= dead < 1):
            problems.append(f"max_born_dead must be None or from 0 to 1, got {shown(dead)}")
        return problems

    def _objective_problems(self) -> list[str]:
        found = self.objective
        if isinstance(found, Objective):
            return []
        if not isinstance(found, list | tuple) or len(found) != 2:
            return [f"objective must be {_TWO}, got {shown(found)}"]
        problems = [
            f"objective must be one of {', '.join(sorted(_KINDS.keys() - {'Range'}))}, got "
            f"{shown(part)}"
            for part in found
            if not isinstance(part, Objective)
        ]
        if not problems and found[0] == found[1]:
            problems.append(f"objective must be {_TWO}, got {shown(found)}")
        return problems

    def _range_problems(self) -> list[str]:
        if not isinstance(self.vary, Mapping) or not self.vary:
            wanted = '{"bias_std": Range(0.01, 10, log=True)}'
            return [f"vary must map settings to ranges, such as {wanted}, got {shown(self.vary)}"]
        problems = []
        there = {name: [] for part in (self.scheme, self.optimizer) for name in _names(part)}
        for part in (self.scheme, self.optimizer):
            for name in _names(part):
                there[name].append(type(part).__name__)
        for name, values in self.vary.items():
            if len(there.get(name, ())) != 1:
                why = f"{' and '.join(there[name])} both have it" if name in there else "unknown"
                problems.append(
                    f"vary {shown(name)}: {why}; wanted one of {', '.join(there)}"
                    f"{did_you_mean(name, there)}"
                )
            if not isinstance(values, Range):
                problems.append(
                    f"vary {shown(name)} must be a range, such as Range(0.01, 10, log=True), "
                    f"got {shown(values)}"
                )
        if problems:
            return problems
        for end in ("low", "high"):
            try:
                self.strategies(tuple(getattr(values, end) for values in self.vary.values()))
            except Exception as error:  # of a scheme of the user's, which may check nothing
                problems.append(f"the {end} ends of the ranges can't be used: {error}")
        return problems


def _kind_of(record: Mapping[str, Any]) -> str | None:
    """The name of the class that a record is of; "" where it is no name."""
    kind = record.get("type")
    return kind if kind is None or isinstance(kind, str) else ""


def _names(strategy: Scheme | Optimizer) -> list[str]:
    return [field.name for field in fields(strategy) if field.init]  # type: ignore[arg-type]


def _with(strategy: S, values: Mapping[str, float]) -> S:
    chosen = {name: value for name, value in values.items() if name in _names(strategy)}
    return dataclasses.replace(strategy, **chosen)  # type: ignore[type-var]


def _read(record: Any) -> Any:
    """`from_record`, which also knows what only a tuning holds."""
    if isinstance(record, list):
        return [_read(entry) for entry in record]
    if not isinstance(record, Mapping) or (kind := _kind_of(record)) not in (None, *_KINDS):
        return from_record(record)
    values = {key: _read(entry) for key, entry in record.items() if key != "type"}
    if isinstance(values.get("width"), list):  # JSON has no tuples
        values["width"] = tuple(values["width"])
    return values if kind is None else made(kind, _KINDS[kind], values)
