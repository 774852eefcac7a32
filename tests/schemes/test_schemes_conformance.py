"""Laws that every scheme obeys. A scheme dropped into the folder is tested without a line here."""

import dataclasses
import math
from typing import get_type_hints

import numpy as np
import pytest
from scipy import stats

from trainability.errors import InputError
from trainability.networks import initialize
from trainability.schemes import (
    DataDependent,
    Glorot,
    He,
    Layer,
    LeCun,
    Orthogonal,
    RandomizedAsymmetric,
    Scheme,
    SignFlipped,
    scheme_from_text,
    scheme_types,
)
from trainability.theory.laws import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    OrthogonalRows,
    Uniform,
    UniformWeights,
)

ALPHA = 1e-6


def packaged() -> list[type[Scheme]]:
    return [
        kind
        for kind in scheme_types().values()
        if kind.__module__.startswith("trainability.schemes.")
    ]


def by_default(kind: type[Scheme]) -> Scheme:
    """A scheme with its defaults; where it wraps a scheme, He."""
    hints = get_type_hints(kind)
    required = [f for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING]
    wrapped = [f.name for f in required if hints[f.name] is Scheme]
    assert len(wrapped) == len(required), f"{kind} needs defaults for its settings"
    return kind(**{name: He() for name in wrapped})


SCHEMES = [
    *(by_default(kind) for kind in packaged()),
    He("uniform", bias_std=1.0),
    He(bias_std=0.5),
    Glorot("normal", bias_std=0.3),
    Glorot(bias_std=0.3),
    LeCun(bias_std=2.0),
    Orthogonal(gain=math.sqrt(2), bias_std=1.0),
    RandomizedAsymmetric(sigma=1.5),
    DataDependent(sigma_in=0.7, sigma_e=0.4),
    SignFlipped(RandomizedAsymmetric()),
    SignFlipped(DataDependent()),
]
LAYERS = [
    Layer(n_networks=5, index=1, depth=2, fan_in=1, fan_out=3),
    Layer(n_networks=5, index=2, depth=4, fan_in=3, fan_out=7),
    Layer(n_networks=5, index=3, depth=4, fan_in=7, fan_out=3),
    Layer(n_networks=5, index=2, depth=2, fan_in=4, fan_out=2),
    Layer(n_networks=5, index=4, depth=4, fan_in=6, fan_out=1),
]

each_scheme = pytest.mark.parametrize("scheme", SCHEMES, ids=str)
each_layer = pytest.mark.parametrize(
    "layer", LAYERS, ids=lambda t: f"{t.index}of{t.depth}-{t.fan_in}to{t.fan_out}"
)


def with_data(layer: Layer, n_points: int = 6, seed: int = 8) -> Layer:
    """The layer as `initialize` would hand it to a scheme that looks at the data."""
    rng = np.random.default_rng(seed)
    training_inputs = rng.normal(size=(n_points, layer.fan_in))
    inputs = training_inputs[None]
    if layer.index > 1:
        inputs = np.abs(rng.normal(size=(layer.n_networks, n_points, layer.fan_in)))
    return dataclasses.replace(
        layer,
        inputs=inputs,
        living=np.ones((len(inputs), n_points), dtype=bool),
        training_inputs=training_inputs,
        target_mean_square=1.0,
    )


def ready(scheme: Scheme, layer: Layer) -> Layer:
    return with_data(layer) if scheme.needs_data else layer


@each_scheme
@each_layer
def test_draws_have_the_layers_shape_in_float64(scheme, layer):
    weight, bias = scheme.draw(ready(scheme, layer), np.random.default_rng(0))
    assert weight.shape == (layer.n_networks, layer.fan_out, layer.fan_in)
    assert bias.shape == (layer.n_networks, layer.fan_out)
    assert weight.dtype == bias.dtype == np.float64
    assert np.isfinite(weight).all() and np.isfinite(bias).all()


@each_scheme
@each_layer
def test_a_draw_is_determined_by_its_stream(scheme, layer):
    layer = ready(scheme, layer)
    first = scheme.draw(layer, np.random.default_rng(1))
    again = scheme.draw(layer, np.random.default_rng(1))
    other = scheme.draw(layer, np.random.default_rng(2))
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


@each_scheme
def test_networks_of_an_ensemble_differ(scheme):
    layer = ready(scheme, LAYERS[1])
    weight, _ = scheme.draw(layer, np.random.default_rng(3))
    assert len(np.unique(weight.reshape(len(weight), -1), axis=0)) == len(weight)


@each_scheme
def test_a_deep_ensemble_can_be_drawn(scheme):
    x = np.linspace(-1, 1, 9, dtype=np.float32)[:, None]
    ensemble = initialize(
        scheme, [1, 4, 6, 3, 2], 16, np.random.default_rng(4), x, np.hstack([x, x])
    )
    assert ensemble.widths == (4, 6, 3)
    assert all(weight.isfinite().all() for weight in ensemble.weights)


