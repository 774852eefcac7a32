"""Starting the kernel of a plan, on a GPU or on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import llvmlite
import numpy as np
import torch
from torch import Tensor

from trainability.cache import cached
from trainability.training.cpu.compiled import Function, load
from trainability.training.gpu import block_kernel
from trainability.training.gpu import kernel as warp_kernel
from trainability.training.gpu.block_plan import BlockPlan
from trainability.training.gpu.driver import Kernel, assembled, version
from trainability.training.gpu.kernel import TRAIN
from trainability.training.gpu.plan import WarpPlan
from trainability.training.gpu.ptx import assembly
from trainability.training.gpu.warp import CPU_ARGUMENTS, WARP


def text_of(plan: WarpPlan | BlockPlan, threads: bool) -> str:
    """The kernel of a plan as LLVM assembly, for threads of a GPU or for vectors of a CPU."""
    if isinstance(plan, BlockPlan):
        return block_kernel.source(plan, threads)
    return warp_kernel.source(plan, threads)


Launch = Callable[[int, Mapping[str, Tensor], Mapping[str, int | float]], None]


def on_gpu(plan: WarpPlan | BlockPlan, device: torch.device) -> Launch:
    """Trains as many networks as it is given, on a GPU; the result is there when torch looks."""
    with torch.cuda.device(device):
        torch.cuda.current_stream().synchronize()  # Makes the context.
        number = torch.cuda.current_device()
        kernel = gpu_kernel(text_of(plan, threads=True), plan.shared_bytes, number)

    def launch(
        n_rows: int, tensors: Mapping[str, Tensor], numbers: Mapping[str, int | float]
    ) -> None:
        given = {name: tensor.data_ptr() for name, tensor in tensors.items()} | dict(numbers)
        with torch.cuda.device(device):
            stream = torch.cuda.current_stream().cuda_stream
            kernel.start(-(-n_rows // plan.block_networks), plan.threads, stream, given)

    return launch


@cache
def gpu_kernel(text: str, shared_bytes: int, device: int) -> Kernel:
    """The function `train` of a module on the GPU of that number, whose context is current."""
    return Kernel(machine_code(text, device), "train", TRAIN, shared_bytes)


def machine_code(text: str, device: int) -> bytes:
    """A module for the GPU of that number, kept on disk by what it is made from."""
    major, minor = torch.cuda.get_device_capability(device)
    architecture = f"sm_{major}{minor}"
    key = [text, architecture, llvmlite.__version__, version()]
    return cached(key, lambda: assembled(assembly(text, architecture)))


def on_cpu(plan: WarpPlan | BlockPlan, device: torch.device) -> Launch:
    """The same on the CPU, warp after warp: for tests."""
    function = cpu_kernel(text_of(plan, threads=False))
    scratch = np.zeros(plan.scratch + WARP, dtype=np.float32)
    offset = -(scratch.ctypes.data // 4) % WARP
    scratch = scratch[offset:]

    def launch(
        n_rows: int, tensors: Mapping[str, Tensor], numbers: Mapping[str, int | float]
    ) -> None:
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        bound = function.bind(scratch=scratch, **arrays, **numbers)
        for first in range(0, n_rows, plan.networks):
            scratch[:] = 0
            bound(first_slot=first)

    return launch


@cache
def cpu_kernel(text: str) -> Function:
    # To optimize it takes longer than a test trains.
    return load(text, {"train": TRAIN | CPU_ARGUMENTS}, unroll=False, optimize=False)["train"]
