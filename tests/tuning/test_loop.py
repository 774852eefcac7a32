"""The loop: all truth on storage, so that it may be cut short anywhere."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tuning_in_process import Trainer, a_tuning

from trainability.schemes import He
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.tuning.loop import run_search, search_of
from trainability.tuning.result import judge
from trainability.tuning.tables import candidate_table, finalist_table


def tables(searched) -> str:
    result = judge(searched)
    return candidate_table(result).to_csv() + finalist_table(result).to_csv()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    tuning, storage = a_tuning(), Storage(tmp_path_factory.mktemp("undisturbed"))
    return run_search(tuning, storage, Trainer(tuning, storage)), storage


def test_it_spends_its_budget_and_judges_on_fresh_seeds(undisturbed):
    searched, storage = undisturbed
    assert sum(standing.n_networks for standing in searched.standings) == 20 * BLOCK_SIZE
    rows = storage.read_rows("tiny", columns=["cell", "seed", "replicate"])
    assert set(rows["seed"]) == {0, a_tuning().fresh_seed}
    fresh = rows[rows["seed"] != 0]
    assert len(fresh) == (len(searched.finalists) + 1) * 512
    assert len(rows) - len(fresh) == 20 * BLOCK_SIZE


def test_outcomes_are_the_steps_of_the_networks_that_succeeded(undisturbed):
    searched, storage = undisturbed
    settings, outcomes = next(iter(searched.measured.items()))
    rows = storage.read_rows("tiny", [a_tuning().cell(settings, 4).id])
    assert np.isfinite(outcomes[4]).tolist() == rows["success"].tolist()
    won = rows["success"].to_numpy()
    assert outcomes[4][won].tolist() == rows["steps"].to_numpy()[won].tolist()


def test_candidates_and_default_share_their_random_numbers(undisturbed):
    tuning = a_tuning()
    seed = tuning.fresh_seed
    cells = [tuning.cell(s, 4, seed) for s in (None, *undisturbed[0].finalists)]
    assert len({cell.id for cell in cells}) == len(cells)
    assert len({cell.stream_identity for cell in cells}) == 1


def test_running_again_trains_nothing_and_finds_the_same(undisturbed):
    searched, storage = undisturbed
    trainer = Trainer(a_tuning(), storage)
    assert tables(run_search(a_tuning(), storage, trainer)) == tables(searched)
    assert trainer.trained == 0


@pytest.mark.parametrize("stop_after", [0, 1, 3, 9, 20, 25])
def test_cut_short_at_any_block_it_goes_on_to_the_same_tables(undisturbed, tmp_path, stop_after):
    tuning, storage = a_tuning(), Storage(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_search(tuning, storage, Trainer(tuning, storage, stop_after))
    trainer = Trainer(tuning, storage)
    searched = run_search(tuning, storage, trainer)
    assert tables(searched) == tables(undisturbed[0])
    files = storage.block_files("tiny")
    assert sum(len(file.blocks) for file in files) == stop_after + trainer.trained


def test_a_batch_that_was_not_written_down_is_found_again(undisturbed, tmp_path):
    """Without the files of the rounds, the search repeats itself from the networks alone."""
    searched, storage = undisturbed
    tuning = a_tuning()
    for file in storage.block_files("tiny"):
        target = tmp_path / file.path.removeprefix(f"{storage.address}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(file.path).read_bytes())
    trainer = Trainer(tuning, Storage(tmp_path))
    assert tables(run_search(tuning, Storage(tmp_path), trainer)) == tables(searched)
    assert trainer.trained == 0


def test_a_batch_that_was_damaged_is_found_again(undisturbed):
    searched, storage = undisturbed
    [folder] = Path(storage.address).glob("tiny/search-*")
    whole = (folder / "round-0005.json").read_text()
    (folder / "round-0005.json").write_text(whole[:40])
    trainer = Trainer(a_tuning(), storage)
    assert tables(run_search(a_tuning(), storage, trainer)) == tables(searched)
    assert (folder / "round-0005.json").read_text() == whole
    assert trainer.trained == 0


def test_the_order_of_the_settings_does_not_matter_to_what_was_written_down(undisturbed):
    searched, storage = undisturbed
    turned = a_tuning(vary=dict(reversed(a_tuning().vary.items())))
    trainer = Trainer(turned, storage)
    again = run_search(turned, storage, trainer)
    assert [tuple(reversed(s.settings)) for s in again.standings] == [
        standing.settings for standing in searched.standings
    ]
    assert trainer.trained == 0


def test_a_larger_budget_goes_on_from_where_the_smaller_ended(undisturbed, tmp_path):
    storage = Storage(tmp_path)
    small = run_search(a_tuning(), storage, Trainer(a_tuning(), storage))
    larger = a_tuning(budget=26 * 256)
    trainer = Trainer(larger, storage)
    searched = run_search(larger, storage, trainer)
    assert searched.rounds[: len(small.rounds)] == small.rounds
    assert sum(standing.n_networks for standing in searched.standings) == 26 * BLOCK_SIZE
    assert trainer.trained <= 6 + 2 * (len(searched.finalists) + 1)


def test_another_question_of_the_same_name_starts_anew(undisturbed):
    """Its batches are its own; the networks that both train are shared."""
    other = a_tuning(vary={"bias_std": a_tuning().vary["bias_std"]})
    assert other.search_id != a_tuning().search_id
    assert a_tuning(budget=9999, fresh_replicates=1).search_id == a_tuning().search_id
    assert a_tuning(seed=1).search_id != a_tuning().search_id
    assert a_tuning(scheme=He("uniform")).search_id != a_tuning().search_id


def test_killed_hard_it_goes_on_to_the_same_tables(undisturbed, tmp_path):
    code = (
        "from tuning_in_process import *; from trainability.tuning.loop import run_search; "
        f"t, s = a_tuning(), Storage({str(tmp_path)!r}); run_search(t, s, Trainer(t, s))"
    )
    for n_files in (2, 8):
        with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent) as child:
            deadline = time.monotonic() + 120
            while len(list(tmp_path.rglob("*.parquet"))) < n_files and child.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            os.kill(child.pid, signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL
    tuning, storage = a_tuning(), Storage(tmp_path)
    trainer = Trainer(tuning, storage)
    assert tables(run_search(tuning, storage, trainer)) == tables(undisturbed[0])
    assert trainer.trained > 0


def test_theory_is_asked_only_where_it_is_exact():
    """He on |x| at width 4: exact, so the bound is the trainability; unknown laws bound nothing."""
    tuning = a_tuning()
    [bound] = search_of(tuning).theory((1.0, 0.02))
    assert 0.9 < bound < 1.0
    [higher] = search_of(tuning).theory((0.1, 0.02))
    assert higher > bound


def test_the_constraint_is_the_probability_of_being_born_dead():
    """He with bias_std 1: P(dead) = arctan(1 / (sqrt 3 sqrt 2)) / pi = .1233 on |x|."""
    assert search_of(a_tuning(max_born_dead=0.124)).is_allowed((1.0, 0.02))
    assert not search_of(a_tuning(max_born_dead=0.123)).is_allowed((1.0, 0.02))
