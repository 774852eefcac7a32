"""How wide must a ReLU network be, and how initialized, for training to succeed?

A study is declared with `Study`, run with the command `trainability run`, and read with its report.
"""

from trainability.study import Study
from trainability.training.optimizers import SGD, Adam

__all__ = ["SGD", "Adam", "Study"]
