"""What a study can ask about, and what published numbers are about: quantities, each named once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Quantity:
    """A number that every cell has, from the rows of its networks.

    Args:
        name: As studies write it.
        noun: As sentences write it.
        kind: `rate`, the share of networks of which a column says yes; `mean`, of a column over
            the networks that have it; `restarts`, from the rate of a column; `scaling`, of many
            cells together.
        column: Of the rows. Of a list, one entry per hidden layer, a mean is of the last, and a
            rate counts networks in which any is 0.
        least_is_best: Whether less of it is better.
        may_be_negative: Whether it may be below 0.
        is_share: Whether it lies in [0, 1] and is written in percent.
        of_no: Whether a rate or restarts count the networks of which the column says no.
    """

    name: str
    noun: str
    kind: Literal["rate", "mean", "restarts", "scaling"]
    column: str
    least_is_best: bool = False
    may_be_negative: bool = False
    is_share: bool = True
    of_no: bool = False

    @property
    def at_birth(self) -> bool:
        """Whether it is measured before any training."""
        return self.column.endswith("_init") or self.column in ("born_dead", "trainable")


def _mean(name: str, noun: str = "", *, least: bool = False, share: bool = True) -> Quantity:
    noun = noun or name.replace("_", " ")
    return Quantity(name, f"mean {noun}", "mean", name, least_is_best=least, is_share=share)


QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity("success", "rate of success", "rate", "success"),
        Quantity("trainable", "rate of trainable networks", "rate", "trainable"),
        Quantity("born_dead", "rate of networks born dead", "rate", "born_dead", True),
        Quantity("collapsed", "rate of collapse", "rate", "collapsed", True),
        Quantity("dead", "rate of networks that end dead", "rate", "active_final", True),
        Quantity("diverged", "rate of divergence", "rate", "diverged", True),
        _mean("accuracy", "training accuracy"),
        _mean("validation_accuracy"),
        _mean("best_validation_accuracy"),
        _mean("final_loss", least=True, share=False),
        _mean("validation_loss", least=True, share=False),
        _mean("best_validation_loss", least=True, share=False),
        Quantity(
            "variance", "mean share of the output that varies over the data", "mean",
            "variance_init",
        ),
        Quantity("living", "mean share of living points", "mean", "living_init"),
        Quantity(
            "log_scale", "mean logarithm of the scale", "mean", "log_scale_init",
            may_be_negative=True, is_share=False,
        ),
        Quantity(
            "cosine", "mean cosine between points or nodes", "mean", "cosine_init", True,
            may_be_negative=True, is_share=False,
        ),
        Quantity(
            "restarts", "number of networks to train for a chance of 90 % that one succeeds",
            "restarts", "success",
            least_is_best=True, is_share=False,
        ),
        Quantity(
            "restarts_alive",
            "number of networks to draw for a chance of 90 % that one is not born dead",
            "restarts", "born_dead", least_is_best=True, is_share=False, of_no=True,
        ),
        Quantity(
            "minimal_width", "width for 90 % success", "scaling", "success",
            least_is_best=True, is_share=False,
        ),
    )
}  # fmt: skip
"""Every quantity by its name.

`restarts` and `restarts_alive`: with a chance of `RESTART_CHANCE` one of so many does. `variance`:
that of the output of the last hidden layer at birth over the training points, over its mean square;
`log_scale`: of that mean square over that of the inputs, base 10, so that 0 is neither growth nor
decay; a network in which it is 0 has none; `cosine`: between that output at two points, or at two
nodes or pixels of one;
`living`: the share of the training points at which every hidden layer has an active neuron.
`dead`: of those that did not diverge, the share in which a hidden layer has no active neuron after
training, so that they are constant for good; `collapsed` counts those too that vary a little, by at
most .01 of what the targets do. `minimal_width`: with which power of the number of samples it
grows; no cell has it by itself.
"""

RESTART_CHANCE = 0.9

ALIASES = {f"{name}_rate": name for name in ("success", "trainable", "born_dead")}
"""How older declarations write three of them."""
