"""What is known of the numbers in memory: what they depend on, their signs, whose they are.

Knowledge belongs to storages, not to tensors: so views, `.data`, `detach` and writes in place need
no care of their own, and a storage that outlives a pass shows that somebody keeps its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from trainability.modules.flow import CONSTANT, DATA, MIXED, NO_NEURON, UNKNOWN


@dataclass
class Block:
    """What is known of one storage.

    Args:
        alive: Tells whether the storage still is.
        level: CONSTANT, DATA or UNKNOWN.
        non_negative: No number can ever be negative.
        codes: int32 per number, or None: then none belongs to a neuron that is known.
        gate: Which numbers this mask says to be positive: their place, and whether 0 counts too.
        n_writes: Writes so far.
    """

    alive: StorageWeakRef
    level: int = UNKNOWN
    non_negative: bool = False
    codes: Tensor | None = None
    gate: tuple[object, bool] | None = None
    n_writes: int = 0

    @property
    def default(self) -> int:
        """The code of a number that no layer has given out."""
        return NO_NEURON if self.level <= DATA or self.non_negative else MIXED


class Memory:
    """The storages that were seen in a pass; one that was not is unknown."""

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}
        self._n_swept = 64

    def block(self, tensor: Tensor) -> Block:
        """What is known of the tensor's storage."""
        try:
            alive = StorageWeakRef(tensor.untyped_storage())
        except (NotImplementedError, RuntimeError):
            # Sparse tensors and wrappers have none.
            return Block(alive=None)  # type: ignore[arg-type]
        if alive.cdata not in self._blocks:
            if len(self._blocks) > self._n_swept:
                self._blocks = {k: b for k, b in self._blocks.items() if not b.alive.expired()}
                self._n_swept = 2 * len(self._blocks) + 64
            self._blocks[alive.cdata] = Block(alive)
        return self._blocks[alive.cdata]

    def place(self, tensor: Tensor) -> object:
        """Equal for two tensors that are the same numbers at the same time."""
        block = self.block(tensor)
        where = (tensor.storage_offset(), tuple(tensor.shape), tensor.stride())
        return (id(block), block.n_writes, *where)

    def mark(self, tensor: Tensor, level: int) -> None:
        """Note what a tensor depends on."""
        self.block(tensor).level = level

    def level(self, tensor: Tensor) -> int:
        return self.block(tensor).level

    def non_negative(self, tensor: Tensor) -> bool:
        block = self.block(tensor)
        if block.non_negative:
            return True
        if block.level == CONSTANT and not tensor.is_complex() and tensor.numel() < 1 << 20:
            return bool((tensor >= 0).all())
        return False

    def codes(self, tensor: Tensor) -> Tensor | None:
        """Codes of the tensor's numbers, or None where none belongs to a known neuron."""
        codes = self.block(tensor).codes
        if codes is None:
            return None
        try:
            return codes.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())
        except RuntimeError:
            # Seen as numbers of another size.
            return torch.full(tensor.shape, MIXED, dtype=torch.int32, device=tensor.device)

    def all_codes(self, tensor: Tensor) -> Tensor:
        """Codes of the tensor's numbers, each."""
        codes = self.codes(tensor)
        if codes is not None:
            return codes
        default = self.block(tensor).default
        return torch.full(tensor.shape, default, dtype=torch.int32, device=tensor.device)

    def write_codes(self, tensor: Tensor, codes: Tensor | None) -> None:
        """Note whose numbers were written into the tensor."""
        block = self.block(tensor)
        if codes is None and block.codes is None:
            return
        if block.codes is None:
            n = tensor.untyped_storage().nbytes() // tensor.element_size()
            block.codes = torch.full((n,), block.default, dtype=torch.int32, device=tensor.device)
        where = self.codes(tensor)
        assert where is not None
        where.copy_(codes if codes is not None else torch.tensor(block.default))

    def kept(self) -> Iterator[Tensor]:
        """Codes of the storages that are still alive."""
        for block in self._blocks.values():
            if block.codes is not None and not block.alive.expired():
                yield block.codes
