"""The LLVM text of kernels is what it was: so are the bits of every stored training.

Full batches stand as they were before rules were written once. Minibatches were written anew twice:
when they came to be put together by gathers, and when the next order came to be shuffled during the
updates and points to be gathered in pairs. That their bits stayed is held by the rows of the stored
study with batches of 4, in `tests/golden`, and by `test_golden_trainings.py`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from trainability.activations import RELU
from trainability.losses import MEAN_SQUARED_ERROR
from trainability.optimizers import SGD, Adam
from trainability.training.cpu.kernel import source
from trainability.training.cpu.plan import Plan

OPTIMIZERS = {"sgd": SGD(0.05), "momentum": SGD(0.02, momentum=0.9), "adam": Adam(0.01)}
GOLDEN = json.loads((Path(__file__).parent / "golden" / "kernels.json").read_text())


@pytest.mark.parametrize("sizes", sorted({tuple(entry["sizes"]) for entry in GOLDEN}), ids=str)
def test_the_text_of_a_kernel_is_the_same_byte_by_byte(sizes) -> None:
    entries = [entry for entry in GOLDEN if tuple(entry["sizes"]) == sizes]
    assert len(entries) == 24
    for entry in entries:
        text = source(
            Plan(
                sizes=sizes,
                optimizer=OPTIMIZERS[entry["optimizer"]],
                full_batch=entry["full_batch"],
                lanes=entry["lanes"],
                points=entry["points"],
                activation=RELU,
                loss=MEAN_SQUARED_ERROR,
                penalty=None,
            )
        )
        assert hashlib.sha256(text.encode()).hexdigest() == entry["sha256"], entry
