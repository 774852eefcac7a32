"""Training: one contract, several engines, chosen by shape and device."""

from __future__ import annotations

from trainability import lazy
from trainability.errors import InputError
from trainability.training.catalog import engine_modules, engine_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.training.contract import Engine, Problem, Training

__all__ = ["ENGINES", "Engine", "Problem", "Training", "choose_engine", "engine_type"]

ENGINES = ("auto", *engine_modules())
"""What an engine may be called by; declaring a study loads neither torch nor LLVM for it."""

# Options of a launch name engines, and need nothing of what they do.
__getattr__ = lazy.attributes(__name__, contract="Engine Problem Training")


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
    if name not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, got {name!r}")
    if name != "auto":
        kind = engine_type(name)
        obstacle = _wrong_device(kind, device)
        engine = kind(device, threads)
        obstacle = obstacle or engine.obstacle(sizes, problem)
        if obstacle:
            raise InputError(f"engine {name!r} can't train this: {obstacle}; try engine 'torch'")
        return engine
    kinds = [kind for kind in map(engine_type, ENGINES[1:]) if kind.runs_on(device)]
    engines = sorted(
        (kind(device, threads) for kind in kinds),
        key=lambda engine: engine.rank(sizes),
        reverse=True,
    )
    return next(engine for engine in engines if not engine.obstacle(sizes, problem))


def _wrong_device(kind: type[Engine], device: str) -> str | None:
    if kind.runs_on(device):
        return None
    return f"it runs on {'a GPU' if kind.on_gpu else 'the cpu'}, got device {device!r}"
