"""Two functions that build different modules have different sources; what can't be told is said."""

from __future__ import annotations

import importlib
import itertools
import os
import subprocess
import sys
import types

import pytest

from trainability.errors import StudyError
from trainability.study.source import source_digest

HEAD = """
import enum, functools, math
from dataclasses import dataclass
import numpy as np
import torch
from torch import nn
"""
BUILD = """
def build():
    return nn.Sequential(nn.Linear(1, 2), USED, nn.Linear(2, 1))
"""

# What stands before the function, with a hole; two fillings; what the function uses.
DIFFERENT = {
    "a dictionary of layers": ("BLOCKS = {{'a': {}}}", "nn.ReLU", "nn.Tanh", "BLOCKS['a']()"),
    "a list of numbers in a dictionary": ("D = {{'a': [1, {}]}}", "2", "3", "nn.ELU(D['a'][1])"),
    "the order of a dictionary": (
        "D = {{{}}}", "1: nn.ReLU, 2: nn.Tanh", "2: nn.Tanh, 1: nn.ReLU",
        "nn.Sequential(*(part() for part in D.values()))",
    ),
    "a set": ("S = {{1, {}}}", "2", "3", "nn.ELU(max(S))"),
    "an array": ("A = np.array([1.0, {}])", "2", "3", "nn.ELU(A[1])"),
    "a tensor": ("A = torch.tensor([1.0, {}])", "2", "3", "nn.ELU(float(A[1]))"),
    "a tensor of bfloat16": (
        "A = torch.tensor([1.0, {}]).bfloat16()", "2", "3", "nn.ELU(float(A[1]))"
    ),
    "the kind of a tensor": ("A = torch.ones(2, dtype={})", "torch.int32", "torch.float32", "A"),
    "a name for another function": ("act = {}", "nn.ReLU", "nn.Tanh", "act()"),
    "an import under another name": (
        "from torch.nn import {} as Act", "ReLU", "Tanh", "Act()"
    ),
    "a module under another name": (
        "import torch.{} as t", "nn.functional", "special", "t.softplus"
    ),
    "the module behind a usual name": ("import torch.{} as F", "special", "fft", "F"),
    "a partial": ("act = functools.partial(nn.ELU, {})", "0.1", "0.2", "act()"),
    "a partial of a function of the user's": (
        "def f(x): return nn.ELU(x)\nact = functools.partial(f, {})", "0.1", "0.2", "act()"
    ),
    "a property that is cached": (
        "class B(nn.Module):\n"
        "    @functools.cached_property\n    def slope(self): return helper()\n"
        "def helper(): return {}", "0.1", "0.2", "B()",
    ),
    "what a setter of a property uses": (
        "def helper(): return {}\n"
        "class B(nn.Module):\n"
        "    @property\n    def slope(self): return 1\n"
        "    @slope.setter\n    def slope(self, value): self.x = helper()", "0.1", "0.2", "B()",
    ),
    "a value of a class": ("S = {}\nclass B(nn.Module):\n    slope = S", "0.1", "0.2", "B()"),
    "a layer that a class holds": (
        "act = {}\nclass B(nn.Module):\n    kind = act", "nn.ReLU", "nn.Tanh", "B.kind()"
    ),
    "a class within a class": (
        "def helper(): return {}\n"
        "class B(nn.Module):\n    class C:\n        def f(self): return helper()", "1", "2", "B()",
    ),
    "a default of a function": ("S = {}\ndef f(x=S): return nn.ELU(x)", "0.1", "0.2", "f()"),
    "a default by keyword": ("S = {}\ndef f(*, x=S): return nn.ELU(x)", "0.1", "0.2", "f()"),
    "a default of a method": (
        "S = {}\nclass B(nn.Module):\n    def f(self, x=S): return x", "0.1", "0.2", "B()"
    ),
    "what a closure holds": (
        "def make(slope):\n    def f(): return nn.ELU(slope)\n    return f\nf = make({})",
        "0.1", "0.2", "f()",
    ),
    "what a closure holds in a list": (
        "def make(slope):\n    def f(): return nn.ELU(slope[0])\n    return f\nf = make([[{}]])",
        "0.1", "0.2", "f()",
    ),
    "a class that a function makes": (
        "def make(s):\n    class B(nn.Module):\n        slope = s\n    return B\nB = make({})",
        "0.1", "0.2", "B()",
    ),
    "a decorator": (
        "def scaled(f):\n    def g(): return f({})\n    return g\n"
        "@scaled\ndef act(x): return nn.ELU(x)", "0.1", "0.2", "act()",
    ),
    "a decorator that says what it wraps": (
        "def scaled(f):\n    @functools.wraps(f)\n    def g(): return f({})\n    return g\n"
        "@scaled\ndef act(x): return nn.ELU(x)", "0.1", "0.2", "act()",
    ),
    "the setting of a decorator": (
        "S = {}\ndef scaled(s):\n    def around(f):\n        @functools.wraps(f)\n"
        "        def g(): return f(s)\n        return g\n    return around\n"
        "@scaled(S)\ndef act(x): return nn.ELU(x)", "0.1", "0.2", "act()",
    ),
    "a method that is decorated": (
        "def helper(): return {}\nclass B(nn.Module):\n"
        "    @torch.no_grad()\n    def f(self): return helper()", "0.1", "0.2", "B()",
    ),
    "one of two lambdas": (
        "f = lambda: nn.ELU(0.5)\ng = lambda: nn.ELU({})", "0.1", "0.2", "(f(), g())"
    ),
    "what is kept by lru_cache": (
        "@functools.lru_cache\ndef act(): return nn.ELU({})", "0.1", "0.2", "act()"
    ),
    "an object of a class of the user's": (
        "@dataclass\nclass C:\n    slope: float\nc = C({})", "0.1", "0.2", "nn.ELU(c.slope)"
    ),
    "an object of a plain class": (
        "class C: pass\nc = C()\nc.slope = {}", "0.1", "0.2", "nn.ELU(c.slope)"
    ),
    "an object's method": (
        "class C:\n    slope = {}\n    def f(self): return nn.ELU(self.slope)\nf = C().f",
        "0.1", "0.2", "f()",
    ),
    "a member of an enumeration": (
        "class E(enum.Enum):\n    A = {}\ne = E.A", "0.1", "0.2", "nn.ELU(e.value)"
    ),
    "a layer that was made": ("act = nn.ELU({})", "0.1", "0.2", "act"),
    "a number type": ("t = {}", "torch.float32", "torch.float64", "torch.zeros(1, dtype=t)"),
    "a generator": ("g = np.random.default_rng({})", "1", "2", "nn.ELU(g.random())"),
    "a base class": (
        "class A(nn.Module):\n    def f(self): return {}\nclass B(A): pass", "1", "2", "B()"
    ),
    "a list that refers to itself": ("L = [{}]\nL.append(L)", "0.1", "0.2", "nn.ELU(L[0])"),
}  # fmt: skip


