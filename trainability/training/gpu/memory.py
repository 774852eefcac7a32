"""Where a warp keeps what in shared memory."""

from __future__ import annotations

from dataclasses import dataclass

WARP = 32
_QUAD = 4


@dataclass(frozen=True)
class Memory:
    """Shared memory of a warp, counted in floats.

    The parameters of its networks come first, then what lanes store for themselves.

    Args:
        lanes: Lanes per network, a power of two <= 32.
        n_parameters: Parameters of a network with what fills them up to whole chunks of `lanes`.
        n_own: Numbers that a lane stores for itself.
    """

    lanes: int
    n_parameters: int
    n_own: int

    @property
    def stride(self) -> int:
        """From one network's parameters to the next's: an odd number of quads, so that all
        networks of a warp can read one of theirs at a time.
        """
        quads = -(-self.n_parameters // _QUAD)
        return _QUAD * (quads + (quads + 1) % 2)

    @property
    def own(self) -> int:
        """Where lanes store for themselves."""
        return WARP // self.lanes * self.stride

    @property
    def size(self) -> int:
        """Floats of a warp, a multiple of four."""
        return self.own + WARP * self.n_own

    @property
    def places(self) -> int:
        """Vectors that the same takes on a CPU, where a parameter is kept once per lane."""
        return self.stride + self.n_own
