"""The studies whose storage folder, written by the code of its day, every later code must open.

`storage/` was made by `python tests/golden/golden_study.py` and is never made anew: it stands for
the results that users have. `golden` is two cells, in one of which networks diverge;
`golden-grown` has grown by `--precision` and `--refine`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from trainability import SGD, Adam, Study
from trainability.schemes import UnitSphere
from trainability.tasks import AbsoluteValue

STORAGE = Path(__file__).parent / "storage"
GOLDEN = Study(
    name="golden",
    question="Do the results of yesterday stay?",
    task=AbsoluteValue(n_train=8),
    axes={"optimizer": [Adam(learning_rate=0.05), SGD(learning_rate=0.7)], "width": [3]},
    scheme=UnitSphere(),
    batch_size=4,
    max_steps=20,
    tolerance=1e-2,
    replicates=512,
    seed=11,
)
GROWN = Study(
    name="golden-grown",
    question="Does what has grown stay?",
    task=AbsoluteValue(n_train=8),
    axes={"width": [2, 5]},
    scheme=UnitSphere(),
    optimizer=Adam(learning_rate=0.05),
    max_steps=20,
    tolerance=2e-2,
    replicates=256,
)
GROWTH_OPTIONS = ("--precision", "0.05", "--refine", "0.05")


def _make(study: Study, *options: str) -> None:
    path = STORAGE.parent / f"{study.name}.json"
    path.write_text(study.to_json())
    command = [sys.executable, "-m", "trainability", "run", str(path), "--storage", str(STORAGE)]
    subprocess.run([*command, "--engine", "fused-cpu", *options], check=True)
    path.unlink()
    shutil.rmtree(STORAGE / study.name / "report")


if __name__ == "__main__":
    shutil.rmtree(STORAGE, ignore_errors=True)
    _make(GOLDEN, "--cpus-per-trial", "2")  # one trial at a time: files of two blocks
    _make(GROWN, *GROWTH_OPTIONS)
    for extra in ("mlflow.db", "mlflow-artifacts"):
        path = STORAGE / extra
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
