"""The verdict and the report: fresh seeds alone decide, and every page stands for itself."""

import dataclasses
import re

import numpy as np
import optuna
import pandas as pd
import pytest
from html_page import Page
from tuning_in_process import Trainer, a_tuning

from trainability.schemes import He
from trainability.storage import Storage
from trainability.tuning import MedianSteps, SuccessRate
from trainability.tuning.landscape import Landscape
from trainability.tuning.loop import SearchOutcome, run_search
from trainability.tuning.objectives import Estimate
from trainability.tuning.report import write_report
from trainability.tuning.result import answer, judge
from trainability.tuning.search import Round, Standing
from trainability.tuning.tables import candidate_table


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    tuning, storage = a_tuning(), Storage(tmp_path_factory.mktemp("tuned"))
    result = judge(run_search(tuning, storage, Trainer(tuning, storage)))
    return result, storage, write_report(result, storage)


@pytest.fixture(scope="module")
def two_objectives(tmp_path_factory):
    tuning = a_tuning(objective=[SuccessRate(width=4), MedianSteps(width=4)])
    storage = Storage(tmp_path_factory.mktemp("front"))
    return judge(run_search(tuning, storage, Trainer(tuning, storage))), storage


def found_by_hand(rates, default, n=4096, **changes):
    """Finalists with these rates on fresh seeds; the search saw .9 of every one."""
    tuning = a_tuning(**changes)
    rng = np.random.default_rng(0)
    shared = rng.random(n)

    def outcomes(p):
        return {4: np.where(shared < p, 10.0, np.inf)}

    settings = [(0.1 * (k + 1), 0.02) for k in range(len(rates))]
    estimate = Estimate(0.9, 0.7, 1.0)
    standings = [
        Standing(s, 256, (estimate,), (1.25 - 0.01 * i,), (1e-3,), (1.2,), True)
        for i, s in enumerate(settings)
    ]
    fresh = {s: outcomes(p) for s, p in zip(settings, rates, strict=True)}
    measured = {s: outcomes(0.9) for s in settings}
    rounds = [Round(dict.fromkeys(settings, 1), [(9.0, 0.02)])]
    return SearchOutcome(tuning, rounds, standings, measured, fresh, outcomes(default))


def test_a_clear_improvement_wins():
    result = judge(found_by_hand([0.80, 0.85], default=0.7))
    assert result.is_improvement
    assert result.winner.settings == (0.2, 0.02)
    assert result.python == "scheme=He(bias_std=0.2), optimizer=Adam(learning_rate=0.02),"
    assert result.best.differences[0].low > 0.1
    assert "is better than the default, He(), Adam(learning_rate=0.02)" in answer(result)[0]


def test_a_winner_at_the_end_of_its_range_is_told():
    found = found_by_hand([0.8] * 10, default=0.7)
    assert not any("end of the range" in sentence for sentence in answer(judge(found)))
    at_the_end = {(10.0, 0.02): found.finalists.pop((0.1, 0.02))} | found.finalists
    standings = [dataclasses.replace(found.standings[0], settings=(10.0, 0.02))]
    moved = dataclasses.replace(
        found, finalists=at_the_end, standings=standings + found.standings[1:]
    )
    assert "Its bias_std lies at the end of the range: widen it and tune again." in answer(
        judge(moved)
    )


def test_no_significant_improvement_is_an_answer():
    result = judge(found_by_hand([0.701, 0.69], default=0.7))
    assert not result.is_improvement
    assert result.winner is result.default
    assert result.python == "scheme=He(), optimizer=Adam(learning_rate=0.02),"
    assert answer(result)[0].startswith("No significant improvement over the default")


def test_optimism_is_what_the_best_observed_lost_on_fresh_seeds():
    result = judge(found_by_hand([0.80, 0.85], default=0.7))
    assert result.best_observed.settings == (0.1, 0.02)
    assert result.optimism == pytest.approx(0.9 - result.best_observed.values[0].value)
    said = " ".join(answer(result))
    assert "left out 1 that by theory can't be best" in said
    assert "The search flattered its best observed candidate, He(bias_std=0.1)" in said
    assert "90.0 % in the search, 80." in said


def test_what_lost_nothing_was_not_flattered():
    said = " ".join(answer(judge(found_by_hand([0.95, 0.85], default=0.7))))
    assert "The search did not flatter its best observed candidate" in said


def test_of_none_that_were_left_out_nothing_is_said():
    found = found_by_hand([0.80], default=0.7)
    rounds = [dataclasses.replace(found.rounds[0], refused=[])]
    assert "left out" not in answer(judge(dataclasses.replace(found, rounds=rounds)))[-1]


def test_who_can_not_be_told_apart_from_the_winner_is_named():
    result = judge(found_by_hand([0.79, 0.80, 0.75], default=0.7))
    assert [entry.settings for entry in result.rivals] == []
    result = judge(found_by_hand([0.8002, 0.80, 0.75], default=0.7))
    [rival] = result.rivals
    assert rival.settings == (0.2, 0.02)
    assert "can't be told apart from He(bias_std=0.2), Adam(learning_rate=0.02), 8" in " ".join(
        answer(result)
    )


