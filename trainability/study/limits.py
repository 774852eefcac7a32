"""What a study may ask for: what file names, rows and memory can hold, and what a task allows."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from trainability.checks import reason
from trainability.errors import InputError
from trainability.lazy import numpy as np
from trainability.losses import Loss, loss_types
from trainability.seeds import BLOCK_SIZE
from trainability.study.cell import Cell
from trainability.study.changes import CHANGING
from trainability.study.widths import grouped
from trainability.tasks.base import Task
from trainability.tasks.classes import best_constant_accuracy, classes_problem

MOST_BLOCKS = 1_000_000
"""Of a cell: the names of block files have six digits."""
MOST_BLOCKS_OF_STUDY = 10_000_000
MOST_CELLS = 100_000
_MOST_PARAMETERS = 2**25
"""Of a network: a block of them, with Adam's two moments, then has 128 GB."""


def joint_problems(cells: Sequence[Cell], n_blocks: int) -> list[str]:
    """What is wrong with values that are fine each on its own.

    Args:
        cells: All points of the grid.
        n_blocks: Blocks of every cell.
    """
    problems = []
    if len(cells) * n_blocks > MOST_BLOCKS_OF_STUDY:
        problems.append(
            f"the grid must have at most {MOST_BLOCKS_OF_STUDY * BLOCK_SIZE:,} networks, got "
            f"{len(cells):,} cells of {n_blocks * BLOCK_SIZE:,}"
        )
    alike: defaultdict[tuple[Any, ...], list[Cell]] = defaultdict(list)
    for cell in cells:
        deep = cell.network is not None or cell.n_hidden > 1
        rules = (id(cell.task), cell.activation, cell.loss, deep, cell.network)
        alike[rules].append(cell)
    for of_task in alike.values():
        problems += _task_problems(of_task)
    return list(dict.fromkeys(problems)) or _alike_problems(cells)


def _alike_problems(cells: Sequence[Cell]) -> list[str]:
    """Values by which axes make the same points of a task: their cells would be one, twice."""
    names = [axis.name for axis in CHANGING["task"]]
    made: defaultdict[int, dict[tuple[Any, ...], Cell]] = defaultdict(dict)
    for cell in cells:
        values = tuple(cell.declared(name) for name in names)
        made[id(cell.declared("task"))].setdefault(values, cell)
    problems = []
    for of_task in made.values():
        firsts: dict[Any, Cell] = {}
        for cell in of_task.values() if len(of_task) > 1 else ():
            points = (cell.task.fingerprint(), cell.task.validation_fingerprint())
            first = firsts.setdefault(points, cell)
            differ = [name for name in names if cell.declared(name) != first.declared(name)]
            if differ:
                a, b = (
                    ", ".join(f"{name} {one.declared(name)}" for name in differ)
                    for one in (first, cell)
                )
                problems.append(f"{a} and {b} are the same points of {cell.task}; leave one out")
    return problems


