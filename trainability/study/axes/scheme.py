"""How networks are drawn."""

from __future__ import annotations

from collections.abc import Sequence

from trainability.schemes.base import Scheme
from trainability.study.axes.base import StrategyAxis


class SchemeAxis(StrategyAxis[Scheme]):
    """How networks are drawn: the initialization scheme."""

    name, since, place = "scheme", 0, 2
    meaning = "The initialization scheme, as one writes it."
    wanted, kind = "a scheme, such as He()", Scheme
    keys_streams = True

    def examples(self) -> Sequence[Scheme]:
        from trainability.schemes import He

        return [He(), He(bias_std=1.0)]
