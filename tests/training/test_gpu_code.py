"""What GPUs are given, for all shapes of the benchmark: compiled here, without a GPU."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from trainability.benchmark import GPU_SHAPES
from trainability.training.gpu.choice import SHARED_BYTES, plan_for
from trainability.training.gpu.launch import text_of
from trainability.training.gpu.orders import source as orders_source
from trainability.training.gpu.ptx import assembly

# Width, depth, d_in, points, batch: registers, bytes of spills, lines of PTX, as ptxas 13.0
# reports for compute capability 9.0.
COMPILED = {
    (2, 2, 1, 128, 128): (64, 0, 376),
    (8, 2, 1, 128, 128): (80, 0, 640),
    (20, 2, 1, 128, 128): (128, 0, 1278),
    (32, 2, 1, 128, 128): (168, 16, 1947),
    (128, 2, 1, 128, 128): (128, 0, 1923),
    (8, 2, 2, 128, 128): (96, 0, 787),
    (8, 2, 1, 1000, 1000): (119, 0, 729),
    (8, 2, 1, 128, 16): (78, 0, 669),
    (2, 10, 1, 128, 128): (128, 0, 1337),
    (5, 10, 1, 128, 128): (197, 0, 5550),
    (10, 10, 1, 128, 128): (190, 0, 2744),
    (64, 4, 1, 128, 128): (247, 0, 2850),
}
# Assemblers differ: a tenth more registers, and what a GPU's driver was seen to spill.
_MORE_REGISTERS, _MORE_SPILLS, _MORE_LINES = 1.1, 128, 1.05


def ptxas() -> str | None:
    """NVIDIA's assembler, where it is installed, or that which Triton carries."""
    assembler = shutil.which("ptxas")
    triton = importlib.util.find_spec("triton")
    if assembler is None and triton is not None and triton.origin is not None:
        own = Path(triton.origin).parent / "backends/nvidia/bin/ptxas"
        assembler = str(own) if own.exists() else None
    return assembler


_KERNELS = [work for work in GPU_SHAPES if not work.network]
"""Copies of a module are trained by torch."""


@pytest.fixture(params=_KERNELS, ids=lambda work: f"{work.width}x{work.depth}-{work.d_in}D"
                f"-{work.n_train}-{work.batch}")  # fmt: skip
def work(request):
    return request.param


def ptx_of(work, architecture: str) -> str:
    plan = plan_for(work.sizes, work.start(1)[1])
    assert plan is not None and plan.shared_bytes <= SHARED_BYTES
    return assembly(text_of(plan, threads=True), architecture)


def test_nothing_is_contracted_or_approximated(work) -> None:
    """Every operation says how it rounds, so that the assembler leaves it as it is."""
    text = ptx_of(work, "sm_90")
    floats = set(re.findall(r"\b(?:add|sub|mul|fma|div|sqrt|mad|rcp|ex2)\.\S*f32", text))
    assert floats <= {
        "add.rn.f32", "sub.rn.f32", "mul.rn.f32", "fma.rn.f32", "div.rn.f32", "sqrt.rn.f32",
    }  # fmt: skip
    assert {"fma.rn.f32", "div.rn.f32", "sqrt.rn.f32"} <= floats
    assert not re.search(r"\b(?:ld|st)\.local", text)


@pytest.mark.skipif(ptxas() is None, reason="no ptxas here; pip install triton")
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
def test_all_shapes_assemble_within_bounds(work, architecture, tmp_path) -> None:
    text = ptx_of(work, architecture)
    shape = (work.width, work.depth, work.d_in, work.n_train, work.batch)
    registers, spills, lines = COMPILED[shape]
    assert text.count("\n") <= _MORE_LINES * lines
    report = assembled(text, architecture, tmp_path)
    used = int(re.search(r"Used (\d+) registers", report)[1])
    stores, loads = (int(n) for n in re.search(r"(\d+) bytes spill stores, (\d+)", report).groups())
    if architecture == "sm_90":
        assert used <= _MORE_REGISTERS * registers
        assert max(stores, loads) <= spills + _MORE_SPILLS


@pytest.mark.skipif(ptxas() is None, reason="no ptxas here; pip install triton")
@pytest.mark.parametrize("shared", [True, False])
def test_the_orders_of_minibatches_assemble(shared, tmp_path) -> None:
    assert "0 bytes spill" in assembled(assembly(orders_source(shared), "sm_80"), "sm_80", tmp_path)


def assembled(text: str, architecture: str, folder: Path) -> str:
    """What the assembler reports."""
    (folder / "kernel.ptx").write_text(text)
    command = [str(ptxas()), "-v", "-arch", architecture, "kernel.ptx", "-o", "kernel.cubin"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr
