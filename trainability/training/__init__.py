"""Training: one contract, several engines, chosen by shape and device."""

from __future__ import annotations

from trainability.errors import InputError
from trainability.training.base import Engine, Problem, Training
from trainability.training.optimizers import SGD, Adam, Optimizer

__all__ = ["SGD", "Adam", "Engine", "Optimizer", "Problem", "Training", "choose_engine"]

ENGINES = ("auto", "torch")


def choose_engine(
    name: str, sizes: tuple[int, ...], problem: Problem, device: str = "cpu", threads: int = 1
) -> Engine:
    """The engine of that name.

    Args:
        name: One of `ENGINES`; "auto" takes the fastest that can train this here.
        sizes: d_in, the hidden widths, d_out.
        problem: What is trained on.
        device: A torch device.
        threads: CPU threads that the engine may use.

    Raises:
        InputError: If there is no such engine, or if it can't train this here.
    """
    from trainability.training.torch_engine import TorchEngine

    if name not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, got {name!r}")
    return TorchEngine(device, threads)