def _task_problems(cells: Sequence[Cell]) -> list[str]:
    """What is wrong with cells of one task, activation and loss."""
    first = cells[0]
    task = first.task
    try:
        y = task.data()[1]
        if wrong := task.n_classes and classes_problem(y, task.n_classes):
            return [f"{task}: {wrong}"]
        if wrong := first.loss.target_problem(y):
            return [f"{first.loss} does not fit {task}: {wrong}{_that_fit(y)}"]
        if wrong := _validation_problem(task, first.loss):
            return [f"{task}: {wrong}"]
        best = first.best_loss_below_need
        n_train = task.n_train
        if first.network is not None and not first.network.has_code:
            return []  # as it stands in a study.json; whoever runs it needs the study file
        if first.network is not None and (wrong := _module_problems(cells)):
            return wrong
        largest = max(cells, key=lambda cell: cell.n_parameters)
    except InputError as error:
        return [f"{task}: {error}"]
    except Exception as error:  # of a task of the user's
        return [f"{task} can't be built: {reason(error)}"]
    problems = []
    if largest.n_parameters > _MOST_PARAMETERS:
        problems.append(
            f"a network must have at most {_MOST_PARAMETERS:,} weights and biases, got "
            f"{largest.n_parameters:,} in {_shape(largest)} on {task}: {BLOCK_SIZE} of them are "
            "trained at once"
        )
    accuracies = {cell.target_accuracy for cell in cells if cell.target_accuracy is not None}
    if accuracies and not task.n_classes:
        from trainability.tasks.table import Table  # reads files, and loads what for

        problems.append(
            f"target_accuracy wants a task with classes, got {task}; give a tolerance of the loss "
            "instead" + (", or classes=True" if isinstance(first.declared("task"), Table) else "")
        )
        accuracies = set()
    for accuracy in sorted(accuracies):
        if accuracy <= (constant := best_constant_accuracy(y)):
            problems.append(
                f"target_accuracy {accuracy:g} is not above {constant:.4g}, the share of the "
                f"largest class of {task}: an untrainable network, whose output is constant, could "
                "succeed. Choose a larger one"
            )
    for tolerance in sorted({cell.tolerance for cell in cells if cell.tolerance is not None}):
        if tolerance >= best:
            problems.append(
                f"tolerance {tolerance:g} is not below {best:.4g}, the loss that fewer "
                f"than {first.proven_need} active neurons can reach on {task}: an untrainable "
                "network could succeed. Choose a smaller tolerance or more training points"
            )
    for size in sorted({cell.batch_size for cell in cells if cell.batch_size}):
        if size > n_train:
            problems.append(
                f"batch_size {size} exceeds the {n_train} training points of {task}; "
                "use None for the full batch"
            )
    return problems


def _module_problems(cells: Sequence[Cell]) -> list[str]:
    """What is wrong with the modules that cells of one task build, and with schemes for them."""
    from trainability.modules.copying import births_of

    problems: list[str] = []
    # Axes such as the optimizer make many cells of one module and scheme.
    distinct = {(cell.network, cell.width, cell.depth, cell.scheme): cell for cell in cells}
    for cell in distinct.values():
        try:
            births = births_of(cell)
            wrong = births.problems()
            if not wrong and births.born_alike and _without_chance(cell, cells):
                wrong = [
                    f"all copies are born the same by {cell.scheme}, and nothing in their training "
                    "is random, so that they would count as one; let the function draw, or give a "
                    "batch_size"
                ]
        except InputError as error:
            wrong = [str(error)]
        if wrong:
            problems.append(f"{cell.network} on {cell.task}: {'; '.join(wrong)}")
    return list(dict.fromkeys(problems))


def _without_chance(cell: Cell, cells: Sequence[Cell]) -> bool:
    """Whether some cell of this module trains it without minibatches and without dropout."""
    return not cell.blueprint.by_mode and any(
        other.batch_size is None for other in cells if other.network == cell.network
    )


def _shape(cell: Cell) -> str:
    if cell.network is not None:
        return str(cell.network)
    assert cell.width is not None and cell.depth is not None
    return f"a network of width {grouped(cell.width)} and depth {cell.depth:,}"


def _that_fit(y: np.ndarray) -> str:
    """Which losses take targets, to append to a message."""
    fitting = []
    for name, kind in loss_types().items():
        with contextlib.suppress(Exception):  # of a loss of the user's, or one that has settings
            if kind().target_problem(y) is None:
                fitting.append(f"{name}()")
    return f"; what fits: {', '.join(fitting)}" if fitting else ""


def _validation_problem(task: Task, loss: Loss) -> str | None:
    """What is wrong with the validation points of a task."""
    points = task.validation()
    if points is None:
        return None
    x, y = points
    wanted = f"validation points must be of shapes (M, {task.d_in}) and (M, {task.d_out})"
    if x.shape[1:] != (task.d_in,) or y.shape != (len(x), task.d_out):
        return f"{wanted}, got {x.shape} and {y.shape}"
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return "validation points must be finite, got NaN or infinity"
    wrong = (task.n_classes and classes_problem(y, task.n_classes)) or loss.target_problem(y)
    return f"validation points: {wrong}" if wrong else None
