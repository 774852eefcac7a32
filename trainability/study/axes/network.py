"""What the networks are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainability.checks import shown
from trainability.study.axes.base import StrategyAxis
from trainability.study.network import FULLY_CONNECTED, Module


class NetworkAxis(StrategyAxis[Module | None]):
    """What networks are copies of; None for fully connected ones."""

    name, since = "network", 3
    meaning = '"fully connected", or the user\'s function of whose module the networks are copies.'
    wanted, kind = "None or Module(build)", Module

    def problems(self, value: Any) -> list[str]:
        if value is None or isinstance(value, Module):
            return []
        return [
            f"{self.name} must be None, for fully connected networks, or Module(build) with a "
            f"function that returns a torch.nn.Module, got {shown(value)}"
        ]

    def examples(self) -> Sequence[Module | None]:
        return []  # code, which a study file has to give

    @property
    def written_examples(self) -> Sequence[str]:
        return ["Module(build, width=4)"]

    def written(self, value: Module | None) -> Any:
        return FULLY_CONNECTED if value is None else str(value)
