"""Applying a scheme to an ordinary module draws its layers by the scheme's law, and no more."""

import copy

import numpy as np
import pytest
import torch
from modules_by_hand import mlp
from scipy import stats
from torch import nn

from trainability.errors import InputError
from trainability.modules import apply, inspect
from trainability.networks import initialize
from trainability.schemes import (
    DataDependent,
    Glorot,
    He,
    LeCun,
    Orthogonal,
    RandomizedAsymmetric,
    SignFlipped,
    TorchDefault,
    UnitSphere,
)

ALPHA = 1e-6
SCHEMES = [
    DataDependent(),
    Glorot(),
    He(bias_std=0.5),
    LeCun(bias_std=0.1),
    Orthogonal(bias_std=0.1),
    RandomizedAsymmetric(),
    SignFlipped(He(bias_std=1.0)),
    TorchDefault(),
    UnitSphere(),
]


def data(n=50, d=4, n_out=2):
    rng = np.random.default_rng(1)
    return (
        torch.tensor(rng.standard_normal((n, d)), dtype=torch.float32),
        torch.tensor(rng.standard_normal((n, n_out)), dtype=torch.float32),
    )


def images(n=20):
    return torch.tensor(np.random.default_rng(2).standard_normal((n, 3, 8, 8))).float()


def cnn():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 12, (3, 1), stride=(2, 1), groups=2, padding="valid"),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(48, 16),
        nn.Tanh(),
        nn.Linear(16, 2),
    )


def parameters(module):
    return [p.detach().clone() for p in module.parameters()]


