"""Handwritten digits, as images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from trainability.checks import int_problem, settle_fields
from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.tasks.tensors import TensorTask

_ALL = 1797


@dataclass(frozen=True)
class Digits(TensorTask):
    """Which digit a picture of 1 x 8 x 8 pixels shows: ten classes, for `CrossEntropy`.

    A module gets pictures of shape (N, 1, 8, 8); fully connected networks get 64 numbers. Pixels
    have mean 0 and standard deviation 1 over all training pictures.

    Args:
        n_pictures: How many of the 1,797 pictures are used, from the first on, >= 10.
        n_validation: How many of them are held back, chosen at random, >= 0.
        seed: Of that choice.

    Source: Alpaydin & Kaynak (1998), Optical recognition of handwritten digits, UCI; the test set
    that scikit-learn bundles.
    """

    n_pictures: int = _ALL
    n_validation: int = 0
    seed: int = 0

    classes: ClassVar[bool] = True
    one_hot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        problems = int_problem("Digits n_pictures", self.n_pictures, 10, _ALL)
        refuse(problems + self.setting_problems())
        settle_fields(self)

    def examples(self) -> tuple[Mapping[str, np.ndarray], np.ndarray]:
        # Imported late: scikit-learn is slow to import and few studies need it.
        from sklearn.datasets import load_digits

        pictures, digits = (np.asarray(part) for part in load_digits(return_X_y=True))
        shaped = pictures[: self.n_pictures].reshape(-1, 1, 8, 8)
        return {"pictures": shaped}, digits[: self.n_pictures]

    def standardized(self) -> Sequence[str]:
        return ("pictures",)
