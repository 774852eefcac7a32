"""A module as the network of a study: what tells cells apart, and what JSON keeps of it."""

from __future__ import annotations

import copy
import importlib
import linecache
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest
from ray import cloudpickle
from torch import nn

from trainability import SGD, Module, Study
from trainability.errors import StudyError
from trainability.identity import left_out
from trainability.schemes import He
from trainability.study import load_study
from trainability.tasks import AbsoluteValue

FILE = '''
"""Try."""
from torch import nn
from trainability import SGD, Module, Study
from trainability.schemes import He
from trainability.tasks import AbsoluteValue

SLOPE = {slope}

def activation():
    """{comment}"""
    return nn.LeakyReLU(SLOPE)  # {comment}

class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layer, self.last = nn.Linear(1, channels), nn.Linear(channels, 1)
        self.activation = activation()

    def forward(self, x):
        return {sign}self.last(self.activation(self.layer(x)))

def build(channels: int = 3) -> nn.Module:
    return Block(channels)

STUDY = Study(
    name="modules", question="?", axes={{"network": Module.grid(build, channels=[2, 3])}},
    task=AbsoluteValue(n_train=8), scheme=He(), optimizer=SGD(learning_rate=0.1), max_steps=2,
    tolerance=1e-3, replicates=256,
)
'''


def loaded(tmp_path, name="modules", slope=0.1, comment="", sign="") -> Study:
    path = tmp_path / f"{name}.py"
    path.write_text(FILE.format(slope=slope, comment=comment, sign=sign))
    return load_study(str(path))


def ids(study: Study) -> list[str]:
    return [cell.id for cell in study.cells()]


def test_a_function_that_changes_makes_new_cells_and_one_that_is_commented_does_not(tmp_path):
    first = ids(loaded(tmp_path))
    assert len(set(first)) == 2
    alike = {
        "comment": ids(loaded(tmp_path, comment="now with a comment")),
        "value": ids(loaded(tmp_path, slope=0.2)),
        "method": ids(loaded(tmp_path, sign="-")),
    }
    assert alike["comment"] == first
    assert not {*first} & {*alike["value"]}
    assert not {*first} & {*alike["method"]}


def test_a_file_makes_the_same_cells_loaded_by_any_name_and_run_as_a_program(tmp_path):
    first = ids(loaded(tmp_path))
    assert ids(loaded(tmp_path, "renamed")) == first
    path = tmp_path / "renamed.py"
    path.write_text(path.read_text() + "print(*(cell.id for cell in STUDY.cells()))\n")
    run = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert run.stdout.split() == first


def test_a_file_that_is_imported_tells_cells_apart_too(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    seen = []
    for bias in (True, False, False):
        package = tmp_path / "own_layers"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text("import own_layers.last\nWIDTH = 3\n")
        (package / "last.py").write_text(
            "import own_layers\nfrom torch import nn\n"
            f"def last():\n    return nn.Linear(own_layers.WIDTH, 1, bias={bias})\n"
        )
        (tmp_path / "importing.py").write_text(
            "import own_layers\nfrom torch import nn\n"
            "def build():\n"
            "    return nn.Sequential(nn.Linear(1, 3), nn.ReLU(), own_layers.last.last())\n"
        )
        for name in ("importing", "own_layers", "own_layers.last"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        linecache.clearcache()
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        seen.append(Module(importlib.import_module("importing").build).source)
    assert seen[0] != seen[1] == seen[2]


def test_json_keeps_all_but_the_code(tmp_path, monkeypatch):
    study = loaded(tmp_path)
    again = Study.from_json(study.to_json())
    assert ids(again) == ids(study)
    assert again.cells()[0].build() is not None
    monkeypatch.setattr("trainability.study.network._BUILDERS", {})
    without = Study.from_json(study.to_json())
    assert ids(without) == ids(study)
    assert [cell.columns() for cell in without.cells()] == [c.columns() for c in study.cells()]
    with pytest.raises(StudyError, match="JSON can't hold code; run the study file"):
        without.cells()[0].build()


def test_a_module_travels_with_what_tells_it_apart(tmp_path):
    network = Module(plain)
    for copied in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert copied == network
        assert hash(copied) == hash(network)


def test_a_cell_arrives_where_there_is_no_study_file(tmp_path):
    study = loaded(tmp_path, "shipped")
    (cell, _) = study.cells()
    module = sys.modules["trainability_study_shipped"]
    cloudpickle.register_pickle_by_value(module)
    try:
        text = cloudpickle.dumps(cell)  # type: ignore[attr-defined]
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    (tmp_path / "cell").write_bytes(text)
    (tmp_path / "shipped.py").unlink()
    code = (
        "import pickle, sys\n"
        "cell = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(cell.id, cell.blueprint.n_parameters)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "cell")], capture_output=True, text=True,
        check=True, env=os.environ,
    )  # fmt: skip
    assert run.stdout.split() == [cell.id, str(cell.blueprint.n_parameters)]


def plain(width: int = 2) -> nn.Module:
    return nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))


def study_of(**values) -> Study:
    defaults: dict[str, Any] = dict(
        name="s", question="?", axes={}, task=AbsoluteValue(n_train=8), scheme=He(),
        optimizer=SGD(learning_rate=0.1), max_steps=2, tolerance=1e-3,
    )  # fmt: skip
    return Study(**defaults | values)


def test_the_network_of_old_studies_is_left_out_of_what_they_are():
    study = study_of(width=3)
    assert "network" not in study.to_json()
    assert "network" in left_out(study.cells()[0])


def test_width_is_the_function_s_where_it_takes_it():
    study = study_of(network=Module(plain), axes={"width": [2, 4]})
    assert [cell.columns()["width"] for cell in study.cells()] == [2, 4]
    assert [cell.columns()["depth"] for cell in study.cells()] == [None, None]
    assert next(study.cells()[1].build().children()).out_features == 4
    (cell,) = study_of(network=Module(plain)).cells()
    assert cell.columns()["width"] is None
    (cell,) = study_of(network=Module(plain, width=4)).cells()
    assert cell.columns()["network"] == "plain(width=4)"


def test_beside_fully_connected_networks_a_module_has_the_cells_that_it_takes():
    networks = [None, Module(plain, width=4)]
    study = study_of(axes={"width": [2, 4], "network": networks}, depth=2)
    shown = [(cell.network is None, cell.width) for cell in study.cells()]
    assert shown == [(True, 2), (False, None), (True, 4)]