def same(module, other):
    pairs = zip(parameters(module), parameters(other), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("sizes", [(4, 9, 2), (4, 9, 7, 2), (4, 1, 1, 1, 2)], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_a_plain_chain_is_drawn_as_a_study_draws_it(scheme, sizes, seed):
    x, y = data()
    module = mlp(*sizes)
    apply(scheme, module, (x, y), np.random.default_rng(seed))
    wanted = initialize(scheme, sizes, 1, np.random.default_rng(seed), x.numpy(), y.numpy())
    drawn = [layer for layer in module if isinstance(layer, nn.Linear)]
    for layer, weight, bias in zip(drawn, wanted.weights, wanted.biases, strict=True):
        # The module shows a scheme its inputs in float32, a study in float64: 2^-24 per number,
        # times some tens of additions.
        torch.testing.assert_close(layer.weight.detach(), weight[0], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(layer.bias.detach(), bias[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("scheme", "layer", "weight_law", "bias_law"),
    [
        (
            He(bias_std=0.5),
            nn.Linear(30, 1000),
            stats.norm(0, np.sqrt(2 / 30)),
            stats.norm(0, 0.5),
        ),
        (
            He("uniform"),
            nn.Conv2d(8, 400, (3, 2), groups=4),
            stats.uniform(-np.sqrt(0.5), 2 * np.sqrt(0.5)),
            None,
        ),
        (TorchDefault(), nn.Conv1d(6, 500, 5), *2 * [stats.uniform(-(30**-0.5), 2 * 30**-0.5)]),
        (LeCun(), nn.Conv2d(3, 500, 2, bias=False), stats.norm(0, np.sqrt(1 / 12)), None),
    ],
    ids=lambda value: str(value).split(" at 0x")[0],
)
def test_weights_and_biases_follow_the_law_for_the_fan_in(scheme, layer, weight_law, bias_law):
    apply(scheme, layer, generator=0)
    weight = layer.weight.detach().double().numpy().ravel()
    assert stats.kstest(weight, weight_law.cdf).pvalue > ALPHA
    if bias_law is not None:
        assert stats.kstest(layer.bias.detach().double().numpy(), bias_law.cdf).pvalue > ALPHA


def test_a_convolution_is_orthogonal_as_a_matrix_in_every_group():
    layer = nn.Conv2d(8, 10, 3, groups=2)
    apply(Orthogonal(gain=2.0), layer, generator=0)
    for rows in layer.weight.detach().double().reshape(2, 5, 36):
        # float32 weights: 36 products, each rounded by at most 2^-23 of numbers below 4.
        torch.testing.assert_close(rows @ rows.T, 4 * torch.eye(5).double(), rtol=0, atol=2e-5)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("act", [nn.ReLU, nn.Tanh, nn.Identity])
def test_data_dependent_neurons_are_positive_at_some_input_that_they_see(act, seed):
    x, y = data()
    norm = nn.BatchNorm1d(30)
    module = nn.Sequential(
        *mlp(4, 30, 30, act=act), norm, act(), nn.Linear(30, 30), nn.Linear(30, 2)
    )
    apply(DataDependent(sigma_e=1e-3), module, (x, y), seed)
    values = x
    for part in module[:-1]:
        values = part(values)
        if isinstance(part, nn.Linear):
            assert (values > 0).any(dim=0).all()
    assert not module[-1].bias.any()


@pytest.mark.parametrize("seed", range(3))
def test_data_dependent_convolutions_have_no_neuron_born_dead(seed):
    module = cnn()
    module[1] = nn.Identity()
    apply(DataDependent(sigma_e=1e-3), module, images(), seed)
    assert inspect(module, images()).table["dead_rate"].eq(0).all()


def test_patches_are_what_the_convolution_multiplies(monkeypatch):
    module = nn.Sequential(
        nn.Conv2d(4, 6, (3, 2), stride=(2, 1), dilation=(1, 2), padding=(1, 0), groups=2), nn.ReLU()
    )
    seen = []
    draw = He.draw

    def look(scheme, layer, rng):
        seen.append(layer)
        return draw(scheme, layer, rng)

    monkeypatch.setattr(He, "draw", look)
    x = images()[:, :1].repeat(1, 4, 1, 1) * torch.arange(1.0, 5).reshape(1, 4, 1, 1)
    apply(SignFlipped(He()), module, x, 0)
    weight = module[0].weight.detach().double().reshape(2, 3, 12)
    wanted = module[0](x).detach() - module[0].bias.detach().reshape(1, 6, 1, 1)
    by_hand = torch.einsum("gri,goi->rgo", torch.from_numpy(seen[0].inputs), weight)
    by_hand = by_hand.reshape(20, -1, 6).permute(0, 2, 1).reshape(wanted.shape)
    # Twelve products of numbers below 20, in float32.
    torch.testing.assert_close(by_hand.float(), wanted, rtol=1e-5, atol=1e-4)


def test_the_output_layer_is_scaled_to_the_targets_given_the_layers_before():
    x, y = data(n_out=500)
    module = nn.Sequential(nn.Linear(4, 20), nn.LayerNorm(20), nn.ReLU(), nn.Linear(20, 500))
    apply(DataDependent(), module, (x, 3 * y), 0)
    hidden = module[:-1](x).detach().double()
    mean_square = (9 * y.double() ** 2).sum(dim=1).mean() / (500 * (hidden**2).sum(dim=1).mean())
    weight = module[-1].weight.detach().double()
    # Given the layers before, the entries are i.i.d. N(0, mean_square).
    law = stats.chi2(weight.numel())
    assert ALPHA < law.cdf(float((weight**2).sum() / mean_square)) < 1 - ALPHA


def test_without_targets_each_output_starts_with_mean_square_one():
    x, _ = data()
    one, other = mlp(4, 20, 20, 2), mlp(4, 20, 20, 2)
    apply(DataDependent(), one, x, 0)
    apply(DataDependent(), other, (x, torch.ones(len(x), 2)), 0)
    assert same(one, other)


def test_many_inputs_are_sampled(monkeypatch):
    monkeypatch.setattr("trainability.modules.drawing.MAX_NUMBERS", 1000)
    for scheme in (DataDependent(), SignFlipped(He())):
        module = cnn()
        module[1] = nn.Identity()
        apply(scheme, module, images(), 0)
        assert all(torch.isfinite(p).all() for p in module.parameters())


class Backwards(nn.Module):
    """Registers its layers against the flow, and uses one of them twice."""

    def __init__(self):
        super().__init__()
        self.output = nn.Linear(6, 1)
        self.middle = nn.Linear(6, 6)
        self.first = nn.Linear(4, 6)

    def forward(self, x):
        h = torch.relu(self.first(x))
        h = torch.relu(self.middle(input=h))
        return self.output(torch.relu(self.middle(h)))


def test_layers_are_drawn_in_the_order_of_flow_and_reused_layers_once():
    x, y = data(n_out=1)
    module = Backwards()
    apply(DataDependent(), module, (x, y), 0)
    middle = nn.Linear(6, 6)
    straight = nn.Sequential(
        nn.Linear(4, 6), nn.ReLU(), middle, nn.ReLU(), middle, nn.ReLU(), nn.Linear(6, 1)
    )
    apply(DataDependent(), straight, (x, y), 0)
    for layer, twin in ((module.first, straight[0]), (module.middle, middle)):
        assert torch.equal(layer.weight, twin.weight)
        assert torch.equal(layer.bias, twin.bias)
    assert torch.equal(module.output.weight, straight[-1].weight)
    assert not module.output.bias.any()


def test_without_data_the_order_of_registration_counts():
    module = Backwards()
    apply(He(), module, generator=np.random.default_rng(5))
    rng = np.random.default_rng(5)
    weight = rng.normal(0, np.sqrt(2 / 6), (1, 6))
    np.testing.assert_array_equal(module.output.weight.detach().numpy(), weight.astype(np.float32))


def test_tied_weights_are_drawn_once():
    one, other = nn.Linear(5, 5), nn.Linear(5, 5)
    other.weight = one.weight
    apply(He(bias_std=1.0), nn.Sequential(one, other), generator=0)
    alone = nn.Linear(5, 5)
    apply(He(bias_std=1.0), alone, generator=0)
    assert torch.equal(one.weight, alone.weight)
    assert torch.equal(one.bias, alone.bias)
    assert other.weight is one.weight
    assert not torch.equal(other.bias, one.bias)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("scheme", [He(), DataDependent(), SignFlipped(He())], ids=str)
def test_nothing_else_changes(scheme, training):
    module = cnn().train(training)
    module[4].weight.requires_grad_(False)
    module[8].eval()
    before = copy.deepcopy(module)
    state, x = torch.get_rng_state(), images()
    copy_of_x, numpy_state = x.clone(), np.random.get_state()[1].copy()
    apply(scheme, module, x, 0)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert torch.equal(x, copy_of_x)
    for (name, old), new in zip(before.named_buffers(), module.buffers(), strict=True):
        assert torch.equal(old, new), name
    for old, new in zip(before.modules(), module.modules(), strict=True):
        assert old.training == new.training
        assert not new._forward_hooks and not new._forward_pre_hooks
    for (name, old), new in zip(before.named_parameters(), module.parameters(), strict=True):
        assert old.requires_grad == new.requires_grad
        assert new.grad is None and new.grad_fn is None
        assert torch.equal(old, new) == name.startswith("1.") or not new.any(), name


def test_dtype_is_kept():
    for dtype in (torch.float64, torch.bfloat16):
        module = mlp(4, 8, 2).to(dtype)
        apply(DataDependent(), module, data()[0].numpy(), 0)
        assert {p.dtype for p in module.parameters()} == {dtype}


def test_randomness_comes_from_the_generator_alone():
    x, _ = data()

    def drawn(generator):
        module = mlp(4, 8, 8, 2)
        apply(DataDependent(), module, x, generator)
        return module

    assert same(drawn(7), drawn(7))
    assert not same(drawn(7), drawn(8))
    by_torch = [drawn(torch.Generator().manual_seed(7)) for _ in range(2)]
    assert same(*by_torch)
    by_default = []
    for seed in (7, 7, 8):
        module = mlp(4, 8, 8, 2)
        torch.manual_seed(seed)
        apply(DataDependent(), module, x)
        by_default.append(module)
    assert same(*by_default[:2])
    assert same(by_default[0], by_torch[0])
    assert not same(by_default[0], by_default[2])
    generator = torch.Generator().manual_seed(7)
    assert not same(drawn(generator), drawn(generator))


@pytest.mark.parametrize(
    ("scheme", "module", "given", "message"),
    [
        (mlp(1, 2, 1), He(), None, r"wants a scheme first, such as He\(\), got Sequential"),
        (He(), "net", None, r"wanted a torch.nn.Module, got 'net'"),
        (He(), nn.ReLU(), None, r"with a Linear or convolution layer, got ReLU without any"),
        (DataDependent(), mlp(4, 8, 2), None, r"looks at data, got none; pass data=x"),
        (He(), nn.LSTM(2, 2), None, r"got LSTM without any but those left as they are"),
        (
            DataDependent(),
            nn.Sequential(nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 2, bias=False)),
            data(),
            r"weights and bias together, but 0 has no bias, nor a batch normalization .* build it",
        ),
        (
            SignFlipped(TorchDefault()),
            nn.Sequential(nn.Linear(4, 8, bias=False), nn.ReLU(), nn.Linear(8, 2)),
            data(),
            r"but 0 has no bias",
        ),
        (Glorot(), nn.Conv2d(2, 2, 3), None, r"in the convolution Conv2d is not its number"),
        (
            He(),
            nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))),
            None,
            r"0 \(ParametrizedLinear\) has a weight that is computed",
        ),
        (He(), nn.Linear(2, 2, device="meta"), None, r"on the meta device"),
        (He(), nn.Linear(2, 2, dtype=torch.complex64), None, r"got torch.complex64"),
        (
            DataDependent(),
            mlp(4, 8, 2),
            ("x", "y"),
            r"inputs must be a tensor or an array .* got str",
        ),
        (
            DataDependent(),
            mlp(4, 8, 2),
            [[1.0]],
            r"0 \(Linear\), which takes 4 features, got .* \(1, 1\)",
        ),
        (DataDependent(), mlp(4, 8, 2), "data", r"must be a tensor, an array, a frame, .* got str"),
        (
            DataDependent(),
            mlp(4, 8, 2),
            (data()[0], data()[1][:9]),
            r"as many targets as inputs, got x of shape \(50, 4\) and y of \(9, 2\)",
        ),
        (
            DataDependent(),
            mlp(4, 8, 2),
            (data()[0], data()[1][:, 0]),
            r"outputs of shape \(50, 2\), got shape \(50,\)",
        ),
        (
            DataDependent(),
            mlp(4, 8, 2),
            (data()[0], torch.zeros(50, 2).long()),
            r"got torch.int64; for class labels pass x alone",
        ),
        (DataDependent(), mlp(4, 8, 2), data()[0] / 0, r"inputs must be finite"),
        (DataDependent(), mlp(4, 8, 2), data()[0][:0], r"N >= 1, got \(0, 4\)"),
        (DataDependent(), mlp(4, 8, 2), data()[0][0], r"0 gets an input of shape \(4,\)"),
        (DataDependent(), mlp(4, 8, 2), 0 * data()[0], r"0 gets inputs that are all zero"),
    ],
)
def test_what_is_wrong_is_said(scheme, module, given, message):
    before = parameters(module) if isinstance(module, nn.Module) else []
    with pytest.raises(InputError, match=message):
        apply(scheme, module, given, 0)
    for old, new in zip(before, module.parameters() if before else [], strict=True):
        assert old.is_meta or torch.equal(old, new)


def test_unused_layers_tied_weights_and_bad_seeds_are_refused():
    module = Backwards()
    module.spare = nn.Linear(4, 4)
    with pytest.raises(InputError, match="spare is not used when the module is called"):
        apply(He(), module, data()[0])
    tied = mlp(4, 4, 4, 2)
    tied[2].weight = tied[0].weight
    with pytest.raises(InputError, match="can't draw 2, which shares its weight with 0"):
        apply(UnitSphere(), tied)
    for seed in (-1, True, 1.5):
        with pytest.raises(InputError, match="generator must be an int >= 0, a torch.Generator"):
            apply(He(), mlp(1, 2, 1), generator=seed)
    with pytest.raises(InputError, match="does not know its shape yet"):
        apply(He(), nn.LazyLinear(3))
