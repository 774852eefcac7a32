"""Count the dead neurons of an ordinary module on data."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from torch import nn

from trainability.death.status import ACTIVE, PERMANENT, TENTATIVE
from trainability.errors import refuse
from trainability.modules.data import Batch, batches
from trainability.modules.flow import Flow
from trainability.modules.following import follow
from trainability.modules.probing import plain_module, untouched_statistics
from trainability.modules.proofs import statuses
from trainability.modules.skipping import Skip, skipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Inspection:
    """The dead neurons of a module on data.

    Args:
        table: A row per ReLU, in the order of flow: `layer`, `neurons`, `active`,
            `tentatively_dead`, `permanently_dead`, and `dead_rate`, the share of dead neurons.
        status: By layer, which neurons: int8, shape (neurons,), one of ACTIVE, TENTATIVE and
            PERMANENT of `trainability.death`.
        n_examples: Examples in the data.
        is_chain: Whether the module is a plain chain of layers and ReLU, so that every permanent
            death shows.
        not_looked_at: ReLUs that are in no row, by their place in the module: why not.
        notes: What else a reader should know, such as running statistics that are still those of
            a new module, or why no death is shown to be permanent.
    """

    table: pd.DataFrame
    status: dict[str, np.ndarray]
    n_examples: int
    is_chain: bool
    not_looked_at: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        table = Table(title=f"Dead neurons on {self.n_examples:,} examples", title_justify="left")
        for column in self.table.columns:
            table.add_column(
                str(column).replace("_", " "), justify="left" if column == "layer" else "right"
            )
        for row in self.table.itertuples(index=False):
            *cells, rate = row
            table.add_row(*(str(cell) for cell in cells), f"{rate:.1%}")
        # In a notebook Rich would show the table beside the text, and leave it out there.
        console = Console(
            file=io.StringIO(),
            width=120,
            color_system=None,
            markup=False,
            emoji=False,
            force_jupyter=False,
        )
        console.print(table)
        if not self.is_chain:
            console.print(
                "Not a plain chain of layers and ReLU: a death that its own weights do not prove "
                "permanent counts as tentative."
            )
        for place, reason in self.not_looked_at.items():
            console.print(f"Not looked at: the ReLU in {place}: {reason}.", markup=False)
        for note in self.notes:
            console.print(f"{note}.", markup=False)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue().rstrip()

    __repr__ = __str__

    def plot(self, ax: Axes | None = None) -> Axes:
        """Stacked bars, one per layer: the shares of active and dead neurons."""
        from trainability.plots.inspection import plot_inspection

        return plot_inspection(self.table, ax, n_examples=self.n_examples)


def inspect(
    module: nn.Module, data: Any, *, batch_statistics: bool = False, skip: Skip = ()
) -> Inspection:
    """Count the neurons that are active, tentatively dead and permanently dead on data.

    Looked at is every ReLU, however it is written (nn.ReLU, F.relu, x.clamp(min=0), F.threshold,
    torch.maximum with 0, ReLU6), that takes the outputs of Linear and convolution layers, moved
    (view, transpose, cat, chunk, indexing, writes into other tensors), pooled, or after
    arithmetic and normalization: a ReLU behind a sum bears the names of all its layers. A neuron
    of a convolution is a channel. A ReLU whose input can't be followed to layers is listed as not
    looked at.

    A neuron is *dead* if it gives out a constant over the data. It is *permanently* dead if no
    gradient step on this data can change that: it is silent and sees nothing but data; or its
    weights and bias are all <= 0 while its inputs can't be negative, where inputs from permanently
    dead neurons count as 0. In a plain chain of layers, ReLU, pooling and flattening, a layer that
    is wholly silent makes every dead neuron permanent, as in a census. A death counts as tentative
    unless this is shown: nothing is, for neurons whose pre-activation goes elsewhere too, whose
    weights are computed, shared or used elsewhere, or behind what was not understood; and nothing
    at all where numbers leave torch on their way, or where the module does not run in training
    mode. Weight decay and an optimizer's momentum may still move a dead neuron's weights.

    The module is counted in evaluation mode and left as it was. Half of the first batch runs in
    training mode too, with and without gradients, so that what is called permanent holds there.
    Not seen is what lies inside compiled or scripted submodules' layers, and behind plain matrix
    products.

    Args:
        module: The module.
        data: Inputs of shape (N, ...), a tuple (x, y) whose y is ignored, several inputs as a
            tuple or a dict, or an iterable of such batches, such as a DataLoader; N >= 2 in all.
            See `trainability.modules.data.batches`.
        batch_statistics: Whether normalizations use the statistics of each batch, as the first
            step of training does, or their running statistics, as evaluation does: before
            training those are still 0 and 1, which a note then says.
        skip: Layers to leave out of the table: names, patterns such as "head.*", or types.

    Raises:
        InputError: If the data can't be used, or no ReLU can be looked at.

    Source: Shin & Karniadakis (2020), tentative and permanent death.
    """
    root = plain_module(module)
    left_out = skipped(root, skip)
    n_examples = 0

    def counted() -> Iterator[Batch]:
        nonlocal n_examples
        for batch in batches(data, root):
            n_examples += batch.n
            yield batch

    flow = follow(root, counted(), batch_statistics=batch_statistics)
    refuse(_problems(flow, n_examples, root))
    by_group, chain = statuses(flow)
    status = {
        _shown(names, flow): of
        for names, of in by_group.items()
        if not all(name in left_out for name in names)
    }
    notes = []
    fresh = [] if batch_statistics else untouched_statistics(root)
    if fresh:
        notes.append(
            f"Running statistics of {', '.join(fresh)} are still those of a new module; "
            f"batch_statistics=True looks at it as the first step of training does"
        )
    notes += [f"No death is shown to be permanent: {reason}" for reason in flow.doubts]
    if left_out:
        notes.append(f"Left out as asked: {', '.join(sorted(left_out))}")
    return Inspection(_table(status), status, n_examples, chain, flow.not_looked_at, tuple(notes))


def _shown(names: tuple[str, ...], flow: Flow) -> str:
    """The layers' names; with the range of the neurons where a ReLU takes only some."""
    name = " + ".join(names)
    behind = flow.neurons.rectified[flow.groups[names]]
    if behind.all():
        return name
    where = np.flatnonzero(behind)
    if len(where) == where[-1] - where[0] + 1:
        return f"{name}[{where[0]}:{where[-1] + 1}]"
    return f"{name}[{len(where)} of {len(behind)}]"


