"""`run --precision` and `--refine` as a user types them: several rounds in one command."""

import os
import re
import subprocess
import sys

import pytest

from trainability.findings.study import find
from trainability.growth import study_cells
from trainability.storage import Storage
from trainability.study import load_study

STUDY = """
from trainability import Adam, Study
from trainability.schemes import UnitSphere
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="grown",
    question="Does it grow?",
    task=AbsoluteValue(n_train=16),
    axes={"width": [2, 6]},
    scheme=UnitSphere(),
    optimizer=Adam(learning_rate=0.02),
    max_steps=300,
    tolerance=1e-2,
    replicates=256,
)
"""


@pytest.fixture
def run(tmp_path):
    """Runs the command on its own Ray, with the token that a user's would have."""
    (tmp_path / "grown.py").write_text(STUDY)
    environment = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"}

    def running(*options):
        command = [sys.executable, "-m", "trainability", "run", "grown.py", *options]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )

    return running


def test_a_study_grows_round_by_round_and_once_only(run, tmp_path):
    done = run("--precision", "0.05", "--refine", "0.6")
    assert done.returncode == 0, done.stderr
    assert re.search(r"round 3: \d of \d cells grow", done.stderr)
    storage, study = Storage(tmp_path / "results"), load_study(str(tmp_path / "grown.py"))
    found = find(study, storage)
    half = (found.rates["success_rate_high"] - found.rates["success_rate_low"]) / 2
    assert (half <= 0.05).all() and found.is_complete
    assert len(study_cells(study, storage)) > 2 and found.boundaries["located"].all()
    text = " ".join(done.stdout.split())
    assert f"{found.n_networks:,} networks" in text and "Success crosses 60 % between" in text
    again = run("--precision", "0.05", "--refine", "0.6")
    assert again.returncode == 0 and "nothing was missing" in again.stderr
    assert "round" not in again.stderr and again.stdout == done.stdout
