"""One notion of data for `apply` and `inspect`: what people have, in every form alike."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from modules_by_hand import mlp, points
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trainability.errors import InputError
from trainability.modules import apply, inspect
from trainability.schemes import DataDependent

X, Y = points(20, 3), points(20, 1, seed=1)
COUNTS = np.arange(60).reshape(20, 3) % 7


def frame(values):
    return pd.DataFrame(values, columns=list("abc"))


def drawn(data):
    torch.manual_seed(0)
    module = mlp(3, 4, 1)
    apply(DataDependent(), module, data, 0)
    return [p.detach().clone() for p in module.parameters()]


FORMS = {
    "loader of one": (DataLoader(TensorDataset(X), 8), X),
    "loader of two": (DataLoader(TensorDataset(X, Y), 8), (X, Y)),
    "loader of three": (DataLoader(TensorDataset(X, Y, Y), 8), (X, Y)),
    "dataset": (TensorDataset(X, Y), (X, Y)),
    "list of two": ([X, Y], (X, Y)),
    "triple": ((X, Y, Y), (X, Y)),
    "frame": (frame(X.numpy()), X),
    "frames": ((frame(X.numpy()), pd.Series(Y[:, 0].numpy())), (X, Y)),
    "nullable frame": (frame(COUNTS).astype("Int64"), torch.tensor(COUNTS).float()),
    "nested lists": (X.tolist(), X),
    "int64": (COUNTS, torch.tensor(COUNTS).float()),
    "uint8": (COUNTS.astype(np.uint8), torch.tensor(COUNTS).float()),
    "uint16": (COUNTS.astype(np.uint16), torch.tensor(COUNTS).float()),
    "big endian": (X.numpy().astype(">f8"), X),
    "strided": (X.numpy()[::-1], X.flip(0)),
    "float16": (X.half(), X.half().float()),
    "dict": ({"input": X}, X),
    "dict with targets": ({"input": X, "labels": Y}, (X, Y)),
    "batches of dicts": ([{"input": X[:9], "y": Y[:9]}, {"input": X[9:], "y": Y[9:]}], (X, Y)),
    "generator": (lambda: (batch for batch in X.split(6)), X),
    "requires grad": (X.clone().requires_grad_(), X),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_data_gives_the_same(form):
    data, plain = FORMS[form]
    for one, other in zip(drawn(data() if callable(data) else data), drawn(plain), strict=True):
        assert torch.equal(one, other)
    module = mlp(3, 4, 1)
    seen, wanted = inspect(module, data() if callable(data) else data), inspect(module, plain)
    assert seen.n_examples == 20
    pd.testing.assert_frame_equal(seen.table, wanted.table)


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Linear(3, 4), nn.Linear(1, 4), nn.Linear(4, 1)

    def forward(self, x, z):
        return self.out(F.relu(self.a(x) + self.b(z)))


class Named(nn.Module):
    """Takes a dict of its inputs."""

    def __init__(self):
        super().__init__()
        self.two = Two()

    def forward(self, batch):
        return self.two(batch["x"], batch["z"])


@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        ((X, Y), Y),
        (X, Y, Y),
        {"x": X, "z": Y},
        {"z": Y, "x": X, "target": Y},
        DataLoader(TensorDataset(X, Y, Y), 7),
        [({"x": X, "z": Y}, Y)],
    ],
)
def test_several_inputs_come_as_a_tuple_or_by_name(data):
    inspection = inspect(Two(), data)
    assert inspection.n_examples == 20 and list(inspection.status) == ["a + b"]
    apply(DataDependent(), Two(), data, 0)
    if isinstance(data, dict):
        assert list(inspect(Named(), data).status) == ["two.a + two.b"]


def test_integers_stay_integers_for_embeddings():
    class Embeds(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.layer = nn.Embedding(10, 3), nn.Linear(3, 4)

        def forward(self, indices):
            return F.relu(self.layer(self.table(indices)))

    class OneHot(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(10, 4)

        def forward(self, indices):
            return F.relu(self.layer(F.one_hot(indices, 10).float()))

    for module in (Embeds(), OneHot()):
        for data in (torch.arange(10), np.arange(10, dtype=">i8"), [1, 2, 3], [[1, 2], [3, 4]]):
            assert list(inspect(module, data).status) == ["layer"]


@pytest.mark.parametrize(
    ("module", "data", "message"),
    [
        (mlp(3, 4, 1), [X, X], r"a list of 2 arrays of shape \(20, 3\), which may be batches or"),
        (mlp(3, 4, 1), points(5, 4), r"0 \(Linear\), which takes 3 features, got .*\(5, 4\)"),
        (mlp(3, 4, 1), np.array([["a", "b", "c"]]), r"must be numbers, got an array of dtype <U1"),
        (mlp(3, 4, 1), frame([["p", 1, 2]]), r"the frame's columns a are not; encode or drop"),
        (mlp(3, 4, 1), frame([[None, 1, 2], [1, 2, 3]]), r"must be finite, got NaN"),
        (mlp(3, 4, 1), [[1, 2, 3], [4, 5]], r"rows of one length"),
        (mlp(3, 4, 1), {"x": X, "q": X}, r"may|takes|got"),
        (nn.Sequential(nn.LazyLinear(3)), X, r"0 \(LazyLinear\) does not know its shape"),
        (nn.Sequential(nn.Linear(3, 3, device="meta")), X, r"0 \(Linear\) is on the meta device"),
        (Two(), X, r"the module takes 2 \(x, z\), got 1 entries"),
        (Two(), {"x": X}, r"the module also takes z"),
        (Two(), {"x": X, "z": Y, "w": Y}, r"an entry 'w' that forward doesn't take"),
        (Two(), (X, Y[:3]), r"the same number of examples, got shapes \(20, 3\), \(3, 1\)"),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), X, r"0 \(Conv2d\)|0 gets an input of shape"),
        (mlp(3, 4, 1), 5, r"got int"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_refused_in_one_message_by_both(module, data, message):
    with pytest.raises(InputError, match=message):
        inspect(module, data)
    with pytest.raises(InputError, match=message), warnings.catch_warnings():
        apply(DataDependent(), module, data, 0)
