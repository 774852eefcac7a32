"""What the CPU engines share: networks train in tiles, and those that stopped make room.

A tile is a fixed number of networks that a worker trains together for some steps, so that
their parameters stay in its cache. After every chunk of steps the networks that are still
training are dealt to tiles afresh, so that stopped ones cost nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import numpy as np

from trainability.training.contract import Networks, Problem, Training, goes_on

_PROGRESS_EVERY_S = 0.5
# A worker that begins its last turn when the others end theirs keeps them waiting for that long.
_LEAST_TURNS = 8


class TiledTraining(Training[Networks]):
    """Bookkeeping of success, divergence and repacking; an engine adds the arithmetic.

    Args:
        n_networks: R.
        problem: What they are trained on.
        tile: Networks that a worker trains together.
        chunk: Most steps between two repackings, but for whole epochs.
        threads: Workers, >= 1.
        together: Tiles that a worker takes at once, at most; fewer where others would wait for it.
    """

    def __init__(
        self,
        n_networks: int,
        problem: Problem,
        *,
        tile: int,
        chunk: int,
        threads: int,
        together: int = 1,
    ) -> None:
        self.loss = np.full(n_networks, np.nan, dtype=np.float32)
        self.steps = np.zeros(n_networks, dtype=np.int64)
        self.succeeded = np.zeros(n_networks, dtype=bool)
        self.diverged = np.zeros(n_networks, dtype=bool)
        self.progress = lambda: None
        self._problem = problem
        self._tolerance = np.float32(problem.tolerance)
        self._tile = tile
        self._together = together
        self._chunk = chunk
        self._threads = threads
        self._step = 0

    def advance(self, until: int) -> None:
        with ThreadPoolExecutor(self._threads, initializer=self._prepare_worker) as pool:
            while self._step < until and len(self._live()):
                start, stop = self._step, self._end_of_chunk(until)
                self._share(pool, partial(self._train, start=start, stop=stop))
                self._step = stop
            self._share(pool, self._evaluate)

    def _share(self, pool: ThreadPoolExecutor, work: Callable[[np.ndarray], None]) -> None:
        """Let every worker take tiles, some at once, until none is left."""
        tiles = iter(self._tiles())

        def take() -> None:
            for rows in tiles:
                work(rows)

        working = [pool.submit(take) for _ in range(self._threads)]
        while wait(working, timeout=_PROGRESS_EVERY_S).not_done:
            self.progress()
        for worker in working:
            worker.result()

    def _end_of_chunk(self, until: int) -> int:
        """Chunks of about the same length, which cut no epoch in two but the last."""
        start, epoch = self._step, self._problem.steps_per_epoch
        n_chunks = -(-(until - start) // self._chunk)
        stop = start - (start - until) // n_chunks
        return min(until, -(-stop // epoch) * epoch)

    @abstractmethod
    def _train(self, rows: np.ndarray, start: int, stop: int) -> None:
        """Train the networks `rows`, of some tiles, from step `start` to `stop`.

        The loss at the parameters that step `stop` leaves is not looked at.
        """

    @abstractmethod
    def _evaluate(self, rows: np.ndarray) -> None:
        """Note the loss of the networks `rows` at their current parameters."""

    def _prepare_worker(self) -> None:
        """Called once in every worker thread."""

    def _note(self, rows: np.ndarray, loss: np.ndarray, steps: np.ndarray | int) -> np.ndarray:
        """Record loss and step count; returns which of the rows stop, bool."""
        self.loss[rows] = loss
        self.steps[rows] = steps
        stops = ~goes_on(np.ones(len(rows), dtype=bool), loss, self._tolerance)
        self.succeeded[rows] = stops & (loss <= self._tolerance)
        self.diverged[rows] = stops & ~self.succeeded[rows]
        return stops

    def _live(self) -> np.ndarray:
        return np.flatnonzero(~(self.succeeded | self.diverged))

    def _tiles(self) -> list[np.ndarray]:
        """The live networks, by the tiles that a worker takes at once."""
        live = self._live()
        n_tiles = -(-len(live) // self._tile)
        together = self._together
        if self._threads > 1:
            together = max(1, min(together, n_tiles // (self._threads * _LEAST_TURNS)))
        size = self._tile * together
        return [live[first : first + size] for first in range(0, len(live), size)]
