"""What networks a tuning is about, of which widths, and what is wrong with what it says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trainability.checks import shown
from trainability.study.axes import value_problems
from trainability.study.network import Module, module_problems, networks_of
from trainability.tuning.choices import Choice

if TYPE_CHECKING:
    from trainability.tuning.declaration import Tuning


def networks(tuning: Tuning) -> list[Module | None]:
    """What candidates may be copies of; None for fully connected networks."""
    return networks_of(_varied_networks(tuning), {"network": tuning.network})


def shape_problems(tuning: Tuning) -> list[str]:
    """Widths come from the objectives, or from the default and what varies, not from both.

    What no module takes can't be given, nor vary.
    """
    if tuning.width is not None and (wrong := value_problems("width", [tuning.width])):
        return wrong
    varies = isinstance(tuning.vary, Mapping) and "width" in tuning.vary
    named = [width for width in tuning.widths if width is not None]
    if varies and named:
        return [
            f"width varies, and the objective is about width {', '.join(map(str, named))}; "
            "write SuccessRate() or MedianSteps(), without a width"
        ]
    if None in tuning.widths and tuning.width is None and None in networks(tuning):
        why = "the default's, to compare with" if varies else "the objective names none"
        return [f"width must be given: {why}; write Tuning(width=8, ...)"]
    if None not in tuning.widths and tuning.width is not None:
        return [
            f"width {shown(tuning.width)} has no effect, for the objective names its own; leave "
            "one of them out"
        ]
    axes: dict[str, Any] = _varied_networks(tuning)
    if isinstance(tuning.vary, Mapping):
        axes |= {name: part for name, part in tuning.vary.items() if name not in axes}
    if named:
        axes["width"] = named
    return module_problems(axes, tuning.fixed)


def in_order(width: Any) -> tuple[int, ...]:
    """By which widths are sorted: none first, widths per layer beside those of all layers."""
    if width is None:
        return ()
    return tuple(width) if isinstance(width, tuple | list) else (width,)


def _varied_networks(tuning: Tuning) -> dict[str, Any]:
    varied = tuning.vary.get("network") if isinstance(tuning.vary, Mapping) else None
    return {"network": list(varied.values)} if isinstance(varied, Choice) else {}
