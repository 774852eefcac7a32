"""Modules that can't be studied: one message each, before anything is started."""

from __future__ import annotations

import os
import warnings
from typing import Any

import pytest
import torch
from example_modules import mlp
from torch import nn

from trainability import SGD, Module, Study
from trainability.activations import GELU
from trainability.errors import StudyError
from trainability.schemes import Glorot, He, RandomizedAsymmetric, TorchOwn
from trainability.tasks import AbsoluteValue
from trainability.trial import Runtime, run_trial


def study(network, **values) -> Study:
    defaults: dict[str, Any] = dict(
        name="s", question="Is it refused?", axes={"scheme": [He()]},
        task=AbsoluteValue(n_train=8), optimizer=SGD(learning_rate=0.1), max_steps=5,
        tolerance=1e-3, network=network,
    )  # fmt: skip
    return Study(**defaults | values)


def no_return():
    nn.Linear(1, 1)


def no_parameters() -> nn.Module:
    return nn.ReLU()


def frozen() -> nn.Module:
    return nn.Linear(1, 1).requires_grad_(False)


def two_outputs() -> nn.Module:
    return nn.Linear(1, 2)


def lazy() -> nn.Module:
    return nn.LazyLinear(1)


def on_meta() -> nn.Module:
    return nn.Linear(1, 1, device="meta")


def doubles() -> nn.Module:
    return nn.Linear(1, 1).double()


def not_a_number() -> nn.Module:
    module = nn.Linear(1, 1)
    with torch.no_grad():
        module.bias.fill_(torch.nan)
    return module


def other_inputs() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))


class Raises(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, x):
        raise RuntimeError("not today")


class Tuples(Raises):
    def forward(self, x):
        return self.layer(x), x


class Detached(Raises):
    def forward(self, x):
        return self.layer(x).detach()


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.PReLU()

    def forward(self, x):
        return x


class FailsInTraining(Raises):
    def forward(self, x):
        if self.training:
            raise RuntimeError("not in training")
        return self.layer(x)


def fails() -> nn.Module:
    raise KeyError("blocks")


class OverInputs(Raises):
    def forward(self, x):
        return self.layer(x.mul_(2))


class ByHook(Raises):
    """As torch.nn.utils.weight_norm and pruning leave a layer."""

    def __init__(self) -> None:
        super().__init__()
        scale = nn.Parameter(torch.ones(1))
        weight = self.layer.weight
        del self.layer._parameters["weight"]
        self.layer.weight_orig, self.layer.scale = weight, scale
        self.layer.weight = weight * scale

    def forward(self, x):
        return self.layer(x)


def parametrized() -> nn.Module:
    return nn.Sequential(nn.utils.parametrizations.orthogonal(nn.Linear(1, 1)))


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.Sequential(torch.jit.script(nn.Linear(1, 1)))  # type: ignore[arg-type]


ONE, PART, CALLS = nn.Linear(1, 1), nn.Linear(1, 1), [0]


def the_same() -> nn.Module:
    return ONE


def around_the_same() -> nn.Module:
    return nn.Sequential(nn.Linear(1, 1), PART)


def with_other_shapes() -> nn.Module:
    n = int(torch.randint(2, 10_000, ()))
    return nn.Sequential(nn.Linear(1, n), nn.ReLU(), nn.Linear(n, 1))


def that_counts() -> nn.Module:
    CALLS[0] += 1
    return nn.Sequential(nn.Linear(1, 1), *[nn.ELU() for _ in range(CALLS[0] % 2)]).extend(
        [nn.Linear(1, 1)]
    )


def by_the_system() -> nn.Module:
    module = nn.Linear(1, 1)
    with torch.no_grad():
        module.weight.fill_(int.from_bytes(os.urandom(3), "little"))
    return module


def that_reads() -> nn.Module:
    module = nn.Linear(1, 1)
    module.load_state_dict(torch.load(os.environ["WEIGHTS"]))
    return module


def that_ends() -> nn.Module:
    raise SystemExit(3)


def complex_numbers() -> nn.Module:
    return nn.Linear(1, 1, dtype=torch.complex64)


class Dicts(Raises):
    def forward(self, x):
        return {"outputs": self.layer(x)}


class OnGPU(Raises):
    def forward(self, x):
        return self.layer(x.to("meta"))


def no_layers() -> nn.Module:
    return nn.PReLU()