def test_the_default_that_the_search_found_is_no_finalist_of_its_own(tmp_path):
    same = {"scheme": He(bias_std=0.1)}  # the settings of the first candidate
    result = judge(found_by_hand([0.7, 0.69], default=0.7, **same))
    assert [entry.settings for entry in result.finalists] == [(0.2, 0.02)]
    assert answer(result)[0].endswith("He(bias_std=0.2), Adam(learning_rate=0.02) came nearest.")
    assert candidate_table(result)["fresh"].notna().tolist() == [True, True]
    alone = judge(found_by_hand([0.7], default=0.7, **same))
    assert alone.finalists == [] and alone.winner is alone.default
    assert answer(alone)[0].startswith("The search found nothing better than the default, He(")
    assert "difference" not in " ".join(answer(alone))


def test_rates_are_in_percent_and_their_differences_in_points():
    said = " ".join(answer(judge(found_by_hand([0.8], default=0.7))))
    number = r"\d\d\.\d"
    limits = rf"\[{number}, {number}\]"
    assert re.search(rf"its success rate is {number} % {limits}, the default's", said)
    assert re.search(r"is \+\d+\.\d percentage points \[\+\d+\.\d, \+\d+\.\d\], with an", said)
    assert "with an interval of 95 %" in said


def test_the_intervals_of_the_differences_hold_together():
    one, four = (judge(found_by_hand([0.8] * k, default=0.7)).best for k in (1, 4))
    lengths = [entry.differences[0].high - entry.differences[0].low for entry in (one, four)]
    assert lengths[1] > 1.15 * lengths[0]
    assert one.values == four.values


def test_the_report_is_self_contained_and_says_all(tuned):
    result, _, report = tuned
    page = report.page.read_text()
    links = Page(page).links
    assert {"candidates.csv", "finalists.csv", "tuning.json", "history.png", "history.svg"} < {
        *links
    }
    assert all((report.folder / link).is_file() for link in links)
    assert "prefers-color-scheme: dark" in page and "<dt>python</dt>" in page
    assert not re.search(r'src="(?!data:)', page) and "<link" not in page  # it loads nothing
    assert "Which bias scale?" in page
    assert result.python.replace("'", "&#39;") in page
    assert page.count("data:image/png;base64,") == 4
    names = {path.name for path in report.folder.iterdir()}
    assert {"candidates.csv", "finalists.csv", "tuning.json", "index.html"} <= names
    assert {"history.png", "slices.svg", "importance.png", "surface.svg"} <= names
    candidates = pd.read_csv(report.folder / "candidates.csv")
    assert len(candidates) == len(result.search.standings)
    assert candidates["n_networks"].sum() == 20 * 256
    assert candidates["begun"].is_monotonic_increasing and candidates["begun"].iloc[0] == 0
    assert candidates["fresh"].notna().sum() == len(result.finalists)
    finalists = pd.read_csv(report.folder / "finalists.csv")
    assert finalists["is_default"].tolist() == [False] * len(result.finalists) + [True]


def test_a_report_that_is_written_again_is_the_same(tuned):
    result, storage, report = tuned
    first = report.folder
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    assert write_report(result, storage).folder == first
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before


def test_optuna_opens_the_search(tuned):
    result, storage, _ = tuned
    study = optuna.load_study(
        study_name=None, storage=f"sqlite:///{storage.address}/tiny/optuna.db"
    )
    assert study.study_name == "tiny"
    complete = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    assert [trial.value for trial in complete] == [
        standing.estimates[0].value for standing in result.search.standings
    ]
    assert sum(trial.user_attrs["networks"] for trial in complete) == 20 * 256
    refused = study.get_trials(states=(optuna.trial.TrialState.PRUNED,))
    assert len(refused) == len(result.search.refused)


def test_two_objectives_give_a_front(two_objectives, tmp_path):
    result, storage = two_objectives
    report = write_report(result, storage, tmp_path / "report")
    assert (report.folder / "pareto.png").exists()
    assert all(len(entry.differences) == 2 for entry in result.finalists)
    finalists = pd.read_csv(report.folder / "finalists.csv")
    assert finalists["value_2"].gt(0).all()
    assert "both objectives together" in report.page.read_text()


def test_importance_knows_a_setting_that_does_nothing():
    tuning = a_tuning()
    rng = np.random.default_rng(5)
    standings = [
        Standing(
            (tuning.vary["bias_std"].at(a), tuning.vary["learning_rate"].at(b)),
            256, (Estimate(0.5, 0.0, 1.0),), (float(np.sin(3 * a)),), (1e-4,), (0.0,), True,
        )
        for a, b in rng.random((40, 2))
    ]  # fmt: skip
    shares = Landscape(tuning, standings).importance()
    assert shares["bias_std"] > 0.95 and shares["learning_rate"] < 0.05


def test_a_slice_passes_through_what_is_known_and_the_surface_holds_theory():
    tuning = a_tuning()
    values = [0.01, 0.1, 1.0, 10.0]
    standings = [
        Standing((v, 0.02), 10**6, (Estimate(0.5, 0, 1),), (s,), (1e-7,), (s,), True)
        for v, s in zip(values, (0.6, 0.8, 1.2, 0.3), strict=True)
    ]
    landscape = Landscape(tuning, standings)
    curve = landscape.slice("bias_std")
    at = curve["setting"].sub(0.1).abs().idxmin()
    assert curve["value"][at] == pytest.approx(np.sin(0.8) ** 2, abs=0.02)
    assert (curve["low"] <= curve["value"]).all() and (curve["value"] <= curve["high"]).all()
    surface = landscape.surface("bias_std", "learning_rate")
    by_scale = surface.groupby("bias_std")["trainability"].nunique()
    assert (by_scale == 1).all()
    assert surface["trainability"].is_monotonic_decreasing is False
    assert surface.drop_duplicates("bias_std")["trainability"].is_monotonic_decreasing
