"""What PyTorch, or whoever wrote a module, does when nobody says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainability.schemes.torch_default import TorchDefault


@dataclass(frozen=True)
class TorchOwn(TorchDefault):
    """A module stays as its own function draws it, each copy from a stream of its own.

    Fully connected networks are drawn as `TorchDefault` does, which is what `torch.nn.Linear` does.
    """

    keeps_modules: ClassVar[bool] = True
