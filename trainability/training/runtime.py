"""Where and with what networks are trained: what must not change a row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Runtime:
    """What must not change the rows: where and with what they are computed.

    Args:
        engine: `auto`, or the name of an engine.
        device: A torch device.
        threads: Threads to use.
    """

    engine: str = "auto"
    device: str = "cpu"
    threads: int = 1
