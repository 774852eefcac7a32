"""What LLVM vectors have no instruction for, against NumPy and SciPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from trainability.arithmetic import FUNCTIONS
from trainability.training.cpu.compiled import load
from trainability.training.ops.simd import INT, POINTER, Code
from trainability.training.ops.vectors import VectorArithmetic

REFERENCE = {
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "erf": special.erf,
    "sqrt": np.sqrt,
    "absolute": np.abs,
}


def apply(name: str, values: np.ndarray, lanes: int = 16) -> np.ndarray:
    """The function of vectors at every value, float32."""
    arguments = {"input": POINTER, "output": POINTER, "n": INT}
    code = Code(lanes)
    with code.function("apply", arguments) as given, code.loop(given["n"]) as k:
        function = getattr(VectorArithmetic(code), name)
        code.store(function(code.load(given["input"], k)), given["output"], k)
    kernel = load(str(code), {"apply": arguments}, unroll=False)["apply"]
    padded = np.resize(values.astype(np.float32), -(-len(values) // lanes) * lanes)
    output = np.zeros_like(padded)
    kernel(input=padded, output=output, n=len(padded) // lanes)
    return output[: len(values)]


def binades(low: float, high: float) -> np.ndarray:
    """Some thousand numbers in every power of two."""
    exponents = np.arange(np.floor(np.log2(low)), np.ceil(np.log2(high)))
    rng = np.random.default_rng(0)
    values = (2.0 ** (exponents[:, None] + rng.random((len(exponents), 2000)))).ravel()
    return np.unique(values[(values >= low) & (values <= high)].astype(np.float32))


def ulps(values: np.ndarray, exact: np.ndarray) -> float:
    """Largest error in units in the last place of the exact result."""
    return float(np.max(np.abs(values - exact) / np.spacing(np.abs(exact).astype(np.float32))))


@pytest.mark.parametrize(
    ("name", "values", "most"),
    [
        ("exp", np.concatenate([binades(1e-8, 88.7), -binades(1e-8, 86.5)]), 2),
        ("log", binades(2e-38, 3e38), 2),
        ("log1p", binades(1e-30, 3.4e38), 2),
        ("sqrt", binades(2e-38, 3e38), 0.51),
    ],
)
def test_a_function_is_right_to_some_units_in_the_last_place(name, values, most) -> None:
    assert ulps(apply(name, values), REFERENCE[name](values.astype(np.float64))) <= most


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_an_odd_function_is_right_to_a_millionth(name) -> None:
    """Near 0 relatively so, and exactly odd."""
    values = np.concatenate([[0], binades(1e-8, 100)])
    odd, exact = apply(name, values), REFERENCE[name](values.astype(np.float64))
    assert np.abs(odd - exact).max() < 1e-6
    small = (values > 0) & (values < 0.1)
    assert (np.abs(odd - exact)[small] < 1e-6 * exact[small]).all()
    np.testing.assert_array_equal(apply(name, -values), -odd)
    assert np.abs(odd).max() <= 1 + 1e-6


def test_functions_at_the_ends_of_their_range() -> None:
    inf, nan = np.inf, np.nan
    cases = {
        "exp": ([-inf, -200, 0, 89, inf, nan], [0, 0, 1, inf, inf, nan]),
        "log": ([0, -1, -inf, 1, inf, nan], [-inf, nan, nan, 0, inf, nan]),
        "log1p": ([0, inf, nan], [0, inf, nan]),
        "tanh": ([-inf, 0, inf, nan], [-1, 0, 1, nan]),
        "erf": ([-inf, 0, inf, nan], [-1, 0, 1, nan]),
        "without_denormals": ([1e-40, -1e-39, 1e-37, nan, inf], [0, 0, 1e-37, nan, inf]),
        "absolute": ([-1, -inf, nan], [1, inf, nan]),
    }
    assert set(FUNCTIONS) <= set(cases)
    for name, (values, wanted) in cases.items():
        computed = apply(name, np.array(values, dtype=np.float32))
        np.testing.assert_allclose(
            computed, np.array(wanted, dtype=np.float32), rtol=1e-6, err_msg=name
        )


def test_the_power_of_a_number_that_is_not_positive_has_the_same_bits() -> None:
    ends = np.array([0.0, -0.0, -np.inf, np.nan, -86.6, -86.7, -1e30], dtype=np.float32)
    values = np.concatenate([ends, -binades(1e-30, 200)])
    powers, others = apply("exp", values), apply("exp_of_nonpositive", values)
    np.testing.assert_array_equal(powers.view(np.uint32), others.view(np.uint32))


@pytest.mark.parametrize("name", [*FUNCTIONS, "without_denormals"])
def test_the_width_of_the_vectors_changes_no_bit(name) -> None:
    values = binades(1e-6, 50)
    np.testing.assert_array_equal(apply(name, values, lanes=8), apply(name, values, lanes=16))