def no_bias() -> nn.Module:
    return nn.Sequential(nn.Linear(1, 4, bias=False), nn.ReLU(), nn.Linear(4, 1))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (no_return, "must return a torch.nn.Module, got None; did you forget return"),
        (no_parameters, "has no parameters that training could move"),
        (frozen, "has no parameters that training could move"),
        (two_outputs, r"one row of 1 numbers for each of the 8 examples, got shape \(8, 2\)"),
        (lazy, "does not know its shape yet"),
        (on_meta, "is on the meta device"),
        (doubles, "must be float32, got torch.float64"),
        (not_a_number, "gives out NaN or infinity before any training"),
        (other_inputs, r"takes 3 features, got inputs of shape \(8, 1\)"),
        (Raises, "raised RuntimeError: not today"),
        (Tuples, "return a tensor"),
        (Detached, "no gradient gets from the module's outputs to its parameters"),
        (Unused, "no gradient gets from the module's outputs to its parameters"),
        (FailsInTraining, "can't be run in training mode: RuntimeError: not in training"),
        (fails, "the function that builds the module fails: KeyError"),
        (OverInputs, "writes over its inputs, which all copies and steps share"),
        (ByHook, "weight that a hook computes from other parameters"),
        (parametrized, r"or leave it as built, with the scheme TorchOwn\(\)"),
        (scripted, r"0 \(RecursiveScriptModule\) is compiled by torch.jit"),
        (the_same, "returns the same module in every call; build a new one"),
        (around_the_same, "builds every module around the same 1.weight, 1.bias"),
        (with_other_shapes, "builds modules of different shapes: 0.weight of shape"),
        (that_counts, "builds modules of different shapes: 1.weight of shape"),
        (by_the_system, "builds different modules from one seed: weight differ"),
        (that_reads, "the function reads .*weights.pt, and nothing would tell results apart"),
        (that_ends, "the function that builds the module fails: SystemExit"),
        (complex_numbers, "must be float32, got torch.complex64"),
        (Dicts, "got a dict; return a tensor"),
        (OnGPU, "the module can't be run on the data: layer .* raised RuntimeError"),
        (no_layers, "wanted a module with a Linear or convolution layer"),
    ],
)
def test_a_module_that_can_t_be_studied_is_refused_with_one_message(
    build, message, tmp_path, monkeypatch
):
    monkeypatch.setenv("WEIGHTS", str(tmp_path / "weights.pt"))
    torch.save(nn.Linear(1, 1).state_dict(), tmp_path / "weights.pt")
    x = AbsoluteValue(n_train=8).data()[0].copy()
    with pytest.raises(StudyError, match=message) as refused:
        study(Module(build))
    assert f"{build.__name__}() on AbsoluteValue" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert (AbsoluteValue(n_train=8).data()[0] == x).all()


def test_a_module_without_layers_of_schemes_can_stay_as_torch_draws_it():
    assert study(Module(no_layers), axes={"scheme": [TorchOwn()]}).cells()


def seeded_by_itself() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1))


def test_copies_that_nothing_makes_different_are_refused():
    own = {"scheme": [TorchOwn()]}
    with pytest.raises(StudyError, match="all copies are born the same by TorchOwn"):
        study(Module(seeded_by_itself), axes=own)
    assert study(Module(seeded_by_itself), axes=own, batch_size=4).cells()
    assert study(Module(seeded_by_itself)).cells()


def normed() -> nn.Module:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(1, 4))
    return nn.Sequential(layer, nn.ReLU(), nn.Linear(4, 1))


def hooked() -> nn.Module:
    layer = nn.Linear(1, 4)
    layer.register_forward_hook(lambda module, inputs, outputs: 2 * outputs)
    return nn.Sequential(layer, nn.ReLU(), nn.Linear(4, 1))


def compiled() -> Any:
    return torch.compile(nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1)))


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.filterwarnings("ignore:.*is deprecated")
@pytest.mark.parametrize("build", [normed, hooked, compiled])
def test_what_others_have_put_around_a_module_is_trained_as_it_is(build):
    (cell,) = study(Module(build), axes={"scheme": [TorchOwn()]}).cells()
    assert not cell.blueprint.not_stacked
    rows, _ = run_trial("s", cell, [0], Runtime())
    assert (rows["final_loss"] < rows["initial_loss"]).mean() > 0.9
    assert rows["initial_loss"].nunique() > 250


def test_a_scheme_that_is_not_defined_for_the_module_is_refused():
    with pytest.raises(StudyError, match="has no bias"):
        study(Module(no_bias), axes={"scheme": [He(), RandomizedAsymmetric()]})


def test_what_only_fully_connected_networks_have_is_refused():
    with pytest.raises(StudyError, match="depth is given, but mlp takes no argument depth"):
        study(Module(mlp), width=4, depth=3)
    with pytest.raises(StudyError, match="activation is of fully connected networks"):
        study(Module(mlp), width=4, activation=GELU())
    with pytest.raises(StudyError, match="width"):
        study(None)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Module(nn.Linear(1, 1)), "wants a function or class that returns"),
        (lambda: Module(lambda: nn.Linear(1, 1)), "wants a function or class that returns"),
        (lambda: Module(mlp, channels=3), "mlp has no argument channels; it has width"),
        (lambda: Module(Parametrized), "needs channels: write Module"),
        (lambda: Module(Parametrized, channels=[1, 2]), r"write Module.grid\(Parametrized, chan"),
        (lambda: Module(Parametrized, channels=torch.ones(1)), "must be a number, a text"),
    ],
)
def test_what_is_no_declaration_is_refused(make, message):
    with pytest.raises(StudyError, match=message):
        make()


class Parametrized(nn.Linear):
    def __init__(self, channels: int) -> None:
        super().__init__(1, channels)


def test_glorot_is_refused_for_patches_as_apply_does():
    def patches() -> nn.Module:
        return nn.Sequential(
            nn.Unflatten(1, (1, 1)), nn.Conv1d(1, 2, 3, padding=1), nn.Flatten(), nn.Linear(2, 1)
        )

    with pytest.raises(StudyError, match="use He, LeCun or Orthogonal"):
        study(Module(patches), axes={"scheme": [Glorot()]})
