"""Compiled code is kept on disk, and the disk is not trusted."""

from __future__ import annotations

import multiprocessing
import platform
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from trainability.benchmark.workload import Workload
from trainability.training.cpu import compiled
from trainability.training.cpu.fused_cpu_engine import plan_for
from trainability.training.cpu.kernel import source
from trainability.training.ops.simd import POINTER, Code

ARGUMENTS = {"data": POINTER}


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def twice() -> list[float]:
    """Compile or load a kernel that doubles a vector, and double 0..15."""
    code = Code(16)
    with code.function("double", ARGUMENTS) as given:
        code.store(code.load(given["data"], 0) * 2.0, given["data"], 0)
    data = np.arange(16, dtype=np.float32)
    compiled.load(str(code), {"double": ARGUMENTS}, unroll=False)["double"](data=data)
    return data.tolist()


DOUBLED = [2.0 * number for number in range(16)]


def test_a_second_start_compiles_nothing(cache, monkeypatch) -> None:
    assert twice() == DOUBLED
    assert [file.suffix for file in cache.iterdir()] == [".o"]
    monkeypatch.setattr(compiled, "_compile", lambda *_: pytest.fail("compiled again"))
    assert twice() == DOUBLED


@pytest.mark.parametrize("keep", [0, 20, 200, -1])
def test_a_file_cut_short_is_compiled_again(cache, keep) -> None:
    twice()
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:keep])
    assert twice() == DOUBLED
    assert file.read_bytes() == whole


def test_a_flipped_bit_is_compiled_again(cache) -> None:
    twice()
    (file,) = cache.iterdir()
    damaged = bytearray(file.read_bytes())
    damaged[100] ^= 1
    file.write_bytes(damaged)
    assert twice() == DOUBLED


def test_a_folder_that_cannot_be_made_costs_time_only(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path / "file" / "cache"))
    assert twice() == DOUBLED


def test_many_processes_may_start_at_once(cache) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = [pool.apply_async(twice) for _ in range(2)]
        assert all(result.get(timeout=60) == DOUBLED for result in results)
    assert [file.suffix for file in cache.iterdir()] == [".o"]


def relocations(elf: bytes) -> set[int]:
    """The kinds of a 64-bit little-endian object file's relocations."""
    (table,) = struct.unpack_from("<Q", elf, 40)
    size, n = struct.unpack_from("<HH", elf, 58)
    kinds = set()
    for section in range(table, table + n * size, size):
        _, kind, _, _, offset, length = struct.unpack_from("<IIQQQQ", elf, section)
        if kind == 4:  # SHT_RELA
            entries = range(offset, offset + length, 24)
            kinds |= {struct.unpack_from("<I", elf, entry + 8)[0] for entry in entries}
    return kinds


def test_code_and_constants_may_lie_gigabytes_apart(cache) -> None:
    """They did in workers of Ray: LLVM aborted the process, and Ray knew only of a loss."""
    work = Workload(width=4, depth=3)
    plan = plan_for(work.sizes, work.start(8)[1])
    kinds = relocations(compiled._compile(source(plan), plan.unroll))
    words = {"x86_64": {1}, "aarch64": {257, 263, 264, 265, 266, 267, 268, 269}}
    assert kinds and kinds <= words[platform.machine()]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the assembly of x86")
def test_vectors_put_aside_lie_within_cache_lines() -> None:
    """Wherever the stack of a caller begins: across two lines they take twice as long."""
    work = Workload(8, 2)
    plan = plan_for(work.sizes, work.start(16)[1])
    module = compiled.optimized(source(plan), plan.unroll)
    assembly = compiled._target_machine().emit_assembly(module)
    assert re.search(r"andq\s+\$-(32|64), %rsp", assembly)
    assert re.search(r"vmovaps\s+%[yz]mm\d+, \d*\(%rsp\)", assembly)
    assert not re.search(r"vmovups\s+%[yz]mm\d+, \d*\(%r[sb]p\)", assembly)
