"""Which engine trains what."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
import training_by_loop as loop

from trainability.errors import InputError
from trainability.optimizers import SGD
from trainability.training import ENGINES, catalog, choose_engine
from trainability.training.cpu.fused_cpu_engine import FusedCpuEngine
from trainability.training.gpu.warp_gpu_engine import WarpEngine
from trainability.training.graph_gpu_engine import GraphEngine
from trainability.training.torch_engine import TorchEngine

SIZES = (1, 3, 1)
TASK = loop.problem(SIZES, 1, SGD(0.1))


def test_a_name_is_taken_at_its_word() -> None:
    assert isinstance(choose_engine("torch", SIZES, TASK), TorchEngine)
    assert isinstance(choose_engine("fused-cpu", SIZES, TASK), FusedCpuEngine)


def test_auto_takes_the_fused_engine_on_a_cpu() -> None:
    engine = choose_engine("auto", SIZES, TASK, threads=3)
    assert isinstance(engine, FusedCpuEngine)
    assert engine.threads == 3


def test_auto_takes_torch_where_the_fused_engine_has_an_obstacle(monkeypatch) -> None:
    monkeypatch.setattr("trainability.training.cpu.fused_cpu_engine.has_fma", lambda: False)
    assert isinstance(choose_engine("auto", SIZES, TASK), TorchEngine)
    with pytest.raises(InputError, match="no fused multiply-add.*try engine 'torch'"):
        choose_engine("fused-cpu", SIZES, TASK)


def test_auto_takes_torch_for_wide_networks_and_other_devices() -> None:
    wide = (1, 512, 512, 1)
    assert isinstance(choose_engine("auto", wide, TASK), TorchEngine)
    assert isinstance(choose_engine("fused-cpu", wide, TASK), FusedCpuEngine)
    assert isinstance(choose_engine("auto", (1, 1024, 1), TASK), FusedCpuEngine)
    assert isinstance(choose_engine("auto", SIZES, TASK, device="meta"), TorchEngine)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=f"one of {', '.join(ENGINES)}, got 'fast'"):
        choose_engine("fast", SIZES, TASK)


def test_the_fused_engine_refuses_another_device() -> None:
    with pytest.raises(InputError, match="runs on the cpu, got device 'cuda'"):
        choose_engine("fused-cpu", SIZES, TASK, device="cuda")


def test_auto_takes_the_gpu_engines_by_width_where_there_is_a_gpu(monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert isinstance(choose_engine("auto", SIZES, TASK, device="cuda"), TorchEngine)
    with pytest.raises(InputError, match="'graph-gpu' can't train this: torch sees no GPU"):
        choose_engine("graph-gpu", SIZES, TASK, device="cuda")
    with pytest.raises(InputError, match="runs on a GPU, got device 'cpu'.*try engine 'torch'"):
        choose_engine("graph-gpu", SIZES, TASK)
    a_gpu(monkeypatch)
    wide = (1, 512, 512, 1)
    assert isinstance(choose_engine("auto", SIZES, TASK, device="cuda"), WarpEngine)
    assert isinstance(choose_engine("auto", (1, 64, 64, 64, 1), TASK, device="cuda"), WarpEngine)
    assert isinstance(choose_engine("auto", wide, TASK, device="cuda:1"), GraphEngine)
    with pytest.raises(InputError, match="'warp-gpu' can't train this: .* outgrow"):
        choose_engine("warp-gpu", wide, TASK, device="cuda")


def test_a_gpu_that_lacks_what_kernels_want_is_told(monkeypatch) -> None:
    a_gpu(monkeypatch, capability=(7, 5))
    with pytest.raises(InputError, match=r"wants compute capability \(8, 0\)"):
        choose_engine("warp-gpu", SIZES, TASK, device="cuda")
    a_gpu(monkeypatch, shared=1000)
    with pytest.raises(InputError, match="bytes of shared memory, the GPU has 1000"):
        choose_engine("warp-gpu", (1, 64, 64, 64, 1), TASK, device="cuda")
    monkeypatch.setattr("torch.version.cuda", None)
    with pytest.raises(InputError, match="no GPU of NVIDIA"):
        choose_engine("warp-gpu", SIZES, TASK, device="cuda")


def a_gpu(monkeypatch, capability=(9, 0), shared=232_448) -> None:
    """What torch says where there is one."""
    properties = SimpleNamespace(shared_memory_per_block_optin=shared)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.version.cuda", "13.0")
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: capability)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: properties)


def test_the_contract_loads_neither_torch_nor_llvm() -> None:
    program = (
        "import sys, trainability.training;"
        "print([name for name in ('torch', 'numba', 'llvmlite') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_an_engine_is_found_by_its_file_alone(monkeypatch, tmp_path) -> None:
    (tmp_path / "quick_engine.py").touch()
    (tmp_path / "tpu").mkdir()
    (tmp_path / "tpu" / "__init__.py").touch()
    (tmp_path / "tpu" / "large_tpu_engine.py").touch()
    (tmp_path / "engine_parts.py").touch()
    monkeypatch.setattr(catalog, "_FOLDER", tmp_path)
    assert catalog.engine_modules.__wrapped__() == {
        "large-tpu": "trainability.training.tpu.large_tpu_engine",
        "quick": "trainability.training.quick_engine",
    }


@pytest.mark.parametrize("name", ENGINES[1:])
def test_an_engine_is_called_what_its_file_is(name) -> None:
    kind = catalog.engine_type(name)
    assert kind.name == name and kind().rank(SIZES) > 0
    assert kind.runs_on("cpu") or kind.runs_on("cuda:1")
