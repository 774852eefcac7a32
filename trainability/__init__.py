"""How wide must a ReLU network be, and how initialized, for training to succeed?

A study is declared with `Study`, run with the command `trainability run` or the function `run`, and
read with its report or, in a notebook, with `load`. A `Tuning` searches the settings of a scheme,
see `tune`. `apply` and `inspect` bring schemes and the count of dead neurons to any
`torch.nn.Module`.
"""

from __future__ import annotations

from trainability import lazy
from trainability.version import __version__

TYPE_CHECKING = False  # as in typing, which takes long enough to be interrupted
if TYPE_CHECKING:
    from trainability.modules import apply, inspect
    from trainability.notebook import load
    from trainability.optimizers import SGD, Adam
    from trainability.running import run, tune
    from trainability.study import Module, Study
    from trainability.tuning import Tuning

__all__ = [
    "SGD",
    "Adam",
    "Module",
    "Study",
    "Tuning",
    "__version__",
    "apply",
    "inspect",
    "load",
    "run",
    "tune",
]

# Loaded on first use: the command line sets its handlers of signals before anything large is
# imported, and modules and notebooks need libraries that a study's declaration does not.
__getattr__ = lazy.attributes(
    __name__,
    modules="apply inspect",
    notebook="load",
    optimizers="Adam SGD",
    running="run tune",
    study="Module Study",
    tuning="Tuning",
)
