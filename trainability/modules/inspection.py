"""Count the dead neurons of an ordinary module on data."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.data import Dataset

from trainability.death.status import (
    ACTIVE,
    EXACT,
    PERMANENT,
    POSITIVE,
    SILENT,
    TENTATIVE,
    Verdicts,
    classify,
)
from trainability.errors import InputError, refuse
from trainability.modules.flow import Activation, AffineUse, Flow
from trainability.modules.probing import as_inputs, plain_module, probing

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
    """

    table: pd.DataFrame
    status: dict[str, np.ndarray]
    n_examples: int
    is_chain: bool

    def __str__(self) -> str:
        table = Table(title=f"Dead neurons on {self.n_examples:,} examples", title_justify="left")
        for column in self.table.columns:
            table.add_column(
                str(column).replace("_", " "), justify="left" if column == "layer" else "right"
            )
        for row in self.table.itertuples(index=False):
            *cells, rate = row
            table.add_row(*(str(cell) for cell in cells), f"{rate:.1%}")
        console = Console(
            file=io.StringIO(), width=120, color_system=None, markup=False, emoji=False
        )
        console.print(table)
        if not self.is_chain:
            console.print(
                "Not a plain chain of layers and ReLU: a death that its own weights do not prove "
                "permanent counts as tentative."
            )
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue().rstrip()

    __repr__ = __str__

    def plot(self, ax: Axes | None = None) -> Axes:
        """Stacked bars, one per layer: the shares of active and dead neurons."""
        from trainability.plots.inspection import plot_inspection

        return plot_inspection(self.table, ax, n_examples=self.n_examples)


def inspect(module: nn.Module, data: Any) -> Inspection:
    """Count the neurons that are active, tentatively dead and permanently dead on data.

    Looked at is every ReLU (also ReLU6 and clamping at 0; as a module or as a function) that
    takes the output of a Linear or convolution layer, or of arithmetic and normalization on it:
    a ReLU behind a sum bears the names of all its layers. A neuron of a convolution is a channel.

    A neuron is *dead* if it gives out a constant over the data. It is *permanently* dead if no
    gradient step on this data can change that: it is silent and belongs to the first layer; or
    its weights and bias are all <= 0 while its inputs can't be negative. In a plain chain of
    layers, ReLU, pooling and flattening, inputs from permanently dead neurons count as 0, and a
    layer that is wholly silent makes every dead neuron permanent, as in a census. With anything
    else between (dropout, normalization, skip connections, shared or computed weights, what is
    unknown here) a death counts as tentative unless its own weights prove more. Weight decay and
    an optimizer's momentum may still move a dead neuron's weights.

    The module is looked at in evaluation mode and left as it was. Not seen is what happens in
    training mode alone, inside compiled or scripted submodules, and behind plain matrix products.

    Args:
        module: The module; its forward pass takes one tensor.
        data: Inputs of shape (N, ...), a tuple (x, y) whose y is ignored, or an iterable of
            batches of either form, such as a list or a DataLoader; N >= 2 in all.

    Raises:
        InputError: If the data can't be used, or there is no such ReLU.

    Source: Shin & Karniadakis (2020), tentative and permanent death.
    """
    root = plain_module(module)
    flow = Flow()
    n_examples = 0
    with probing(root, batch_statistics=False):
        for batch in _batches(data):
            x = as_inputs(batch, root)
            flow.watch(root, x)
            n_examples += len(x)
    refuse(_problems(flow, n_examples, root))
    chain = _is_chain(flow)
    found = _chain_status(flow) if chain else _status(flow)
    status = {" + ".join(layers): found[layers] for layers in flow.activations}
    return Inspection(_table(status), status, n_examples, chain)


def _batches(data: Any) -> Iterator[Any]:
    if isinstance(data, Tensor | np.ndarray | tuple):
        yield _inputs_of(data)
    elif isinstance(data, Iterable) and not isinstance(data, str | dict | Dataset):
        for batch in data:
            yield _inputs_of(tuple(batch) if isinstance(batch, list) else batch)
    else:
        raise InputError(
            f"data must be a tensor, a tuple (x, y) or an iterable of batches, got "
            f"{type(data).__name__}; wrap a Dataset in a DataLoader"
        )


def _inputs_of(batch: Any) -> Any:
    if not isinstance(batch, tuple):
        return batch
    if len(batch) == 2 and all(isinstance(t, Tensor | np.ndarray) for t in batch):
        x, y = batch
        if x.ndim and y.ndim and len(x) == len(y):
            return x
    raise InputError(
        f"a tuple must be (x, y) with as many targets as inputs, got {len(batch)} entries; pass "
        f"several batches as a list"
    )


