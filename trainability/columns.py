"""Columns of the rows, each declared once: its type, its range, what it means, and its version.

Those of axes are declared with the axes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from trainability.identity import Column
from trainability.study.axes import AXIS

_COUNTS = pa.list_(pa.int32())
_NUMBERS = pa.list_(pa.float32())
_FLAGS = pa.list_(pa.bool_())


_OF_AXES = {
    column.name: replace(column, type=pa.type_for_alias(column.type))
    for axis in AXIS.values()
    for column in axis.columns
}


def _identity(
    name: str, type_: pa.DataType, meaning: str, least: float | None = None, **more: Any
) -> Column:
    return Column(name, type_, meaning, least, same_for_cell=True, **more)


_DECLARED: tuple[Column, ...] = (
    _identity("study", pa.string(), "Name of the study."),
    _identity("cell", pa.string(), "Id of the cell: a hash of its identity."),
    Column("replicate", pa.int64(), "Number of the network within its cell, from 0.", 0),
    _OF_AXES["task"],
    _OF_AXES["scheme"],
    _OF_AXES["width"],
    _OF_AXES["depth"],
    _OF_AXES["d_in"],
    _OF_AXES["d_out"],
    _OF_AXES["n_train"],
    _identity(
        "need",
        pa.int32(),
        "Neurons of the first hidden layer that must not be permanently dead.",
        0,
    ),
    _OF_AXES["optimizer"],
    _OF_AXES["learning_rate"],
    _OF_AXES["batch_size"],
    _OF_AXES["max_steps"],
    _OF_AXES["tolerance"],
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
    _OF_AXES["activation"],
    _OF_AXES["loss"],
    _OF_AXES["penalty"],
    _OF_AXES["target_accuracy"],
    _OF_AXES["n_classes"],
    _OF_AXES["n_validation"],
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
    _OF_AXES["widths"],
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
    _OF_AXES["network"],
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
COLUMNS: tuple[Column, ...] = (
    *_DECLARED,
    *(column for column in _OF_AXES.values() if column not in _DECLARED),
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

assert len({column.name for column in COLUMNS}) == len(COLUMNS), "two columns of one name"

VERSION = max(max(column.since, column.nullable_since) for column in COLUMNS)
"""Of stored files: that of the youngest column. 0 are those from before files said theirs."""
