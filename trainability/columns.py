"""Columns of the rows, each declared once: its type, its range, what it means, and its version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from trainability.identity import VERSION

_COUNTS = pa.list_(pa.int32())
_NUMBERS = pa.list_(pa.float32())
_FLAGS = pa.list_(pa.bool_())


@dataclass(frozen=True)
class Column:
    """A column of the rows.

    Args:
        name: Its name.
        type: Its Arrow type; of the entries if it holds lists, one per layer or per checkpoint.
        meaning: What it holds, in a sentence.
        least: Least value of it, or of every entry; None for texts and truth values.
        one_of: The texts that it may hold; empty for any.
        nullable: Whether a value may be missing.
        nullable_since: The version since which it may; 0 from the beginning.
        nullable_entries: Whether an entry of a list may be missing.
        same_for_cell: Whether all rows of a cell have the same value: it is identity.
        since: The version since which it exists; 0 from the beginning.
        default: Its value in rows of files that are older.
    """

    name: str
    type: pa.DataType
    meaning: str
    least: float | None = None
    one_of: tuple[str, ...] = ()
    nullable: bool = False
    nullable_since: int = 0
    nullable_entries: bool = False
    same_for_cell: bool = False
    since: int = 0
    default: Any = None

    def __post_init__(self) -> None:
        assert self.since <= VERSION, f"{self.name}: raise VERSION, which is {VERSION}"


def _identity(
    name: str, type_: pa.DataType, meaning: str, least: float | None = None, **more: Any
) -> Column:
    return Column(name, type_, meaning, least, same_for_cell=True, **more)


COLUMNS: tuple[Column, ...] = (
    _identity("study", pa.string(), "Name of the study."),
    _identity("cell", pa.string(), "Id of the cell: a hash of its identity."),
    Column("replicate", pa.int64(), "Number of the network within its cell, from 0.", 0),
    _identity("task", pa.string(), "The task, as one writes it."),
    _identity("scheme", pa.string(), "The initialization scheme, as one writes it."),
    _identity(
        "width",
        pa.int32(),
        "Neurons of each hidden layer; null where they differ, see widths, or a module has none.",
        1,
        nullable=True,
        nullable_since=2,
    ),
    _identity(
        "depth",
        pa.int32(),
        "Affine layers; a shallow network has 2. Null of a module that takes no depth.",
        2,
        nullable=True,
        nullable_since=3,
    ),
    _identity("d_in", pa.int32(), "Inputs.", 1),
    _identity("d_out", pa.int32(), "Outputs.", 1),
    _identity("n_train", pa.int32(), "Training points.", 1),
    _identity(
        "need",
        pa.int32(),
        "Neurons of the first hidden layer that must not be permanently dead.",
        0,
    ),
    _identity("optimizer", pa.string(), "The optimizer, as one writes it."),
    _identity("learning_rate", pa.float64(), "Its step size, before any schedule.", 0),
    _identity(
        "batch_size",
        pa.int32(),
        "Points of a minibatch; null for all of them at every step.",
        1,
        nullable=True,
    ),
    _identity("max_steps", pa.int64(), "Updates after which training ends, in steps.", 1),
    _identity(
        "tolerance",
        pa.float64(),
        "Training loss at which a network succeeds; null where accuracy decides.",
        0,
        nullable=True,
        nullable_since=2,
    ),
    _identity("seed", pa.int64(), "The study's seed.", 0),
    Column(
        "status",
        pa.string(),
        "ok, or diverged: its loss or parameters are not finite. It counts as a failure.",
        one_of=("ok", "diverged"),
    ),
    Column("born_dead", pa.bool_(), "Whether the network is constant on the domain at birth."),
    Column(
        "trainable",
        pa.bool_(),
        "Whether at birth enough neurons of every layer are not permanently dead.",
    ),
    Column(
        "active_init", _COUNTS, "Neurons at birth that are active, one count per hidden layer.", 0
    ),
    Column(
        "tentative_init",
        _COUNTS,
        "Neurons at birth that are tentatively dead, per hidden layer.",
        0,
    ),
    Column(
        "permanent_init",
        _COUNTS,
        "Neurons at birth that are permanently dead, per hidden layer.",
        0,
    ),
    Column(
        "undecided_init",
        _COUNTS,
        "Neurons at birth that the census could not settle, per hidden layer; they are counted "
        "among the dead as the samples say.",
        0,
    ),
    Column(
        "active_final",
        _COUNTS,
        "As active_init where training ended; null for a network that diverged.",
        0,
        nullable=True,
    ),
    Column(
        "tentative_final",
        _COUNTS,
        "As tentative_init where training ended; null if diverged.",
        0,
        nullable=True,
    ),
    Column(
        "permanent_final",
        _COUNTS,
        "As permanent_init where training ended; null if diverged.",
        0,
        nullable=True,
    ),
    Column(
        "undecided_final",
        _COUNTS,
        "As undecided_init where training ended; null if diverged.",
        0,
        nullable=True,
    ),
    Column(
        "n_revived",
        pa.int32(),
        "Neurons that were dead at birth and are active where training ended.",
        0,
    ),
    Column(
        "initial_loss",
        pa.float32(),
        "Training loss at birth, as the loss declares it.",
        0,
        nullable=True,
    ),
    Column(
        "final_loss",
        pa.float32(),
        "Training loss where training ended; null if it is no number.",
        0,
        nullable=True,
    ),
    Column(
        "steps",
        pa.int64(),
        "Updates until the network succeeded, or until training ended, in steps.",
        0,
    ),
    Column(
        "success",
        pa.bool_(),
        "Whether it reached the tolerance, or the target accuracy, within max_steps.",
    ),
    Column(
        "loss_curve",
        pa.list_(pa.float32()),
        "Training loss at every checkpoint; null from where it diverged.",
        0,
        nullable_entries=True,
    ),
    Column(
        "active_curve",
        _COUNTS,
        "Active neurons of all hidden layers together, at every checkpoint.",
        0,
        nullable_entries=True,
    ),
    Column(
        "tentative_curve", _COUNTS, "Tentatively dead neurons likewise.", 0, nullable_entries=True
    ),
    Column(
        "permanent_curve", _COUNTS, "Permanently dead neurons likewise.", 0, nullable_entries=True
    ),
    _identity(
        "activation", pa.string(), "The activation, as one writes it.", since=1, default="ReLU()"
    ),
    _identity(
        "loss", pa.string(), "The loss, as one writes it.", since=1, default="MeanSquaredError()"
    ),
    _identity(
        "penalty", pa.string(), "The penalty, as one writes it, or none.", since=1, default="none"
    ),
    _identity(
        "target_accuracy",
        pa.float64(),
        "Training accuracy at which a network succeeds; null where loss decides.",
        0,
        nullable=True,
        since=2,
    ),
    _identity(
        "n_classes", pa.int32(), "Classes; 0 where targets are numbers.", 0, since=2, default=0
    ),
    _identity(
        "n_validation", pa.int32(), "Points that are held back; 0 for none.", 0, since=2, default=0
    ),
    Column(
        "accuracy",
        pa.float64(),
        "Share of the training points whose class the network names at the end.",
        0,
        nullable=True,
        since=2,
    ),
    Column(
        "validation_loss",
        pa.float32(),
        "Loss on the points that are held back, at the end.",
        0,
        nullable=True,
        since=2,
    ),
    Column(
        "best_validation_loss",
        pa.float32(),
        "The least of it at any checkpoint, birth included.",
        0,
        nullable=True,
        since=2,
    ),
    Column(
        "validation_accuracy",
        pa.float64(),
        "Share of the held-back points whose class is named, at the end.",
        0,
        nullable=True,
        since=2,
    ),
    Column(
        "best_validation_accuracy",
        pa.float64(),
        "The largest of it at any checkpoint, birth included.",
        0,
        nullable=True,
        since=2,
    ),
    _identity(
        "widths",
        pa.string(),
        "Neurons of every hidden layer as text, where they differ; else null.",
        nullable=True,
        since=2,
    ),
    Column(
        "collapsed",
        pa.bool_(),
        "Whether the network is constant on the training points where training ended.",
        nullable=True,
        since=2,
    ),
    Column(
        "variance_init",
        _NUMBERS,
        "At birth, variance of each hidden layer's output over its mean square.",
        0,
        nullable=True,
        nullable_entries=True,
        since=3,
    ),
    Column(
        "living_init",
        _NUMBERS,
        "At birth, share of the training points at which each layer so far is active; null of a "
        "module.",
        0,
        nullable=True,
        nullable_entries=True,
        since=3,
    ),
    _identity(
        "network",
        pa.string(),
        '"fully connected", or the user\'s function of whose module the networks are copies.',
        since=3,
        default="fully connected",
    ),
    _identity(
        "layers",
        pa.string(),
        "Names of the layers that are counted, with commas; null where they have none.",
        nullable=True,
        since=3,
    ),
    Column(
        "collapsed_curve",
        _FLAGS,
        "As collapsed, at every checkpoint; null from where it diverged.",
        nullable=True,
        nullable_entries=True,
        since=3,
    ),
    Column(
        "log_scale_init",
        _NUMBERS,
        "At birth, logarithm, base 10, of the mean square of each hidden layer's output over that "
        "of the inputs; null where it is 0.",
        nullable=True,
        nullable_entries=True,
        since=4,
    ),
    Column(
        "cosine_init",
        _NUMBERS,
        "At birth, mean cosine between each hidden layer's outputs at two points, or at two nodes "
        "or pixels of one.",
        -1,
        nullable=True,
        nullable_entries=True,
        since=4,
    ),
)
"""Columns of the rows, in order.

Lists `*_init` and `*_final` hold one number per hidden layer, `*_curve` one per step of
`checkpoints(max_steps)`, neurons summed over the hidden layers. What is not finite, or was not
measured by the older code that wrote a row, is null.

Of copies of a module the counts have one entry per ReLU that can be followed to layers, and are
empty where there is none; `living_init` is null, `need` is 0, `activation` "as built", and
`trainable` whether nothing shows that training can't succeed. `variance_init`, `log_scale_init`
and `cosine_init` are of what each Linear and convolution layer but the first takes in, in the order
of use: of hidden layers one behind the other that is what they give out.
"""
