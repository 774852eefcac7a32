"""The peak is a number that a CPU can have; how large it is here is not tested."""

from __future__ import annotations

from trainability.training.cpu.peak import peak_gflops


def test_a_peak_is_found() -> None:
    assert 0 < peak_gflops(threads=2, seconds=0.02) < 1e5
