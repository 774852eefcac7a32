"""A tuning of a second of work, and a launcher for tests that trains in this process."""

import time

from trainability import Adam
from trainability.schemes import He
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue
from trainability.trial import Runtime, run_trial
from trainability.tuning import Range, SuccessRate, Tuning


def a_tuning(**changes) -> Tuning:
    settings = dict(
        name="tiny",
        question="Which bias scale?",
        task=AbsoluteValue(n_train=16),
        scheme=He(),
        optimizer=Adam(learning_rate=0.02),
        vary={
            "bias_std": Range(0.01, 10.0, log=True),
            "learning_rate": Range(0.001, 0.1, log=True),
        },
        objective=SuccessRate(width=4),
        max_steps=200,
        tolerance=1e-2,
        budget=20 * 256,
        fresh_replicates=512,
    )
    return Tuning(**(settings | changes))


class Trainer:
    """A `Dispatch` that trains block by block in this process; may stop short, as if killed."""

    def __init__(self, tuning: Tuning, storage: Storage, stop_after: int | None = None) -> None:
        self.trained = 0
        self._tuning, self._storage, self._stop_after = tuning, storage, stop_after

    def __call__(self, what, cells, wanted) -> None:
        name = self._tuning.name
        for cell in cells.values():
            files = self._storage.block_files(name, [cell.id])
            there = {block for file in files for block in file.blocks}
            for block in range(wanted[cell.id]):
                if block in there:
                    continue
                if self.trained == self._stop_after:
                    raise KeyboardInterrupt
                rows, provenance = run_trial(name, cell, [block], Runtime())
                finished = {"finished_at": f"{time.time():.3f}", "host": "here"}
                self._storage.write_rows(name, rows, provenance | finished)
                self.trained += 1