@each_scheme
def test_a_scheme_reads_what_it_writes(scheme):
    assert scheme_from_text(str(scheme)) == scheme
    assert hash(scheme_from_text(str(scheme))) == hash(scheme)


@pytest.mark.parametrize("kind", packaged(), ids=lambda kind: kind.__name__)
def test_every_setting_is_validated(kind):
    good = by_default(kind)
    for field in dataclasses.fields(kind):
        for bad in (math.nan, math.inf, "one", True, [1.0]):
            with pytest.raises(InputError, match=f"{kind.__name__} {field.name} must be .*got"):
                dataclasses.replace(good, **{field.name: bad})


@each_scheme
@pytest.mark.parametrize(("fan_in", "fan_out"), [(1, 4), (3, 5), (6, 4)])
def test_hidden_layers_follow_the_law_that_the_scheme_states(scheme, fan_in, fan_out):
    """Independent draws: the first neuron of each network. KS at ALPHA over all statistics."""
    law = scheme.law(fan_in, fan_out)
    if law is None:
        return
    for index in (1, 2):
        layer = Layer(n_networks=4000, index=index, depth=3, fan_in=fan_in, fan_out=fan_out)
        layer = with_data(layer, n_points=1) if scheme.needs_data else layer
        weight, bias = scheme.draw(layer, np.random.default_rng(5))
        checks = statistics_of(law, weight[:, 0], bias[:, 0], layer)
        assert checks
        for name, sample, cdf in checks:
            p_value = stats.kstest(sample, cdf).pvalue
            assert p_value > ALPHA / 300, f"{name} is off: p = {p_value}"


def statistics_of(law, w, b, layer):
    """(name, sample, cdf) triples that pin down a law of (w, b) for one neuron per network."""
    d = w.shape[1]
    norm = np.linalg.norm(w, axis=1)
    entry = w[:, 0]
    if isinstance(law, Gaussian):
        # The law speaks of directions only: (w / weight_std, b / bias_std) is isotropic.
        samples = [("sign and direction", entry / norm, uniform_coordinate(d))] if d > 1 else []
        if law.bias_std == 0:
            assert not b.any()
            return [*samples, ("sign", np.sign(entry) + np.linspace(-1, 1, len(w)), smeared_sign)]
        t = b / law.bias_std * math.sqrt(d) / (norm / law.weight_std)
        return [*samples, ("bias over norm", t, stats.t(d).cdf)]
    if isinstance(law, UniformWeights):
        weights = stats.uniform(-law.half_width, 2 * law.half_width).cdf
        return [("weights", w.ravel(), weights), *gaussian_bias(b, law.bias_std)]
    if isinstance(law, Uniform):
        both = stats.uniform(-law.bound, 2 * law.bound).cdf
        return [("weights", w.ravel(), both), ("bias", b, both)]
    if isinstance(law, OrthogonalRows):
        n = max(d, law.fan_out)
        square = entry**2 / law.gain**2
        samples = [("entry", square, stats.beta(0.5, (n - 1) / 2).cdf)] if n > 1 else []
        samples += gaussian_bias(b, law.bias_std)
        if law.fan_out > d:
            length = stats.beta(d / 2, (law.fan_out - d) / 2).cdf
            return [*samples, ("length", norm**2 / law.gain**2, length)]
        assert np.allclose(norm, law.gain)
        return samples
    if isinstance(law, Asymmetric):
        gauss, beta = stats.norm(0, law.sigma / math.sqrt(d)), stats.beta(2, 1)

        def mixture(v):
            return (d * gauss.cdf(v) + beta.cdf(v)) / (d + 1)

        return [("weight", entry, mixture), ("bias", b, mixture)]
    assert isinstance(law, KinkAtData)
    point = layer.inputs[:, 0]
    margin = (w * point).sum(axis=1) + b
    half_normal = stats.halfnorm(0, law.sigma_e).cdf
    weights = stats.norm(0, law.sigma_in).cdf
    return [("weights", w.ravel(), weights), ("margin", margin, half_normal)]


def gaussian_bias(b, std):
    if std == 0:
        assert not b.any()
        return []
    return [("bias", b, stats.norm(0, std).cdf)]


def uniform_coordinate(d):
    """CDF of a coordinate of a uniform unit vector in d > 1 dimensions."""
    squared = stats.beta(0.5, (d - 1) / 2)
    return lambda u: 0.5 + np.sign(u) * squared.cdf(np.square(u)) / 2


def smeared_sign(v):
    """CDF of a fair sign plus a uniform on [-1, 1]: continuous, so that KS is exact."""
    return stats.uniform(-2, 4).cdf(v)