def built_by(text: str):
    """A function, from a file that the next one of the same name replaces."""
    module = types.ModuleType("own_modules")
    sys.modules["own_modules"] = module
    path = f"{os.environ['OWN_MODULES']}/own_{next(COUNT)}.py"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    module.__file__ = path
    exec(compile(text, path, "exec"), vars(module))
    return module.build


COUNT = itertools.count()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OWN_MODULES", str(tmp_path))
    yield tmp_path
    sys.modules.pop("own_modules", None)


def digest(before: str, used: str) -> str:
    return source_digest(built_by(HEAD + before + BUILD.replace("USED", used)))


@pytest.mark.parametrize("kind", DIFFERENT)
def test_what_changes_the_module_changes_its_source(kind):
    before, one, other, used = DIFFERENT[kind]
    assert digest(before.format(one), used) == digest(before.format(one), used)
    assert digest(before.format(one), used) != digest(before.format(other), used)


@pytest.mark.parametrize(
    "text",
    [
        "import own_layers\n    used = own_layers.act()",
        "import own_layers as o\n    used = o.act()",
        "from own_layers import act\n    used = act()",
        "from own_layers import act as a\n    used = a()",
        "import own_layers\n    used = getattr(own_layers, 'a' + 'ct')()",
    ],
)
def test_what_a_function_imports_as_it_runs_counts(text, folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    seen = []
    for slope in (0.1, 0.2, 0.2):
        (folder / "own_layers.py").write_text(
            f"from torch import nn\ndef act(): return nn.ELU({slope})\n"
        )
        monkeypatch.delitem(sys.modules, "own_layers", raising=False)
        importlib.invalidate_caches()
        build = f"def build():\n    {text}\n    return nn.Sequential(nn.Linear(1, 1), used)\n"
        seen.append(source_digest(built_by(HEAD + build)))
    assert seen[0] != seen[1] == seen[2]


@pytest.mark.parametrize(
    ("before", "used", "message"),
    [
        ("", "globals()['nn'].ReLU()", "build uses globals, by which nobody can tell"),
        ("", "eval('nn.ReLU()')", "build uses eval"),
        ("import sys", "sys.modules[__name__].nn.ReLU()", "build uses sys.modules"),
        ("import importlib", "importlib.import_module('x')", "build uses importlib.import_module"),
        ("from importlib import import_module as i", "i('x')", "build uses i,"),
        ("G = (x for x in [1])", "nn.ELU(next(G))", "build uses G, a generator, whose content"),
        ("import threading\nL = {'a': threading.Lock()}", "L['a']", "build uses L, a dict"),
    ],
)
def test_what_nobody_can_tell_apart_is_refused(before, used, message):
    with pytest.raises(StudyError, match=message) as refused:
        digest(before, used)
    assert len(str(refused.value).splitlines()) == 1


def test_a_method_of_that_name_looks_nothing_up():
    assert digest("", "nn.ReLU().eval()")


def test_it_is_the_same_in_every_process(folder):
    before = (
        "S = {'a', 'b', 'c', 'd'}\nD = {'x': S, 'y': [nn.ReLU, np.arange(3), torch.ones(2)]}\n"
        "def one(): return nn.ReLU()\ndef two(): return nn.Tanh()\nf = lambda: 1\ng = lambda: 2\n"
    )
    used = "nn.Sequential(one(), two(), D['y'][0](), nn.ELU(len(S) + f() + g()))"
    (folder / "own.py").write_text(
        HEAD + before + BUILD.replace("USED", used)
        + "from trainability.study.source import source_digest\nprint(source_digest(build))\n"
    )  # fmt: skip
    seen = {
        subprocess.run(
            [sys.executable, str(folder / "own.py")], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(seen) == 1


def test_sources_of_stored_results_stay_as_they_are():
    """Of what the first way to read a source saw whole; never computed anew."""
    build = built_by(
        HEAD + "S = 0.5\ndef act(slope=0.1):\n    return nn.LeakyReLU(S * slope)\n"
        "class B(nn.Module):\n    size = 2\n    def __init__(self, n, p=0.5):\n"
        "        super().__init__()\n        self.layer = nn.Linear(1, n)\n"
        "    def forward(self, x):\n        return self.layer(x)\n"
        "def build(n=3):\n    return nn.Sequential(B(n), act())\n"
    )
    assert source_digest(build) == "25aeeec277dd58fd"


@pytest.mark.parametrize("name", ["site-packages", "dist-packages"])
def test_what_another_environment_has_installed_counts_by_its_name(name, tmp_path, monkeypatch):
    """A user's own packages, or the system's, lie in folders of another Python environment."""
    folder = tmp_path / "usr" / name
    folder.mkdir(parents=True)
    library = folder / "library_of_another_environment.py"
    library.write_text("exec('class Layer: pass')\n")  # such as one made by compiled code
    monkeypatch.syspath_prepend(str(folder))
    study = tmp_path / "study_of_a_library.py"
    study.write_text(f"from {library.stem} import Layer\n\ndef build(): return Layer()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert len(source_digest(importlib.import_module(study.stem).build)) == 16
