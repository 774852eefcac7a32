"""Does a scheme do what theory says of it? Draw networks, count their dead, compare.

What a coordinate check is to a parametrization (Yang et al. 2022), this is to an initialization:
one call that measures it, without training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trainability import seeds
from trainability.analysis.counts import count_tests
from trainability.analysis.laws import Verdict, bound_tests, judge
from trainability.analysis.rates import success_rates
from trainability.checks import int_problem
from trainability.death import STANDARD_EFFORT, Census, Effort, census
from trainability.domains import Domain, Points
from trainability.errors import InputError, refuse
from trainability.networks import concatenate, initialize
from trainability.schemes.base import Scheme
from trainability.study.limits import MOST_BLOCKS
from trainability.study.widths import (
    MOST_DEPTH,
    Width,
    depth_contradictions,
    layer_widths,
    width_problems,
)
from trainability.theory import (
    Probability,
    active_count_pmf,
    born_dead_lower_bound,
    born_dead_network_probability,
    born_dead_upper_bound,
)

_CELL = "scheme"
_N_TRAIN = 100
_OF_TRAINING = ("success", "n_trainable", "trainable_rate", "n_diverged")
"""What `success_rates` tells of trained networks begins so."""


@dataclass(frozen=True)
class SchemeCheck:
    """What was measured, and what theory says of it.

    Args:
        layers: One row per hidden layer: `layer`, its `width`, `n` networks, `neurons`, and the
            shares `active`, `tentatively_dead`, `permanently_dead`, `undecided`.
        rates: Born-dead rate of the networks with its interval, beside theory and its bounds.
        verdicts: The tests of theory; `passed` says whether all hold.
    """

    layers: pd.DataFrame
    rates: pd.DataFrame
    verdicts: list[Verdict]

    @property
    def passed(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts)


def check_scheme(
    scheme: Scheme,
    domain: Domain,
    width: Width,
    depth: int,
    n_networks: int,
    seed: int = 0,
    effort: Effort = STANDARD_EFFORT,
    data: tuple[np.ndarray, np.ndarray] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> SchemeCheck:
    """Draw networks of a scheme, count the dead neurons of every layer, compare with theory.

    Args:
        scheme: Any scheme; one without a law is held against its own sampled statistics, drawn
            from another stream.
        domain: Where inputs live. A scheme that looks at data sees its points, or 100 points of
            it, with targets of mean square 1.
        width: Neurons of every hidden layer, >= 1, or a tuple with those of each.
        depth: L, the number of affine layers, >= 2.
        n_networks: Networks to draw, rounded up to whole blocks of 256.
        seed: Seed of the draws, >= 0.
        effort: How hard the census tries where no exact way is known.
        data: Inputs (N, d_in) and targets (N, d_out) of a task on this domain, for a scheme that
            looks at them; None for points of the domain as said there.
        tell: Called with what is done next, before it is.

    Raises:
        InputError: Lists what is wrong with the arguments.
    """
    shape = width_problems("width", width) + int_problem("depth", depth, 2, MOST_DEPTH)
    refuse(
        (shape or depth_contradictions([width], [depth]))
        + int_problem("n_networks", n_networks, 1, MOST_BLOCKS * seeds.BLOCK_SIZE)
        + int_problem("seed", seed, 0)
    )
    widths = layer_widths(width, depth)
    rng = seeds.stream(seed, f"points of {domain!r}", "sampling")
    if data is None:
        x = domain.x if isinstance(domain, Points) else domain.sample(rng, _N_TRAIN)
        data = x, np.ones((len(x), 1))
    x, y = data
    counted = _draw_and_count(scheme, domain, x, y, widths, n_networks, seed, effort, tell)
    n = len(counted.born_dead)
    rows = pd.DataFrame(
        {
            "cell": _CELL,
            "depth": depth,
            "replicate": range(n),
            "status": "ok",
            "success": False,
            "steps": 0,
            "trainable": ~counted.born_dead,
            "born_dead": counted.born_dead,
            "active_init": list(counted.active),
        }
    )
    rates = success_rates(rows)
    rates.insert(0, "width", [widths[0] if len(set(widths)) == 1 else list(widths)])
    tell("asking theory how many are born dead, which may draw more")
    # Nothing was trained, and there is no task that says who is trainable.
    unasked = [name for name in rates if str(name).startswith(_OF_TRAINING)]
    rates, verdicts = _network_law(scheme, domain, x, widths, rates.drop(columns=unasked))
    law = active_count_pmf(scheme, domain, widths[0])
    if not law.standard_error.any():
        sentence = "The number of active neurons of the first layer follows its law."
        verdicts.insert(0, judge(count_tests(rows, {_CELL: law.pmf}), sentence))
    return SchemeCheck(_layers(counted, widths), rates, verdicts)


def _draw_and_count(
    scheme: Scheme,
    domain: Domain,
    x: np.ndarray,
    y: np.ndarray,
    widths: tuple[int, ...],
    n_networks: int,
    seed: int,
    effort: Effort,
    tell: Callable[[str], None],
) -> Census:
    sizes = (domain.d, *widths, y.shape[1])
    identity = f"{scheme!r} {sizes} on {domain!r}"
    blocks = range(-(-n_networks // seeds.BLOCK_SIZE))
    drawn = [
        initialize(
            scheme,
            sizes,
            seeds.BLOCK_SIZE,
            seeds.stream(seed, identity, "initialization", block),
            x,
            y,
        )
        for block in blocks
    ]
    tell("counting their dead neurons")
    return census(concatenate(drawn), domain, effort=effort)


def _network_law(
    scheme: Scheme, domain: Domain, x: np.ndarray, widths: tuple[int, ...], rates: pd.DataFrame
) -> tuple[pd.DataFrame, list[Verdict]]:
    """Born-dead networks against their probability and against its bounds."""
    dead = born_dead_network_probability(scheme, domain, widths, data=x)
    rates["born_dead_theory"] = float(dead)
    rates["born_dead_theory_se"] = dead.standard_error
    rates["born_dead_method"] = dead.described
    rates["born_dead_is_upper_bound"] = dead.is_upper_bound
    verdicts = [
        judge(
            bound_tests(
                rates,
                "n_born_dead",
                None if dead.is_upper_bound else "born_dead_theory",
                "born_dead_theory",
            ),
            f"Networks are born dead {'at most ' * dead.is_upper_bound}as often as theory says.",
        )
    ]
    bounds: dict[str, Callable[..., Probability]] = {
        "born_dead_lower": born_dead_lower_bound,
        "born_dead_upper": born_dead_upper_bound,
    }
    for column, bound in bounds.items():
        try:
            rates[column] = float(bound(scheme, domain, widths))
        except InputError:  # the bound does not hold for this scheme
            rates[column] = np.nan
    if rates[list(bounds)].notna().to_numpy().any():
        sentence = "The rate of born-dead networks lies within the general bounds."
        verdicts.append(judge(bound_tests(rates, "n_born_dead", *bounds), sentence))
    return rates, verdicts


def _layers(counted: Census, widths: tuple[int, ...]) -> pd.DataFrame:
    n = len(counted.born_dead)
    return pd.DataFrame(
        [
            {
                "layer": layer + 1,
                "width": width,
                "n": n,
                "neurons": n * width,
                **{
                    name: counts[:, layer].sum() / (n * width)
                    for name, counts in (
                        ("active", counted.active),
                        ("tentatively_dead", counted.tentative),
                        ("permanently_dead", counted.permanent),
                        ("undecided", counted.undecided),
                    )
                },
            }
            for layer, width in enumerate(widths)
        ]
    )