def _problems(flow: Flow, n_examples: int, root: nn.Module) -> list[str]:
    if n_examples < 2:
        return [f"data must hold at least 2 examples to show what is constant, got {n_examples}"]
    if not flow.activations:
        return [
            f"found no ReLU behind a Linear or convolution layer in {type(root).__name__}; other "
            f"activations have no dead neurons, and compiled or scripted modules can't be seen into"
        ]
    return [
        f"the ReLU behind {' + '.join(layers)} gives out NaN or infinity; look for diverged "
        f"parameters"
        for layers, seen in flow.activations.items()
        if not torch.isfinite(seen.low + seen.high).all()
    ]


def _is_chain(flow: Flow) -> bool:
    """Whether each layer feeds a ReLU and this only the next layer; the last may have none."""
    before = None
    for name, use in flow.layers.items():
        if before is None:
            fed_well = use.source.kind == "data"
        else:
            only = before not in flow.unusual_relu and (before,) in flow.activations
            fed_well = only and use.source.exact and use.source.layers == (before,)
            fed_well = fed_well and use.source.kind == "relu"
        seen = flow.activations.get((name,))
        alone = seen is None or (seen.exact and name not in flow.unusual_affine)
        if not (fed_well and alone and flow.owns(name)):
            return False
        before = name
    return all(len(layers) == 1 for layers in flow.activations)


def _chain_status(flow: Flow) -> dict[tuple[str, ...], np.ndarray]:
    weights, biases = [], []
    verdicts = Verdicts.unknown(1, [len(seen.high) for seen in flow.activations.values()])
    n_before = None
    for index, (layers, seen) in enumerate(flow.activations.items()):
        use = flow.layers[layers[0]]
        weights.append(_signs(use, n_before)[None])
        biases.append(_bias(use)[None])
        sign = np.where(seen.high.numpy() > 0, POSITIVE, SILENT)
        verdicts.record(index, slice(None), sign[None], EXACT)
        n_before = len(sign)
    census = classify(weights, biases, verdicts)
    blocked = any((seen.high <= 0).all() for seen in flow.activations.values())
    found = {}
    for (layers, seen), status in zip(flow.activations.items(), census.status, strict=True):
        # By what feeds it this neuron may vary, but on these points it does not.
        still = (status[0] == ACTIVE) & _constant(seen)
        found[layers] = np.where(still, PERMANENT if blocked else TENTATIVE, status[0])
    return found


def _signs(use: AffineUse, n_before: int | None) -> np.ndarray:
    """One number per neuron and neuron before it, shape (W, W_before).

    Positive if one of the weights between them is, 0 if all are, else negative: a channel has as
    many weights to a neuron as the kernel, or the flattened image, has places.
    """
    weight = use.weight.detach().to("cpu", torch.float64)
    if n_before is None:
        return weight.flatten(1).numpy()
    if weight.ndim == 2:
        return _extreme(weight.reshape(len(weight), n_before, -1))
    places = weight.flatten(2)
    n_seen = places.shape[1]
    groups = n_before // n_seen
    signs = np.zeros((len(places), n_before))
    for group, rows in enumerate(np.split(np.arange(len(places)), groups)):
        signs[rows, group * n_seen : (group + 1) * n_seen] = _extreme(places[rows])
    return signs


def _extreme(places: Tensor) -> np.ndarray:
    most = places.amax(2)
    return torch.where(most > 0, most, places.amin(2)).numpy()


def _bias(use: AffineUse) -> np.ndarray:
    if use.bias is None:
        return np.zeros(len(use.weight))
    return use.bias.detach().to("cpu", torch.float64).numpy()


def _status(flow: Flow) -> dict[tuple[str, ...], np.ndarray]:
    """Where there is more than a chain: permanent is what a neuron's own weights prove."""
    found = {}
    for layers, seen in flow.activations.items():
        silent = seen.high.numpy() <= 0
        gone = np.zeros(len(silent), bool)
        (name, *others) = layers
        if seen.exact and not others and name not in flow.unusual_affine and flow.owns(name):
            use = flow.layers[name]
            if use.source.kind == "data":
                gone = silent
            elif use.source.non_negative:
                gone = silent & (_bias(use) <= 0) & (_signs(use, None) <= 0).all(axis=1)
        dead = silent | _constant(seen)
        found[layers] = np.where(gone, PERMANENT, np.where(dead, TENTATIVE, ACTIVE))
    return found


def _constant(seen: Activation) -> np.ndarray:
    return (seen.low == seen.high).numpy()


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
