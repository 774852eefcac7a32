"""The benchmark: the same count of operations for everyone, and the contract of its JSON."""

import itertools
import json
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from trainability.benchmark import MODULES, PEERS, Workload, benchmark, measure, small_cnn
from trainability.benchmark.peers import nn_loop, obstacle, torch_vmap

SMALL = Workload(2, 2, n_train=8, batch=8)


def test_operations_are_six_per_weight_and_point():
    # 2 x 5 + 3 x 5 x 5 + 5 x 1 = 90 weights at depth 5 and width 5.
    assert Workload(5, 5, d_in=2, n_train=100, batch=10).operations == 6 * 90 * 10


def test_operations_of_a_convolution_are_those_of_its_weights_at_every_place():
    # 64 places of 9 x 1 x 4 weights, 16 of 9 x 4 x 4, a layer of 16 x 10, and a bias each.
    plain, normed = MODULES
    products = 64 * 9 * 4 + 16 * 9 * 4 * 4 + 16 * 10 + 4 + 4 + 10
    assert plain.operations == 6 * 50 * products
    assert normed.operations == 6 * 50 * (products + 4 * 4)


def test_copies_of_a_module_stand_beside_a_vmap_that_is_written_by_hand(monkeypatch):
    monkeypatch.setattr(measure, "N_COPIES", 4)
    work = Workload(2, 3, n_train=20, optimizer="sgd", batch=10, network=MODULES[1].network)
    done = benchmark([work], list(PEERS), seconds=1e-3)
    assert {result.engine for result in done.results} == {"nn-loop", "torch-vmap", "module"}
    assert {result.network for result in done.results} == {MODULES[1].network}
    assert all(reason.endswith("are not among it") for reason in done.left_out)
    assert len(done.left_out) == len(PEERS) - 2


def test_the_vmap_by_hand_trains_copies_as_a_study_does():
    """From the same weights, on all points, it comes to the same weights."""
    work = Workload(2, 3, n_train=20, optimizer="sgd", batch=20, network=MODULES[0].network)
    training = small_cnn.training_of(work, 3)
    born = training.ensemble()
    steps = small_cnn.stacked_steps(
        work, dict(zip(born.layout.trained, born.trained, strict=True)), {}
    )
    training.advance(4)
    after = training.ensemble()
    assert not any(map(torch.equal, born.trained, after.trained))
    for (name, theirs), ours in zip(steps(4).items(), after.trained, strict=True):
        torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-6, msg=name)


def test_results_are_those_of_the_contract():
    measured = benchmark([SMALL], [], seconds=0.01).as_dict()
    assert set(measured) == {
        "peak_gflops_per_core", "cores", "results", "left_out", "gpu", "gpu_peak_gflops",
        "gpu_fma_gflops", "complete",
    }  # fmt: skip
    assert {result["engine"] for result in measured["results"]} == {"fused-cpu", "torch"}
    for result in measured["results"]:
        assert set(result) == {
            "engine", "width", "depth", "d_in", "n_train", "optimizer", "batch", "cores",
            "network_steps_per_second", "gflops", "fraction_of_peak", "compile_s", "network",
        }  # fmt: skip
        assert result["gflops"] == pytest.approx(
            result["network_steps_per_second"] * SMALL.operations / 1e9
        )
        assert result["fraction_of_peak"] == pytest.approx(
            result["gflops"] / measured["peak_gflops_per_core"] / result["cores"]
        )


def test_a_benchmark_that_is_cut_short_keeps_what_it_has():
    shown = []

    def show(result):
        shown.append(result)
        if len(shown) == 2:
            raise KeyboardInterrupt

    loaded = benchmark([SMALL, Workload(3, 2, n_train=8, batch=8)], [], seconds=0.01, show=show)
    assert loaded.results == shown and not loaded.complete
    assert loaded.left_out == ["what was to come: interrupted"]