def _problems(flow: Flow, n_examples: int, root: nn.Module) -> list[str]:
    if n_examples < 2:
        return [f"data must hold at least 2 examples to show what is constant, got {n_examples}"]
    if not flow.order:
        if flow.not_looked_at:
            listed = "; ".join(f"{place}: {why}" for place, why in flow.not_looked_at.items())
            return [
                f"found no ReLU in {type(root).__name__} that can be followed to a Linear or "
                f"convolution layer. Not looked at: {listed}"
            ]
        return [
            f"found no ReLU behind a Linear or convolution layer in {type(root).__name__}; neurons "
            f"of other activations are not counted, even where those are flat, as Hardtanh is, and "
            f"compiled or scripted modules can't be seen into"
            + "".join(f". {reason}" for reason in flow.doubts)
        ]
    neurons = flow.neurons
    return [
        f"the ReLU behind {' + '.join(names)} gives out NaN or infinity; look for diverged "
        f"parameters"
        for names in flow.order
        if not np.isfinite(
            [
                ends[flow.groups[names]][neurons.rectified[flow.groups[names]]]
                for ends in (neurons.low, neurons.high)
            ]
        ).all()
    ]


def _table(status: dict[str, np.ndarray]) -> pd.DataFrame:
    counts = {
        name: [int((of == kind).sum()) for kind in (ACTIVE, TENTATIVE, PERMANENT)]
        for name, of in status.items()
    }
    return pd.DataFrame(
        [
            {
                "layer": name,
                "neurons": sum(count),
                "active": count[0],
                "tentatively_dead": count[1],
                "permanently_dead": count[2],
                "dead_rate": 1 - count[0] / sum(count),
            }
            for name, count in counts.items()
        ]
    )
