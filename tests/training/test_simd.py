"""What a kernel says is what the CPU does, in every lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trainability.seeds import batch_order, order_keys
from trainability.training.cpu.compiled import load
from trainability.training.cpu.shuffle import Shuffle
from trainability.training.ops.gather import gathered_pairs, upper_product
from trainability.training.ops.simd import INT, POINTER, Code, Value

LANES = 16


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path))


def apply(formula, *inputs: np.ndarray) -> np.ndarray:
    """The formula of vectors, compiled and applied to arrays of LANES floats."""
    names = [f"input{index}" for index in range(len(inputs))]
    arguments = dict.fromkeys([*names, "output"], POINTER)
    code = Code(LANES)
    with code.function("apply", arguments) as given:
        code.store(formula(*(code.load(given[name], 0) for name in names)), given["output"], 0)
    output = np.zeros(LANES, dtype=np.float32)
    kernel = load(str(code), {"apply": arguments}, unroll=False)["apply"]
    kernel(**dict(zip(names, inputs, strict=True)), output=output)
    return output


def lanes(*values: float) -> np.ndarray:
    return np.resize(np.array(values, dtype=np.float32), LANES)


def test_a_fused_multiply_add_rounds_once() -> None:
    rng = np.random.default_rng(0)
    a, b, c = rng.standard_normal((3, LANES)).astype(np.float32)
    # A product of two floats is exact in float64; then one rounding to 53 bits, harmless here.
    exact = a.astype(np.float64) * b + c
    np.testing.assert_array_equal(apply(Value.fma, a, b, c), exact.astype(np.float32))


def test_sums_are_not_reordered() -> None:
    a, b = lanes(1e8), lanes(1.0)
    np.testing.assert_array_equal(apply(lambda a, b: (a + b) - a, a, b), lanes(0.0))


def test_lanes_do_not_mix() -> None:
    given = np.arange(LANES, dtype=np.float32)
    computed = apply(lambda a: (a > 7.0).choose(a * a, a / a), given)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(computed, np.where(given > 7, given * given, given / given))


def shuffled(body: Callable[..., None], n_lanes: int, **values: int) -> tuple[Any, Any]:
    """The keys of some networks, and the orders, shape (2, n_points, lanes), of a kernel's body.

    Args:
        body: Called with the shuffle, the code, and the kernel's arguments.
        n_lanes: Networks.
        values: `epoch`, `n_points`, and `n`, whatever the body takes it for.
    """
    arguments = {"keys": POINTER, "epoch": INT, "n_points": INT, "orders": POINTER, "n": INT}
    code = Code(n_lanes)
    with code.function("run", arguments) as given:
        body(Shuffle(code, given["keys"], given["n_points"], given["orders"]), code, given)
    keys = order_keys(3, "any", 1)[:n_lanes]
    orders = np.zeros((2, values["n_points"], n_lanes), dtype=np.int32)
    load(str(code), {"run": arguments}, unroll=False)["run"](keys=keys, orders=orders, **values)
    return keys, orders


@pytest.mark.parametrize("n_points", [1, 2, 3, 37, 128])
@pytest.mark.parametrize("epoch", [0, 1, 12345])
@pytest.mark.parametrize("n_lanes", [8, 16])
@pytest.mark.parametrize("n_before", [0, 1, 200])
def test_the_kernel_shuffles_as_the_streams_say(
    n_points: int, epoch: int, n_lanes: int, n_before: int
) -> None:
    """However many of the exchanges are done one by one; the order of the epoch before stays."""

    def body(shuffle, code, given):
        shuffle.begin(given["epoch"])
        shuffle.finish()
        shuffle.begin(given["epoch"] + 1)
        with code.loop(given["n"]):
            shuffle.go_on()
        shuffle.finish()

    keys, orders = shuffled(body, n_lanes, epoch=epoch, n_points=n_points, n=n_before)
    for each in (epoch, epoch + 1):
        np.testing.assert_array_equal(orders[each % 2].T, batch_order(keys, each, n_points))


@pytest.mark.parametrize(("n_points", "n_before"), [(1, 0), (2, 0), (3, 2), (37, 20), (128, 127)])
@pytest.mark.parametrize("n_lanes", [8, 16])
@pytest.mark.parametrize("together", [1, 2, 3, 4])
def test_exchanges_that_are_drawn_together_shuffle_as_the_streams_say(
    n_points: int, n_before: int, n_lanes: int, together: int
) -> None:
    """Some are done before, the others at the end, where fewer may be left than are drawn."""

    def body(shuffle, code, given):
        shuffle.begin(given["epoch"])
        with code.loop(given["n"]):
            shuffle.exchange(shuffle.draw(together))
        shuffle.finish(together)

    n = n_before // together
    keys, orders = shuffled(body, n_lanes, epoch=7, n_points=n_points, n=n)
    np.testing.assert_array_equal(orders[1].T, batch_order(keys, 7, n_points))


@pytest.mark.parametrize("factor", [1, 3, 2048, 2**32 - 1])
@pytest.mark.parametrize("n_lanes", [8, 16])
def test_the_upper_halves_of_products_are_exact(factor: int, n_lanes: int) -> None:
    arguments = {"a": POINTER, "factor": INT, "halves": POINTER}
    code = Code(n_lanes)
    with code.function("run", arguments) as given:
        a = code.load(given["a"], 0, code.vector("i32"))
        code.store(upper_product(code, a, given["factor"]), given["halves"], 0)
    a = np.random.default_rng(0).integers(0, 2**32, n_lanes, dtype=np.uint32)
    a[:2] = 0, 2**32 - 1
    halves = np.zeros(n_lanes, dtype=np.uint32)
    kernel = load(str(code), {"run": arguments}, unroll=False)["run"]
    kernel(a=a, factor=factor, halves=halves)
    np.testing.assert_array_equal(
        halves, (a.astype(np.uint64) * np.uint64(factor)) >> np.uint64(32)
    )


@pytest.mark.parametrize("n_lanes", [8, 16])
def test_pairs_that_lie_apart_come_together(n_lanes: int) -> None:
    arguments = dict.fromkeys(["table", "places", "halves"], POINTER)
    code = Code(n_lanes)
    with code.function("run", arguments) as given:
        places = code.load(given["places"], 0, code.vector("i32"))
        for half, values in enumerate(gathered_pairs(code, given["table"], places)):
            code.store(values, given["halves"], half)
    table = np.arange(100, dtype=np.float32).reshape(50, 2)
    places = np.random.default_rng(0).integers(0, 50, n_lanes, dtype=np.int32)
    halves = np.zeros((2, n_lanes), dtype=np.float32)
    kernel = load(str(code), {"run": arguments}, unroll=False)["run"]
    kernel(table=table, places=places, halves=halves)
    np.testing.assert_array_equal(halves.T, table[places])