def test_a_shape_that_fails_does_not_end_the_others(monkeypatch):
    def engine_steps(name, work, *rest):
        if work.width == 2:
            raise RuntimeError("out of memory\nand more")
        return lambda k: None

    monkeypatch.setattr(measure, "_engine_steps", engine_steps)
    monkeypatch.setattr(measure, "_rate", lambda *_: 1.0)
    measured = benchmark([SMALL, Workload(3, 2, n_train=8, batch=8)], [], 0.01, engines=["torch"])
    assert {result.width for result in measured.results} == {3}
    assert [reason.split(": ")[-1] for reason in measured.left_out] == ["out of memory"]


def test_peers_of_a_gpu_are_those_that_can_use_it(monkeypatch):
    assert obstacle("nn-loop", SMALL, "cuda") == "measured on the CPU only"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert obstacle("jax", SMALL, "cuda") == "not installed"


def test_the_peak_of_a_gpu_counts_two_operations_per_multiply_add(monkeypatch):
    """Here the CPU stands in for the GPU, and every look at the clock is a second later."""
    clock = itertools.count()
    monkeypatch.setattr(measure.time, "perf_counter", lambda: float(next(clock)))
    assert measure.gpu_peak_gflops(64, repeats=2, device="cpu") == 2 * 64**3 / 1e9


def test_the_loop_and_vmap_do_the_work_that_they_say(monkeypatch):
    """Each peer calls its optimizer once a step."""
    calls = []
    step = torch.optim.Adam.step
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: calls.append(step(self)))
    for peer in (nn_loop, torch_vmap):
        peer(SMALL, 4)(3)
    assert len(calls) == 6


def test_peers_that_can_not_take_part_say_why():
    assert obstacle("nn-loop", Workload(2, 2, batch=16)) == "full batch only"
    assert set(PEERS) == {"nn-loop", "torch-vmap", "torch-compile", "jax"}


def test_nobody_retires_during_a_measurement():
    x, y = SMALL.data()
    assert x.shape == (8, 1) and np.var(y) > 0.1
    ensemble, problem = SMALL.start(300)
    assert ensemble.n_networks == 300 == len(problem.order_keys) and problem.tolerance == 0


def test_time_that_is_up_leaves_out_the_rest_by_name():
    measured = benchmark([SMALL], ["torch-vmap"], seconds=0.01, limit_s=0)
    assert not measured.results and measured.complete
    assert {reason.split(",")[0] for reason in measured.left_out} == {
        "fused-cpu", "torch", "torch-vmap",
    }  # fmt: skip
    assert all(reason.endswith("no time for it in 0 s") for reason in measured.left_out)


def test_a_measurement_that_lasts_ends_with_the_time_that_is_left(monkeypatch):
    clock, lasts = [0.0], threading.Event()

    def measured(*_):
        clock[0] = 3.0
        lasts.wait(60)

    monkeypatch.setattr(measure.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(measure, "_measured", measured)
    result = benchmark([SMALL], [], 0.01, engines=["torch"], limit_s=2.0)
    lasts.set()
    assert result.complete and not result.results
    assert any(reason.endswith("not done within 2 s in all") for reason in result.left_out)


def test_auto_measures_the_engine_that_a_study_would_choose():
    loaded = benchmark([SMALL, Workload(700, 2, n_train=8, batch=8)], [], 0.001, engines=["auto"])
    assert list(dict.fromkeys(result.engine for result in loaded.results)) == ["fused-cpu"]


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals can't be blocked here")
def test_a_command_that_is_interrupted_gives_what_it_has(tmp_path):
    """In its JSON and its picture, however long what it is measuring takes."""
    command = [sys.executable, "-m", "trainability", "bench", "--json", "--figure", "rates.png"]
    with subprocess.Popen(
        command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None and process.stdout is not None
        for line in process.stderr:
            if "nn-loop" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
        measured = json.loads(process.stdout.read())
    assert process.returncode == 130, rest
    assert not measured["complete"] and measured["results"][0]["engine"] == "nn-loop"
    assert measured["left_out"][-1] == "what was to come: interrupted"
    assert (tmp_path / "rates.png").stat().st_size > 0
