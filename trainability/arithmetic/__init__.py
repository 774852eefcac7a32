"""The arithmetic in which the rules of the model are written, and two of its interpreters.

Rules (activations, losses, penalties, optimizers) are written once over `Arithmetic`. NumPy and
torch interpret them here; LLVM vectors and GPU code where their engines are, in `training`.
"""

from trainability.arithmetic.arrays import ARRAYS
from trainability.arithmetic.protocol import FUNCTIONS, Arithmetic, Number

__all__ = ["ARRAYS", "FUNCTIONS", "Arithmetic", "Number"]
