"""The probability that a network is born dead: some hidden layer is wholly dead on the domain.

Such a network is constant. Its later layers are constant too, dead or not, so the first wholly
dead layer decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from trainability import seeds
from trainability.domains import Ball, Box, Domain, Points
from trainability.errors import refuse
from trainability.theory.checks import count_problem, domain_problem, is_count, width_problems
from trainability.theory.drawing import (
    HasLaw,
    chunks,
    estimate,
    hidden_layers,
    laws_of,
    training_inputs,
)
from trainability.theory.laws import (
    NeuronLaw,
)
from trainability.theory.probability import (
    RAO_BLACKWELL,
    SAMPLING,
    Probability,
)
from trainability.theory.questions.angles import angle_chain
from trainability.theory.questions.born_dead import born_dead_probability
from trainability.theory.questions.counts import active_count_pmf
from trainability.theory.questions.witnesses import born_dead_networks, witnesses

_N_POINTS = 512
"""Points that stand for a ball or a box of two or more dimensions behind the first layer."""
_MOST_NUMBERS = 2**28
"""Pre-activations beyond which not all networks are looked at on all points: some seconds."""
_N_PILOTS = 256
_DRAWING = 4
"""What a weight costs to draw, in pre-activations."""
_LOOKING_BACK = 4
"""What an activation costs that a scheme looks at, in pre-activations."""
_WITNESS_SHARE = 2
"""Without the integrals over the biases a number costs this much less."""


def born_dead_network_probability(
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    widths: int | Sequence[int],
    *,
    n_samples: int = 2**14,
    seed: int = 0,
    data: np.ndarray | None = None,
) -> Probability:
    """Probability that some hidden layer of a network is wholly dead on the domain.

    - One hidden layer: p^N, exact where p is and the neurons are independent.
    - Kinks at data: 0, assuming that the domain holds the training points.
    - No biases, symmetric signs, and a domain on one ray from the origin: a layer is dead with
      probability 2^-N whatever came before, so 1 - prod_t (1 - 2^-N_t).
    - No biases, i.i.d. symmetric weights, an interval around 0, two hidden layers: closed form;
      Gaussian weights, any depth: `angle_chain`.
    - Else networks are sampled. Given the weights up to layer t and the biases before it, the
      probability that all of layer t is dead is exact where the law states one (Rao-Blackwell):
      prod_i P(b_i <= -max_x w_i.h(x)). On intervals the maximum is taken over all breakpoints of
      the piecewise linear h, on points over the points: exact. On balls and boxes of two or more
      dimensions the first layer is exact and the others are looked at on sampled points: that
      overestimates the probability, which is then an upper bound.
    - Where that is too much work (thousands of points, many layers), the biases are sampled as
      well, and only networks whose death is in doubt are looked at on all points; the standard
      error then says how many networks could be afforded.

    Args:
        scheme_or_law: An initialization scheme, or a law that holds for every hidden layer.
        domain: Where inputs live.
        widths: Neurons of every hidden layer, first to last; an int for one layer.
        n_samples: Networks to sample where that is needed, >= 2 (paths of angles: 4 times this).
        seed: Seed of that sampling, >= 0.
        data: Training inputs, shape (N, d), for a scheme without a law that looks at them; default
            the domain's points, or 256 points of a ball or box.

    >>> from trainability.theory.laws import Gaussian
    >>> float(born_dead_network_probability(Gaussian(1.0, 0.0), Box(1, 1.0), [2, 2]))
    0.15625
    """
    owner = "born_dead_network_probability"
    sizes: Any = [widths] if is_count(widths) else widths
    problems = domain_problem(owner, domain) + width_problems(owner, sizes)
    problems += count_problem(owner, "n_samples", n_samples, 2)
    refuse(problems + count_problem(owner, "seed", seed, 0))
    laws = laws_of(scheme_or_law, domain.d, sizes)
    closed_form = _known(laws, domain, sizes, n_samples, seed)
    if closed_form is not None:
        return closed_form
    rng = seeds.stream(seed, f"{scheme_or_law!r} born dead {domain!r} {list(sizes)}", "sampling")
    return _sampled(scheme_or_law, laws, domain, sizes, n_samples, rng, data)


def _known(
    laws: Sequence[NeuronLaw | None],
    domain: Domain,
    widths: Sequence[int],
    n_samples: int,
    seed: int,
) -> Probability | None:
    """The answer where the network need not be sampled."""
    law = laws[0]
    if law is None:
        return None
    if law.is_never_born_dead:
        return Probability(0.0)
    if len(widths) == 1:
        return _shallow(law, domain, widths[0], n_samples, seed)
    if not law.is_symmetric:
        return None
    unbiased = not law.has_bias
    direction = _direction(domain)
    if direction is not None and (unbiased or _is_point(domain)):
        if not direction.any() and unbiased:
            return Probability(1.0)
        return Probability(-math.expm1(sum(math.log1p(-(0.5**n)) for n in widths)))
    around = isinstance(domain, Ball | Box | Points) and domain.d == 1
    if unbiased and around and len(widths) <= law.chain_layers:
        return angle_chain(widths, n_samples=4 * n_samples, seed=seed).born_dead
    return None


def _shallow(law: NeuronLaw, domain: Domain, n: int, n_samples: int, seed: int) -> Probability:
    """P(all n neurons of the one hidden layer are dead)."""
    if not law.dies_independently(domain, n):
        counts = active_count_pmf(law, domain, n, n_samples=n_samples, seed=seed)
        none = float(counts.pmf[0]), float(counts.standard_error[0])
        return Probability(*none, counts.method, counts.note)
    p = born_dead_probability(law, domain, n, n_samples=max(n_samples, 2**16), seed=seed)
    error = n * p.value ** (n - 1) * p.standard_error
    return replace(p, value=p.value**n, standard_error=error)


def _direction(domain: Domain) -> np.ndarray | None:
    """A point from which all others lie on one ray from the origin; 0 if all are; None if not."""
    if isinstance(domain, Points):
        x = domain.x
    elif isinstance(domain, Box) and (domain.d == 1 or (domain.low == domain.high).all()):
        x = np.stack([domain.low, domain.high])
    elif isinstance(domain, Ball) and domain.radius == 0:
        x = np.zeros((1, domain.d))
    else:
        return None
    farthest = x[np.argmax(np.abs(x).sum(axis=1))]
    # Exactly parallel: rounding is not forgiven, since a near miss is another law.
    crossed = np.outer(x[:, 0], farthest) - x * farthest[0]
    if farthest[0] == 0 and farthest.any():
        pivot = int(np.argmax(np.abs(farthest)))
        crossed = np.outer(x[:, pivot], farthest) - x * farthest[pivot]
    return farthest if not crossed.any() and (x @ farthest >= 0).all() else None


def _is_point(domain: Domain) -> bool:
    if isinstance(domain, Points):
        return bool((domain.x == domain.x[0]).all())
    return isinstance(domain, Box) and bool((domain.low == domain.high).all())


def _sampled(
    scheme_or_law: HasLaw | NeuronLaw,
    laws: Sequence[NeuronLaw | None],
    domain: Domain,
    widths: Sequence[int],
    n_samples: int,
    rng: np.random.Generator,
    data: np.ndarray | None,
) -> Probability:
    notes = []
    if isinstance(scheme_or_law, NeuronLaw) or None not in laws:
        data = None
    elif data is None:
        data, note = training_inputs(scheme_or_law, domain, rng)
        notes.append(note)
    image, is_curve = _image(domain, rng)
    is_bound = not is_curve and not isinstance(domain, Points)
    if is_bound:
        notes.append(f"behind the first layer on {_N_POINTS} points of the domain")
    draw = partial(_layers, scheme_or_law, laws, domain.d, widths)
    if not is_curve and n_samples * sum(widths) * image.shape[1] > _MOST_NUMBERS:
        seen = 0 if data is None else len(data)
        dead = _by_witnesses(draw, domain, image[0], widths, n_samples, rng, data, seen)
        if len(dead) < n_samples:
            notes.append(f"of {len(dead):,} networks")
        estimated = estimate(dead, 1 / len(dead), SAMPLING)
    else:
        exact = None not in laws and all(law is not None and law.has_bias for law in laws)
        cost = max(widths) * (image.shape[1] + (4 * sum(widths) if is_curve else 0))
        parts = [
            _death(draw(n, rng, data), domain, image, is_curve) for n in chunks(n_samples, cost * 2)
        ]
        method = RAO_BLACKWELL if exact else SAMPLING
        estimated = estimate(np.concatenate(parts), 1 / n_samples, method)
    return replace(estimated, note=", ".join(filter(None, notes)), is_upper_bound=is_bound)


def _by_witnesses(
    draw: Callable[..., Iterator[tuple[np.ndarray, np.ndarray, Conditional]]],
    domain: Domain,
    x: np.ndarray,
    widths: Sequence[int],
    n_samples: int,
    rng: np.random.Generator,
    data: np.ndarray | None,
    seen: int,
) -> np.ndarray:
    """Whether networks are born dead, of as many as can be afforded, `n_samples` at most.

    How many that are is decided by networks that are not counted, so that it says nothing of those
    that are.
    """
    few = witnesses(x)
    cost = sum(n * m for n, m in zip(widths, (domain.d, *widths[:-1]), strict=True))
    drawn = cost
    # A scheme that looks at data computes what each layer makes of them.
    cost += seen * max(widths)

    def look(n: int) -> tuple[np.ndarray, int]:
        parts, spent = [], n * (_DRAWING * drawn + _LOOKING_BACK * seen * sum(widths))
        for some in chunks(n, cost):
            layers = [(w, b) for w, b, _ in draw(some, rng, data)]
            dead, numbers = born_dead_networks(layers, domain, x, few)
            parts.append(dead)
            spent += numbers
        return np.concatenate(parts).astype(float), spent

    n_pilots = min(n_samples, _N_PILOTS)
    _, spent = look(n_pilots)
    affordable = int(_MOST_NUMBERS * _WITNESS_SHARE * n_pilots / spent)
    return look(min(n_samples, max(affordable, _N_PILOTS)))[0]


Conditional = Callable[[np.ndarray], np.ndarray]
"""log P(b <= limit | weights), elementwise, limit of shape (R, fan_out)."""


def _layers(
    scheme_or_law: HasLaw | NeuronLaw,
    laws: Sequence[NeuronLaw | None],
    d: int,
    widths: Sequence[int],
    n: int,
    rng: np.random.Generator,
    data: np.ndarray | None,
) -> Iterator[tuple[np.ndarray, np.ndarray, Conditional]]:
    """Weights, biases and the law of the biases given the weights, layer by layer."""
    if None in laws:
        assert not isinstance(scheme_or_law, NeuronLaw)
        for w, b in hidden_layers(scheme_or_law, d, widths, n, rng, data):
            yield w, b, _given(b)
        return
    for law, fan_in, fan_out in zip(laws, (d, *widths), widths, strict=False):
        assert law is not None
        yield law.sample_given(n, fan_in, fan_out, rng)


def _given(b: np.ndarray) -> Conditional:
    return lambda limit: np.where(b <= limit, 0.0, -np.inf)


def _image(domain: Domain, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """Points of the domain, shape (1, M, d), and whether they are the corners of a curve."""
    if isinstance(domain, Points):
        return domain.x[None], False
    if domain.d > 1:
        return domain.sample(rng, _N_POINTS)[None], False
    low, high = -float(domain.support(np.array([-1.0]))), float(domain.support(np.array([1.0])))
    inner = [0.0] if low < 0 < high else []
    return np.array([low, *inner, high])[None, :, None], True


def _death(
    layers: Iterator[tuple[np.ndarray, np.ndarray, Conditional]],
    domain: Domain,
    image: np.ndarray,
    is_curve: bool,
) -> np.ndarray:
    """P(born dead | what was sampled), per network: sum over t of P(t is the first dead layer)."""
    total: np.ndarray | float = 0.0
    alive: np.ndarray | float = 1.0
    first = True
    for w, b, log_below in layers:
        flat = image @ w.transpose(0, 2, 1)
        highest = domain.support(w) if first else flat.max(axis=1)
        total = total + alive * np.exp(log_below(-highest).sum(axis=1))
        alive = alive * (b + highest > 0).any(axis=1)
        before = flat + b[:, None]
        image = np.maximum(_with_crossings(before) if is_curve else before, 0)
        first = False
    assert isinstance(total, np.ndarray)
    return total


def _with_crossings(before: np.ndarray) -> np.ndarray:
    """Corners of a curve, (R, M, N), and the points between them where a coordinate is 0.

    Networks have different numbers of corners; the last corner fills what is missing.
    """
    n, corners, _ = before.shape
    left, right = before[:, :-1], before[:, 1:]
    crosses = (left > 0) & (right < 0) | (left < 0) & (right > 0)
    share = left / np.where(crosses, left - right, 1)
    segment = np.arange(corners - 1.0)[None, :, None]
    between = np.where(crosses, segment + share, np.inf).reshape(n, -1)
    at = np.sort(
        np.concatenate([np.broadcast_to(np.arange(float(corners)), (n, corners)), between], 1)
    )
    at = at[:, : int(np.isfinite(at).sum(axis=1).max())]
    at = np.where(np.isfinite(at), at, corners - 1.0)
    start = np.minimum(at.astype(int), corners - 2)
    weight = (at - start)[:, :, None]
    first = np.take_along_axis(before, start[:, :, None], axis=1)
    second = np.take_along_axis(before, start[:, :, None] + 1, axis=1)
    return (1 - weight) * first + weight * second
