"""Training: one contract, several engines, chosen by shape and device."""

from __future__ import annotations

from trainability.errors import InputError
from trainability.training.base import Engine, Problem, Training
from trainability.training.optimizers import SGD, Adam, Optimizer

__all__ = ["SGD", "Adam", "Engine", "Optimizer", "Problem", "Training", "choose_engine"]

ENGINES = ("auto", "fused-cpu", "torch")


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
    # Imported here, so that declaring a study loads neither torch nor LLVM.
    from trainability.training.fused_cpu import FusedCpuEngine
    from trainability.training.torch_engine import TorchEngine

    on_cpu = device == "cpu"
    fused = FusedCpuEngine(threads)
    obstacle = fused.obstacle(sizes, problem)
    if name == "torch" or (name == "auto" and (obstacle or not on_cpu)):
        return TorchEngine(device, threads)
    if name == "auto":
        return fused
    if name != "fused-cpu":
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, got {name!r}")
    if not on_cpu:
        obstacle = f"it runs on the cpu, got device {device!r}"
    if obstacle:
        raise InputError(f"engine 'fused-cpu' can't train this: {obstacle}; try engine 'torch'")
    return fused
