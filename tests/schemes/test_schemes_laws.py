"""What single schemes promise beyond the conformance suite."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from trainability.networks import initialize
from trainability.schemes import (
    DataDependent,
    Glorot,
    He,
    Layer,
    LeCun,
    Orthogonal,
    RandomizedAsymmetric,
    SignFlipped,
    TorchDefault,
    UnitSphere,
)

ALPHA = 1e-6
WIDE = Layer(n_networks=500, index=2, depth=3, fan_in=6, fan_out=10)
OUTPUT = Layer(n_networks=500, index=3, depth=3, fan_in=6, fan_out=2)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("layer", [WIDE, OUTPUT], ids=["hidden", "output"])
@pytest.mark.parametrize(
    ("scheme", "variance"),
    [
        (He(), lambda t: 2 / t.fan_in),
        (Glorot("normal"), lambda t: 2 / (t.fan_in + t.fan_out)),
        (LeCun(), lambda t: 1 / t.fan_in),
    ],
    ids=lambda value: str(value).split(" at 0x")[0],
)
def test_gaussian_weights_have_the_papers_variance_in_every_layer(scheme, variance, layer):
    weight, _ = scheme.draw(layer, rng())
    square = (weight**2).sum() / variance(layer)
    p_value = 2 * min(stats.chi2(weight.size).cdf(square), stats.chi2(weight.size).sf(square))
    assert p_value > ALPHA


@pytest.mark.parametrize(
    ("scheme", "bound"),
    [
        (He("uniform"), math.sqrt(6 / 6)),
        (Glorot(), math.sqrt(6 / (6 + 2))),
        (TorchDefault(), 1 / math.sqrt(6)),
    ],
    ids=str,
)
def test_uniform_weights_of_the_output_layer_have_the_same_law(scheme, bound):
    weight, bias = scheme.draw(OUTPUT, rng())
    assert stats.kstest(weight.ravel(), stats.uniform(-bound, 2 * bound).cdf).pvalue > ALPHA
    assert np.abs(bias).max() <= bound


def test_torch_default_is_what_torch_does():
    """Both samples are from one law: two-sample KS."""
    weight, bias = TorchDefault().draw(Layer(400, 1, 2, 5, 8), rng())
    torch.manual_seed(0)
    linears = [torch.nn.Linear(5, 8) for _ in range(400)]
    of_torch = np.concatenate([linear.weight.detach().numpy().ravel() for linear in linears])
    assert stats.ks_2samp(weight.ravel(), of_torch).pvalue > ALPHA
    of_torch = np.concatenate([linear.bias.detach().numpy() for linear in linears])
    assert stats.ks_2samp(bias.ravel(), of_torch).pvalue > ALPHA


def test_unit_sphere_rows_have_length_one_and_an_isotropic_direction():
    weight, bias = UnitSphere().draw(WIDE, rng())
    assert np.allclose((weight**2).sum(axis=2) + bias**2, 1)
    squared = stats.beta(0.5, WIDE.fan_in / 2).cdf
    assert stats.kstest(bias.ravel() ** 2, squared).pvalue > ALPHA
    assert stats.kstest(weight[:, :, -1].ravel() ** 2, squared).pvalue > ALPHA


def test_the_output_layer_of_unit_sphere_networks_is_that_of_he():
    weight, bias = UnitSphere().draw(OUTPUT, rng())
    assert stats.kstest(weight.ravel(), stats.norm(0, math.sqrt(2 / 6)).cdf).pvalue > ALPHA
    assert not bias.any()


@pytest.mark.parametrize(("fan_in", "fan_out"), [(4, 4), (3, 7), (7, 3), (1, 5), (5, 1), (1, 1)])
def test_orthogonal_is_semi_orthogonal_in_both_shapes(fan_in, fan_out):
    weight, _ = Orthogonal(gain=1.5).draw(Layer(50, 2, 3, fan_in, fan_out), rng())
    short = min(fan_in, fan_out)
    wide = weight if fan_out <= fan_in else weight.transpose(0, 2, 1)
    assert np.allclose(wide @ wide.transpose(0, 2, 1), 1.5**2 * np.eye(short))


def test_orthogonal_is_haar():
    """A Haar 3 x 3 matrix is a rotation by a known random angle, or such a rotation times -1.

    Without the sign fix of QR the diagonal would not be symmetric and this fails by far.
    """
    weight, _ = Orthogonal().draw(Layer(20_000, 1, 2, 3, 3), rng())
    proper = weight * np.linalg.det(weight)[:, None, None]
    angle = np.arccos(np.clip((np.trace(proper, axis1=1, axis2=2) - 1) / 2, -1, 1))
    # The angle of a Haar rotation has density (1 - cos a) / pi.
    assert stats.kstest(angle, lambda a: (a - np.sin(a)) / math.pi).pvalue > ALPHA
    n_proper = int((np.linalg.det(weight) > 0).sum())
    assert stats.binomtest(n_proper, 20_000, 0.5).pvalue > ALPHA


@pytest.mark.parametrize("layer", [WIDE, OUTPUT], ids=["hidden", "output"])
def test_rai_replaces_one_entry_of_every_row(layer):
    """With a tiny sigma the Beta(2, 1) entry stands out, at a uniform place, the bias included."""
    weight, bias = RandomizedAsymmetric(sigma=1e-9).draw(layer, rng())
    row = np.concatenate([weight, bias[:, :, None]], axis=2).reshape(-1, layer.fan_in + 1)
    large = row > 1e-7
    assert (large.sum(axis=1) == 1).mean() > 0.999  # Beta(2, 1) is below 1e-7 once in 1e14
    counts = large.sum(axis=0)
    assert stats.chisquare(counts).pvalue > ALPHA
    assert stats.kstest(row[large], stats.beta(2, 1).cdf).pvalue > ALPHA


def test_rai_has_no_neuron_that_its_own_signs_kill():
    weight, bias = RandomizedAsymmetric().draw(WIDE, rng())
    assert not np.any((weight <= 0).all(axis=2) & (bias <= 0))


@pytest.mark.parametrize(
    ("scheme", "widths"),
    [(DataDependent(), [8, 8, 8]), (DataDependent(0.7, 1e-30), [8])],
    ids=["deep", "shallow, margin below rounding"],
)
@pytest.mark.parametrize("d", [1, 30])
def test_data_dependent_neurons_are_active_on_the_data_in_float32(scheme, widths, d):
    x = rng(1).normal(size=(40, d)).astype(np.float32)
    y = rng(2).normal(size=(40, 3)).astype(np.float32)
    ensemble = initialize(scheme, [d, *widths, 3], 2000, rng(3), x, y)
    h = np.broadcast_to(x, (2000, *x.shape))
    for weight, bias in zip(ensemble.weights[:-1], ensemble.biases[:-1], strict=True):
        h = np.maximum(h @ weight.mT.numpy() + bias.numpy()[:, None], 0)
        assert (h > 0).any(axis=1).all()


def test_data_dependent_activity_and_moments_follow_the_closed_forms():
    """At each point, against the point that was drawn: exact binomial, and z within 6 sigma
    (beyond it once in 5e8)."""
    x = np.array([[0.0, 0.0], [1.3, 0.0]])
    layer = Layer(200_000, 1, 2, 2, 1, inputs=x[None], training_inputs=x, target_mean_square=1.0)
    sigma_in, sigma_e = 0.7, 0.4
    weight, bias = DataDependent(sigma_in, sigma_e).draw(layer, rng())
    pre = (weight @ x.T)[:, 0] + bias
    at_second = pre[:, 1]
    a = sigma_in * 1.3
    p_active = (1 + 0.5 + math.atan2(sigma_e, a) / math.pi) / 2
    assert stats.binomtest(int((at_second > 0).sum()), len(pre), p_active).pvalue > ALPHA
    squares = np.maximum(at_second, 0) ** 2
    expected = (0.7401704831 + 0.16) / 2
    z = (squares.mean() - expected) / (squares.std() / math.sqrt(len(squares)))
    assert abs(z) < 6


@pytest.mark.parametrize("sizes", [[2, 9, 3], [2, 6, 5, 3]], ids=["shallow", "deep"])
@pytest.mark.parametrize("scheme", [DataDependent(), DataDependent(2.0, 0.5)], ids=str)
def test_data_dependent_outputs_start_at_the_scale_of_the_targets(scheme, sizes):
    """The mean over networks of mean |N(x)|^2 is mean |y|^2: z within 6 sigma."""
    x = rng(5).normal(size=(12, 2)).astype(np.float32)
    y = 3 * rng(6).normal(size=(12, 3)).astype(np.float32)
    ensemble = initialize(scheme, sizes, 40_000, rng(7), x, y)
    h = np.broadcast_to(x, (40_000, *x.shape))
    for weight, bias in zip(ensemble.weights[:-1], ensemble.biases[:-1], strict=True):
        h = np.maximum(h @ weight.mT.numpy() + bias.numpy()[:, None], 0)
    out = h @ ensemble.weights[-1].mT.numpy()
    assert not ensemble.biases[-1].any()
    squares = (out.astype(float) ** 2).sum(axis=2).mean(axis=1)
    target = (y.astype(float) ** 2).sum(axis=1).mean()
    assert abs(squares.mean() - target) < 6 * squares.std() / math.sqrt(len(squares))


def living_fractions(scheme, x, sizes, n_networks, seed):
    """Fraction of the points that had an active neuron in every layer so far, (layers, R)."""
    ensemble = initialize(scheme, sizes, n_networks, rng(seed), x, x[:, :1])
    h = np.broadcast_to(x.astype(float), (n_networks, *x.shape))
    living = np.ones(h.shape[:2], dtype=bool)
    fractions = []
    for weight, bias in zip(ensemble.weights[:-1], ensemble.biases[:-1], strict=True):
        h = np.maximum(h @ weight.mT.numpy().astype(float) + bias.numpy()[:, None], 0)
        living &= (h > 0).any(axis=2)
        fractions.append(living.mean(axis=1))
    return np.array(fractions)


@pytest.mark.parametrize(
    "scheme",
    [He(), He(bias_std=1.0), UnitSphere(), TorchDefault(), Orthogonal(), RandomizedAsymmetric()],
    ids=str,
)
@pytest.mark.parametrize("sizes", [[1, 1, 1, 1, 1, 1, 1], [3, 2, 3, 2, 1, 2, 1]], ids=str)
def test_after_k_layers_sign_flipping_leaves_at_least_2_to_the_minus_k_alive(scheme, sizes):
    x = rng(9).normal(size=(32, sizes[0])).astype(np.float32)
    fractions = living_fractions(SignFlipped(scheme), x, sizes, 300, 10)
    least = 2.0 ** -np.arange(1, len(fractions) + 1)
    assert (fractions >= least[:, None]).all()


def test_without_sign_flipping_the_law_fails():
    """So the test above can fail: narrow zero-bias networks often die at once."""
    x = rng(9).normal(size=(32, 1)).astype(np.float32)
    fractions = living_fractions(He(), x, [1, 1, 1, 1, 1], 300, 10)
    assert (fractions[1] < 0.25).any()


def test_sign_flipping_negates_whole_layers_and_nothing_else():
    x = rng(11).normal(size=(20, 2)).astype(np.float32)
    plain = initialize(He(bias_std=1.0), [2, 3, 1], 200, rng(12))
    flipped = initialize(SignFlipped(He(bias_std=1.0)), [2, 3, 1], 200, rng(12), x, x[:, :1])
    sign = np.sign((plain.weights[0] / flipped.weights[0]).numpy())
    assert np.array_equal(abs(plain.weights[0]), abs(flipped.weights[0]))
    assert (sign == sign[:, :1, :1]).all()
    assert np.array_equal(np.sign((plain.biases[0] / flipped.biases[0]).numpy()), sign[:, :, 0])
    assert 0 < (sign[:, 0, 0] < 0).sum() < 200
    assert np.array_equal(plain.weights[1], flipped.weights[1])
