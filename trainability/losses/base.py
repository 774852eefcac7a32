"""What a loss is: a frozen dataclass that gives its value and its derivative by the outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from trainability.lazy import numpy as np
from trainability.schemes.base import describe

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


class Loss(ABC):
    """How far outputs are from targets: a mean over training points.

    To add one: subclass, `@dataclass(frozen=True)`, settings as fields, `accumulate`,
    `of_constant`, and a docstring with the reference; `target_problem` where not every real
    number is a target, `scale` and `factor` where the default is not the mean over points and
    outputs, `undecided_at` where a single output of two classes is not an estimate of 0 or 1,
    `best_constant` where the best constant output has a name.
    """

    by_rows: ClassVar[bool] = False
    """Whether the outputs of a point are needed together, as for a softmax."""

    functions: ClassVar[frozenset[str]] = frozenset()
    """The names in `arithmetic.FUNCTIONS` that `accumulate` uses."""

    factor: ClassVar[float] = 1.0
    """What the total that `accumulate` adds up is multiplied with."""

    undecided_at: ClassVar[float] = 0.5
    """Where classes are targets, the single output of two classes that speaks for neither: above
    it the network says class 1, else class 0. Of several outputs the largest names the class,
    the first if there are several. By default an output estimates the class's target, 0 or 1:
    with the mean squared error its probability."""

    best_constant: ClassVar[str] = "the constant of least loss"
    """The constant output of least loss, in words: what it is of the targets, if it has a name."""

    def scale(self, n_points: int, d_out: int) -> float:
        """The factor of a point, of n_points, that `accumulate` gets; engines give it as float32.

        A point that only fills up a pass gets 0 instead.
        """
        return 1 / (n_points * d_out)

    @abstractmethod
    def accumulate(
        self,
        on: Arithmetic,
        outputs: list[Number],
        targets: list[Number],
        scale: Number,
        total: Number,
    ) -> tuple[list[Number], Number]:
        """Derivatives by the outputs at one point, and the total with the point's loss added.

        Args:
            on: What to compute with.
            outputs: All d_out outputs of the network if `by_rows`, else any one of them.
            targets: Likewise.
            scale: `scale(n_points, d_out)`, or 0; both results must be proportional to it.
            total: What was added up so far; the loss is `factor` times the total of all points.

        Returns:
            d loss / d output for each of the outputs, and the new total.
        """

    def target_problem(self, y: np.ndarray) -> str | None:
        """What is wrong with targets of shape (N, d_out), or None."""
        return None

    @abstractmethod
    def of_constant(self, y: np.ndarray) -> float:
        """The least loss, or a lower bound of it, of an output that is the same at all points.

        What no network whose neurons are all dead gets below.

        Args:
            y: Targets, shape (N, d_out).
        """

    def __str__(self) -> str:
        """The loss as one writes it: its name and the settings that are not the default."""
        return describe(self)
