"""What `apply` says that it drew, the kernels that schemes see, and layers of every kind."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from modules_by_hand import images, mlp, points
from torch import nn

from trainability.errors import InputError
from trainability.modules import apply, inspect
from trainability.schemes import DataDependent, He, Orthogonal, Scheme, SignFlipped


@dataclass(frozen=True)
class KaimingFanOut(Scheme):
    """Weights of variance 2 / (outputs that an input feeds)."""

    def draw(self, layer, rng):
        std = math.sqrt(2 / (layer.fan_out * math.prod(layer.kernel)))
        shape = (layer.n_networks, layer.fan_out, layer.fan_in)
        return rng.normal(0, std, shape), np.zeros(shape[:2])


@dataclass(frozen=True)
class DeltaOrthogonal(Scheme):
    """An orthogonal matrix in the middle of the kernel, 0 around it."""

    def draw(self, layer, rng):
        size = math.prod(layer.kernel)
        middle = type(layer)(layer.n_networks, 1, 2, layer.fan_in // size, layer.fan_out)
        weight = np.zeros((layer.n_networks, layer.fan_out, layer.fan_in // size, *layer.kernel))
        at = tuple(k // 2 for k in layer.kernel)
        weight[(..., *at)], bias = Orthogonal().draw(middle, rng)
        return weight.reshape(layer.n_networks, layer.fan_out, layer.fan_in), bias


def test_a_scheme_sees_the_kernel():
    layer = nn.Conv2d(8, 16, 3)
    apply(KaimingFanOut(), layer, generator=0)
    # 1152 draws: their root mean square errs by 2% of 0.118, and by more than 5 times that
    # once in a million.
    assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / (16 * 9)), rel=0.11)
    apply(DeltaOrthogonal(), layer, generator=0)
    weight = layer.weight.detach().double()
    around = torch.ones(3, 3, dtype=torch.bool)
    around[1, 1] = False
    assert not weight[:, :, around].any()
    gram = weight[:, :, 1, 1].T @ weight[:, :, 1, 1]
    torch.testing.assert_close(gram, torch.eye(8).double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv1d(4, 6, 3, stride=2, groups=2), (4, 9)),
        (nn.Conv2d(4, 6, (3, 2), padding=1, dilation=2, groups=2), (4, 9, 8)),
        (nn.Conv3d(4, 6, (3, 2, 1), stride=(2, 1, 1), padding=(1, 0, 0), groups=2), (4, 5, 4, 3)),
        (nn.Conv3d(4, 6, 2, padding="same", padding_mode="circular"), (4, 5, 4, 3)),
        (nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), (4, 5)),
        (nn.ConvTranspose2d(4, 6, (3, 2), stride=(2, 3), padding=(2, 0), dilation=2), (4, 5, 4)),
        (nn.ConvTranspose3d(4, 6, 2, stride=2, groups=2), (4, 3, 2, 2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_patches_times_weights_are_the_outputs_of_every_convolution(layer, shape, monkeypatch):
    seen, draw = [], He.draw

    def look(scheme, layer, rng):
        drawn = draw(scheme, layer, rng)
        seen.append((layer, drawn))
        return drawn

    monkeypatch.setattr(He, "draw", look)
    x = points(5, math.prod(shape)).reshape(5, *shape)
    apply(SignFlipped(He(bias_std=1.0)), nn.Sequential(layer, nn.ReLU(), nn.Flatten()), x, 0)
    ((asked, (weight, bias)),) = seen
    assert asked.kernel == layer.kernel_size and asked.name == "0"
    wanted = layer(x).detach().double()
    by_hand = asked.inputs @ weight.transpose(0, 2, 1) + bias[:, None]
    by_hand = by_hand.reshape(layer.groups, 5, -1, asked.fan_out).transpose(1, 0, 3, 2)
    by_hand = torch.from_numpy(by_hand.reshape(wanted.shape).copy())
    # Some thirty products of numbers below 10, in float32.
    torch.testing.assert_close(by_hand, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "scheme", [DataDependent(sigma_e=0.01), SignFlipped(He(bias_std=1.0))], ids=str
)
def test_a_batch_normalization_takes_the_bias_of_the_layer_before_it(scheme, training):
    module = nn.Sequential(
        nn.Conv2d(2, 30, 3, bias=False), nn.BatchNorm2d(30), nn.ReLU(), nn.Flatten(),
        nn.Linear(480, 2),
    ).train(training)  # fmt: skip
    table = apply(scheme, module, images(20), 0).table
    assert table["note"].tolist()[0] == "its bias shifts 1"
    assert table["drawn"].tolist() == ["weight", "weight and bias"]
    with torch.no_grad():
        pre = module[1](module[0](images(20)))
    if isinstance(scheme, DataDependent):
        assert (pre.amax((0, 2, 3)) > 0).all()
    assert module[1].bias.any()
    assert inspect(module, images(20), batch_statistics=training).status["0"].shape == (30,)


def test_a_setting_without_effect_is_warned_of_and_noted():
    module = nn.Sequential(nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Linear(4, 4))
    with pytest.warns(
        UserWarning, match=r"bias_std of He\(bias_std=1.0\) has no effect on 0, which"
    ):
        applied = apply(He(bias_std=1.0), module, generator=0)
    assert applied.table["note"].tolist() == ["has no bias; the one drawn was dropped", ""]
    assert not module[1].bias.any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        apply(He(), module, generator=0)


def test_layers_without_a_definition_stay_and_are_listed():
    module = nn.ModuleDict(
        {
            "lstm": nn.LSTM(3, 3),
            "attention": nn.MultiheadAttention(4, 2),
            "head": nn.Linear(3, 2),
            "tail": nn.Linear(3, 2),
        }
    )
    before = {name: value.clone() for name, value in module.state_dict().items()}
    applied = apply(He(), module, generator=0, skip="ta*")
    assert applied.table.set_index("layer")["drawn"].to_dict() == {
        "head": "weight and bias", "lstm": "nothing", "attention": "nothing", "tail": "nothing",
    }  # fmt: skip
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]) == (not name.startswith("head")), name
    text = str(applied)
    assert "left as it was" in text and "skipped" in text
    assert "fan in" in text and "Drawn by He()" in text


def test_skip_takes_names_patterns_and_types_and_refuses_what_fits_nothing():
    module = mlp(3, 4, 5, 1)
    for skip, drawn in (("0", ["2", "4"]), (["0", "[45]"], ["2"]), (nn.ReLU, ["0", "2", "4"])):
        table = apply(He(), module, generator=0, skip=skip).table
        assert table.loc[table["drawn"] != "nothing", "layer"].tolist() == drawn
    assert list(inspect(module, points(9, 3), skip="0").status) == ["2"]
    for function in (apply, inspect):
        given = (He(), module) if function is apply else (module, points(9, 3))
        with pytest.raises(
            InputError, match=r"skip='head' fits no part of the module; it has 0, 1"
        ):
            function(*given, skip="head")
    normed = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)), nn.Linear(3, 1))
    with pytest.raises(InputError, match="or name it in skip"):
        apply(He(), normed)
    assert apply(He(), normed, skip="0").table["layer"].tolist()[0] == "1"


def test_batch_statistics_are_a_choice_and_untouched_ones_are_noted():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU())
    x = torch.rand(200, 3) * 255
    running = inspect(module, x)
    assert running.table["active"].tolist() < [64]
    assert "Running statistics of 1 are still those of a new module" in str(running)
    by_batch = inspect(module, x, batch_statistics=True)
    assert by_batch.table["active"].tolist() == [64] and not by_batch.notes
    module(x)
    assert not inspect(module.eval(), x).notes


def test_a_scheme_that_draws_the_wrong_shape_changes_nothing():
    @dataclass(frozen=True)
    class Wrong(Scheme):
        def draw(self, layer, rng):
            weight, bias = He().draw(layer, rng)
            return (weight.transpose(0, 2, 1) if layer.index == 2 else weight), bias

    module = mlp(3, 4, 5, 1)
    before = [p.detach().clone() for p in module.parameters()]
    with pytest.raises(InputError, match=r"Wrong.*weights of shape \(1, 5, 4\) for layer 2 of 3"):
        apply(Wrong(), module, generator=0)
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
