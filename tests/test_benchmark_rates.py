"""What a study would take: by the rates that were measured on this machine."""

from __future__ import annotations

import dataclasses

import pytest

from trainability import Adam, Study
from trainability.benchmark import Benchmark, Result, expected_seconds, keep, rates
from trainability.cores import available_cores
from trainability.schemes import He
from trainability.tasks import AbsoluteValue

CORES = available_cores()


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path))


def study(**changes) -> Study:
    given = {
        "name": "expected",
        "question": "How long?",
        "task": AbsoluteValue(n_train=128),
        "axes": {"scheme": [He()], "width": [8]},
        "optimizer": Adam(learning_rate=0.01),
        "max_steps": 1000,
        "tolerance": 1e-3,
        "replicates": 512,
    }
    return Study(**given | changes)


def result(gflops: float, **changes) -> Result:
    given = {
        "engine": "fused-cpu",
        "width": 8,
        "depth": 2,
        "d_in": 1,
        "n_train": 128,
        "optimizer": "adam",
        "batch": 128,
        "cores": CORES,
        "network_steps_per_second": 1.0,
        "gflops": gflops,
        "fraction_of_peak": 0.5,
        "compile_s": 1.0,
    }
    return Result(**given | changes)


def keep_all(*results: Result, **changes) -> None:
    keep(dataclasses.replace(Benchmark(100.0, CORES, list(results), []), **changes))


def seconds_of(one, device="cpu"):
    """Of all networks of a study."""
    cells = {cell.id: cell for cell in one.cells()}
    return expected_seconds(cells, dict.fromkeys(cells, one.replicates), device)


def test_nothing_is_expected_before_anything_was_measured():
    assert seconds_of(study()) is None
    keep_all(result(1.0, engine="jax"))
    assert seconds_of(study()) is None


def test_operations_of_all_networks_at_the_rate_of_the_fastest_engine():
    keep_all(result(1.0, engine="torch"), result(4.0), result(900.0, engine="jax"))
    # 16 weights, 6 operations per weight and point.
    operations = 6 * 16 * 128 * 1000
    assert seconds_of(study()) == pytest.approx(512 * operations / 4e9)
    [cell] = study().cells()
    assert expected_seconds({cell.id: cell}, {cell.id: 3}) == pytest.approx(3 * operations / 4e9)
    assert expected_seconds({}, {}) == 0


def test_the_nearest_work_counts():
    keep_all(
        result(4.0),
        result(8.0, width=128),
        result(1.0, batch=16),
        result(5.0, n_train=32, batch=32),  # of as many points, but no minibatches
        result(2.0, depth=10),
    )
    seconds = {
        name: seconds_of(study(**changes))
        for name, changes in {
            "narrow": {},
            "wide": {"axes": {"width": [100]}, "scheme": He()},
            "minibatches": {"batch_size": 32},
            "deep": {"depth": 8},
        }.items()
    }
    wide, deep = 200, 8 + 6 * 64 + 8
    assert seconds["wide"] / seconds["narrow"] == pytest.approx(wide / 16 * 4 / 8)
    assert seconds["minibatches"] / seconds["narrow"] == pytest.approx(32 / 128 * 4)
    assert seconds["deep"] / seconds["narrow"] == pytest.approx(deep / 16 * 4 / 2)


def test_measuring_again_replaces_and_adds():
    keep_all(result(4.0))
    keep_all(result(2.0), result(3.0, width=32))
    assert seconds_of(study()) == pytest.approx(512 * 6 * 16 * 128 * 1000 / 2e9)


def test_machines_and_devices_are_kept_apart(monkeypatch):
    keep_all(result(4.0))
    keep_all(result(400.0, cores=0), gpu="some GPU")
    cpu, gpu = (seconds_of(study(), device) for device in ("cpu", "cuda:1"))
    assert cpu == pytest.approx(100 * gpu)
    monkeypatch.setattr(rates.platform, "node", lambda: "another")
    assert seconds_of(study()) is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"version": 99, "machines": {}}', "7"])
def test_a_damaged_file_holds_nothing_and_is_replaced(content, tmp_path):
    (tmp_path / "benchmark.json").write_text(content)
    assert seconds_of(study()) is None
    keep_all(result(4.0))
    assert seconds_of(study()) is not None
