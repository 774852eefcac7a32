"""Examples with tensors of any shape: from files, datasets and memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils.data import Dataset

from trainability.errors import InputError
from trainability.study.records import from_record, to_record
from trainability.tasks import Arrays, Digits, Examples

RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(12, 2, 3, 3))
NAMES = np.array(["cat", "dog", "ant"] * 4)


def test_digits_are_pictures_with_mean_0_and_standard_deviation_1():
    task = Digits(n_pictures=100, n_validation=20)
    x, y = task.data()
    assert task.input_shapes == ((1, 8, 8),)
    assert x.shape == (80, 64) and y.shape == (80, 10) and task.n_classes == 10
    assert task.validation()[0].shape == (20, 64)
    assert abs(float(x.mean())) < 1e-6 and float(x.std()) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_pictures_of_a_file_keep_their_shapes(tmp_path, suffix):
    path = tmp_path / f"pictures{suffix}"
    if suffix == ".npz":
        np.savez(path, x=PICTURES, y=NAMES)
    else:
        table = {"x": pa.array(PICTURES.tolist()), "y": pa.array(NAMES.tolist())}
        pq.write_table(pa.table(table), path)
    task = Arrays(str(path), inputs=["x"], target="y", classes=True, n_validation=3)
    x, y = task.data()
    assert task.input_shapes == ((2, 3, 3),)
    both = np.concatenate([x, task.validation()[0]]).reshape(12, 2, 3, 3)
    assert {a.tobytes() for a in both} == {a.tobytes() for a in PICTURES.astype(np.float32)}
    assert y.shape == (9, 3)
    again = from_record(to_record(task))
    assert again == task and again.fingerprint() == task.fingerprint()


class Graphs(Dataset):
    """Features and adjacency of graphs, a number for each node."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        features = torch.full((4, 2), float(index))
        return (features, torch.eye(4) * index), torch.arange(4.0) + index


def test_graphs_of_a_dataset_are_several_inputs_and_an_output_for_each_node():
    task = Examples("graphs", Graphs())
    x, y = task.data()
    assert task.input_shapes == ((4, 2), (4, 4))
    assert x.shape == (6, 24) and y.shape == (6, 4)
    np.testing.assert_array_equal(x[3, 8:].reshape(4, 4), 3 * np.eye(4))
    tensors = tuple(
        torch.from_numpy(part) for part in (x[:, :8].reshape(6, 4, 2), x[:, 8:].reshape(6, 4, 4), y)
    )
    assert Examples("graphs", tensors).fingerprint() == task.fingerprint()
    assert from_record(to_record(task)).fingerprint() == Examples("graphs", tensors).fingerprint()
    assert "source" not in to_record(task)


class Uneven(Graphs):
    def __getitem__(self, index):
        return torch.zeros(index + 1), 1.0


class Failing(Graphs):
    def __getitem__(self, index):
        raise OSError("no such picture")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Examples("a", 3), r"must be a Dataset with a length, or a tuple"),
        (lambda: Examples("a", Uneven()), "entry 1 has tensors of other shapes than entry 0"),
        (lambda: Examples("a", Failing()), "entry 0 fails: OSError: no such picture"),
        (lambda: Examples("a", [1, 2]), r"entry 0 must be \(input, target\), got 1"),
        (
            lambda: Examples("a", (np.ones((3, 2)), np.ones(2))).data(),
            "as many entries of each, got 3 of input 1, 2 of targets",
        ),
        (lambda: Examples("a", (np.ones((3, 2)), np.ones(3)), n_validation=2).data(), "leave at"),
        (
            lambda: Examples("a", (np.ones((3, 0)), np.ones(3))).data(),
            r"input 1 must have at least one number for each example, got shape \(3, 0\)",
        ),
        (lambda: Examples("a", (np.ones(3), np.ones((3, 2, 0)))).data(), "targets must have at l"),
        (lambda: Examples("a", (np.full((3, 2), np.nan), np.ones(3))).data(), "must be finite"),
        (
            lambda: Examples("a", (np.ones((3, 2)), np.ones((3, 2))), classes=True).data(),
            "one class for each example",
        ),
        (lambda: Examples("a", (np.ones((3, 2)), np.ones(3)), classes=True).data(), "got 1"),
        (lambda: Examples("a", (np.ones((3, 2)), NAMES[:3])).data(), "targets must be numbers, "),
        (
            lambda: Examples("a", (np.ones((3, 2)), np.array(["b", None, 1])), classes=True).data(),
            "targets must be numbers or texts, one entry for each example, got object",
        ),
        (lambda: Examples("a", (np.ones((3, 2)), np.ones(3) * 1j)).data(), "got complex128"),
        (lambda: Digits(n_pictures=5), "Digits n_pictures must be an int"),
        (lambda: Digits(n_validation=-1), "Digits n_validation"),
        (lambda: Arrays("a.npz", inputs=[], target="y"), "must name each array once"),
        (lambda: Arrays("a.npz", inputs="x", target="y"), "must be a list of names"),
        (lambda: Arrays("a.npz", inputs=["y"], target="y"), "is among its inputs"),
        (lambda: Arrays("a.npz", inputs=["x"], target="y", standardize=["z"]), "is no input"),
        (lambda: Arrays("a.npz", inputs=["x"], target="y").data(), "there is no file"),
        (lambda: Arrays("a.csv", inputs=["x"], target="y").data(), "an .npz or .parquet file"),
    ],
)  # fmt: skip
def test_what_makes_no_task_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_file_is_data_and_never_code(tmp_path):
    path = tmp_path / "pickled.npz"
    np.savez(path, x=np.array([{"a": 1}, None], dtype=object), y=np.arange(2))
    with pytest.raises(InputError, match="can't be read: .*allow_pickle"):
        Arrays(str(path), inputs=["x"], target="y").data()
    (tmp_path / "short.npz").write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match="is no archive"):
        Arrays(str(tmp_path / "short.npz"), inputs=["x"], target="y").data()
    np.savez(path, x=np.ones((2, 2)), y=np.arange(2))
    with pytest.raises(InputError, match="has no array 'z'; it has x, y"):
        Arrays(str(path), inputs=["z"], target="y").data()
