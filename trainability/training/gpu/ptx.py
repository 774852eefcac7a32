"""LLVM assembly to the assembly of NVIDIA's GPUs, on any machine."""

from __future__ import annotations

import threading

import llvmlite.binding as llvm

_TRIPLE = "nvptx64-nvidia-cuda"
# The oldest instruction set of PTX that knows the newest architecture below.
_FEATURES = "+ptx78"
_LOCK = threading.Lock()


def assembly(source: str, architecture: str) -> str:
    """PTX of a module.

    Nothing is contracted or approximated: operations are rounded as IEEE 754 says.

    Args:
        source: LLVM assembly.
        architecture: Such as "sm_90".
    """
    with _LOCK:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(_TRIPLE)
    machine = target.create_target_machine(cpu=architecture, features=_FEATURES, opt=2)
    module = llvm.parse_assembly(source)
    module.triple = _TRIPLE
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = False
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return machine.emit_assembly(module)
