"""Training: one contract, several engines, chosen by shape and device."""

from __future__ import annotations

from itertools import pairwise

from trainability.errors import InputError
from trainability.training.contract import Engine, Problem, Training

__all__ = ["Engine", "Problem", "Training", "choose_engine"]

ENGINES = ("auto", "fused-cpu", "warp-gpu", "graph-gpu", "torch")

# Above, a group's weights and gradients, 128 bytes per parameter, outgrow the caches, and
# matrix products win: measured on two cores with 32 MiB of shared cache, at 1-256-256-1 the
# two are equal, at 1-512-512-1 torch is twice as fast, at 1-128-128-128-1 the fused engine.
LARGEST_FUSED = 2**16


def choose_engine(
    name: str, sizes: tuple[int, ...], problem: Problem, device: str = "cpu", threads: int = 1
) -> Engine:
    """The engine of that name.

    Args:
        name: One of `ENGINES`; "auto" takes the fastest that can train this on the device.
        sizes: d_in, the hidden widths, d_out.
        problem: What is trained on.
        device: A torch device.
        threads: CPU threads that the engine may use.

    Raises:
        InputError: If there is no such engine, or if it can't train this here.
    """
    # Imported here, so that declaring a study loads neither torch nor LLVM.
    from trainability.training.cpu.engine import FusedCpuEngine
    from trainability.training.gpu.engine import WarpEngine
    from trainability.training.graph_gpu import GraphEngine
    from trainability.training.torch_engine import TorchEngine

    if name not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, got {name!r}")
    engines = {
        "fused-cpu": FusedCpuEngine(threads),
        "warp-gpu": WarpEngine(device),
        "graph-gpu": GraphEngine(device),
        "torch": TorchEngine(device, threads),
    }
    obstacles = {name: engine.obstacle(sizes, problem) for name, engine in engines.items()}
    if device != "cpu":
        obstacles["fused-cpu"] = f"it runs on the cpu, got device {device!r}"
    if name != "auto":
        if obstacles[name]:
            raise InputError(
                f"engine {name!r} can't train this: {obstacles[name]}; try engine 'torch'"
            )
        return engines[name]
    if device != "cpu":
        fast = ["warp-gpu", "graph-gpu"]
    else:
        n_parameters = sum(into * out + out for into, out in pairwise(sizes))
        fast = ["fused-cpu"] if n_parameters <= LARGEST_FUSED else []
    return next(engines[name] for name in [*fast, "torch"] if not obstacles[name])
