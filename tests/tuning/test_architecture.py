"""A tuning over axes, integers and categories from end to end: trained, stored, told."""

import json
import re
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from tuning_in_process import Trainer, a_tuning

from trainability.activations import LeakyReLU, ReLU
from trainability.losses import Huber, MeanSquaredError
from trainability.penalties import L2
from trainability.storage import Storage
from trainability.tuning import Choice, Integers, MedianSteps, Range, SuccessRate
from trainability.tuning.figures import draw_figures
from trainability.tuning.landscape import Landscape
from trainability.tuning.loop import run_search
from trainability.tuning.objectives import Estimate
from trainability.tuning.planning import planned
from trainability.tuning.report import write_report
from trainability.tuning.result import answer, judge, shares_randomness
from trainability.tuning.search import Standing
from trainability.tuning.tables import candidate_table, finalist_table


def architecture(**changes):
    settings = dict(
        name="architecture",
        objective=SuccessRate(),
        width=3,
        vary={
            "width": Integers(2, 5),
            "activation": Choice([ReLU(), LeakyReLU(0.1)]),
            "penalty": Choice([None, L2(1e-4)]),
            "penalty.coefficient": Range(1e-6, 1e-2, log=True),
        },
        budget=12 * 256,
        max_steps=100,
        tolerance=2e-2,
        fresh_replicates=256,
    )
    return a_tuning(**settings | changes)


def tables(outcome) -> str:
    result = judge(outcome)
    return candidate_table(result).to_csv() + finalist_table(result).to_csv()


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    tuning, storage = architecture(), Storage(tmp_path_factory.mktemp("architecture"))
    said: list[str] = []
    outcome = run_search(tuning, storage, Trainer(tuning, storage), said.append)
    return tuning, storage, outcome, said


def test_every_candidate_was_trained_as_it_is_written(tuned):
    tuning, storage, outcome, _ = tuned
    for standing in outcome.standings:
        cell = tuning.cell(standing.settings)
        rows = storage.read_rows("architecture", [cell.id])
        assert len(rows) == standing.n_networks
        values = tuning.space.active(standing.settings)
        assert set(rows["width"]) == {values["width"]}
        assert set(rows["activation"]) == {str(values["activation"])}
        penalty = values["penalty"] and L2(values["penalty.coefficient"])
        assert set(rows["penalty"]) == {"none" if penalty is None else str(penalty)}
        assert np.isfinite(outcome.measured[standing.settings][None]).tolist() == (
            rows["success"].tolist()
        )
    assert {"penalty.coefficient" in tuning.space.active(s) for s in outcome.measured} == {
        True,
        False,
    }


@pytest.mark.parametrize("stop_after", [0, 2, 7, 12, 13])
def test_cut_short_at_any_block_it_goes_on_to_the_same_tables(tuned, tmp_path, stop_after):
    tuning, storage = architecture(), Storage(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_search(tuning, storage, Trainer(tuning, storage, stop_after))
    trainer = Trainer(tuning, storage)
    assert tables(run_search(tuning, storage, trainer)) == tables(tuned[2])
    files = storage.block_files("architecture")
    assert sum(len(file.blocks) for file in files) == stop_after + trainer.trained


def test_a_record_of_a_round_that_holds_other_values_is_set_aside(tuned):
    """A category that is not there, or a coefficient where there is no penalty to have it."""
    tuning, storage, outcome, _ = tuned
    [folder] = Path(storage.address).glob("architecture/search-*")
    path = folder / "round-0002.json"
    whole = path.read_text()
    record = json.loads(whole)
    for wrong in ([9, 0, 0, None], [2, 5, 0, None], [2, 0, 1, None], [2.5, 0, 0, None]):
        path.write_text(json.dumps(record | {"blocks": [[wrong, 1]]}))
        trainer = Trainer(tuning, storage)
        assert tables(run_search(tuning, storage, trainer)) == tables(outcome)
        assert trainer.trained == 0
        assert path.read_text() == whole


def test_after_every_round_it_says_what_is_best_and_what_is_left(tuned):
    _, _, outcome, said = tuned
    assert len(said) == len(outcome.rounds)
    pattern = (
        r"best of \d+ candidates? after round \d+: He\(\), width \d, .*, success rate [\d.]+ % "
        r"\[[\d.]+, [\d.]+\] \(n=[\d,]+; 99 % for all candidates at all times\); (.*)"
    )
    matches = [re.fullmatch(pattern, line) for line in said]
    rest = [match and match[1] for match in matches]
    assert rest[-1] == "search over"
    left = [int(text.split()[0].replace(",", "")) for text in rest[:-1]]
    assert left == sorted(left, reverse=True) and left[0] < 12 * 256
    assert rest[0].endswith("of 3,072 networks to go")


def test_a_plan_says_what_is_stored_and_what_comes_next_and_writes_nothing(tuned, tmp_path):
    tuning, storage, _, _ = tuned
    first = planned(tuning, Storage(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
    assert "search: 3,072 networks in some 10 rounds; 0 rounds with 0 networks are" in first[3]
    assert first[-3].startswith("next: round 1, 512 networks of")
    with pytest.raises(KeyboardInterrupt):
        run_search(tuning, Storage(tmp_path), Trainer(tuning, Storage(tmp_path), 3))
    before = sorted(tmp_path.rglob("*"))
    between = planned(tuning, Storage(tmp_path))
    assert "2 rounds with 1,024 networks are written down, 768 of them trained" in between[3]
    assert between[-1] == "next: 256 networks that these rounds lack"
    assert sorted(tmp_path.rglob("*")) == before
    [record] = tmp_path.glob("architecture/search-*/round-0001.json")
    record.write_text("{")  # damaged: a plan leaves it, and counts up to it or by its copy
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    planned(tuning, Storage(tmp_path))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    last = planned(tuning, storage)
    assert "next: the finalists and the default" in last[-1] and "search over" in last[-2]


def test_the_report_holds_categories_and_integers(tuned):
    _, storage, outcome, _ = tuned
    result = judge(outcome)
    report = write_report(result, storage)
    candidates = pd.read_csv(report.folder / "candidates.csv")
    assert set(candidates["activation"]) <= {"ReLU()", "LeakyReLU(negative_slope=0.1)"}
    # The coefficient varies by itself, so that it is no part of the category.
    assert set(candidates["penalty"]) == {"none", "L2()"}
    without = candidates["penalty"] == "none"
    assert candidates["penalty.coefficient"].isna().tolist() == without.tolist()
    assert candidates["width"].dtype == int
    page = report.page.read_text()
    assert result.best.name in page
    assert "default" in page and page.count("data:image/png;base64,") >= 3
    assert result.python.endswith(",") and "width=" in result.python
    study = optuna.load_study(
        study_name=None, storage=f"sqlite:///{storage.address}/architecture/optuna.db"
    )
    complete = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    assert [trial.params["width"] for trial in complete] == candidates["width"].tolist()
    assert {"penalty.coefficient" in trial.params for trial in complete} == {True, False}


def test_what_is_compared_over_other_random_numbers_is_said():
    """Networks of another width draw others; those of another activation the same."""
    tuning = architecture()
    assert shares_randomness(tuning, (3, LeakyReLU(0.1), None, None))
    assert not shares_randomness(tuning, (4, ReLU(), None, None))


def test_the_answer_says_whether_differences_are_over_the_same_random_numbers(tuned):
    result = judge(tuned[2])
    text = " ".join(answer(result))
    same = shares_randomness(result.tuning, result.best.settings)
    assert not same, "the best is wider than the default"
    assert "the difference between networks drawn independently is" in text
    assert "over the same random numbers" not in text


def landscape():
    """Forty candidates; success depends on width and activation, and on no coefficient."""
    tuning = architecture(vary=architecture().vary | {"scheme.bias_std": Range(0.01, 1)})
    rng = np.random.default_rng(3)
    standings = []
    for place in rng.random((40, 5)):
        settings = tuning.space.at(place)
        values = tuning.space.active(settings)
        score = 0.5 + 0.15 * (values["width"] - 2) + 0.2 * (values["activation"] != ReLU())
        standings.append(
            Standing(settings, 256, (Estimate(0.5, 0, 1),), (score,), (1e-4,), (score,), True)
        )
    return tuning, Landscape(tuning, standings)


def test_a_slice_over_a_category_is_a_point_with_an_interval_each():
    _, seen = landscape()
    activations = seen.slice("activation")
    assert activations["setting"].tolist() == ["ReLU()", "LeakyReLU(negative_slope=0.1)"]
    # Through the best, of width 5: scores .95 and 1.15.
    np.testing.assert_allclose(activations["value"], np.sin([0.95, 1.15]) ** 2, atol=0.02)
    assert (activations["low"] < activations["value"]).all()
    assert (activations["value"] < activations["high"]).all()
    assert seen.slice("width")["setting"].tolist() == [2, 3, 4, 5]
    assert seen.slice("penalty")["setting"].tolist() == ["none", "L2()"]
    assert len(seen.slice("penalty.coefficient")) == 81


def test_a_setting_that_no_candidate_has_has_no_slice():
    tuning, _ = landscape()
    alone = Standing(
        (3, ReLU(), None, None, 0.5), 256, (Estimate(0.5, 0, 1),), (1.0,), (1e-4,), (1.0,), True
    )
    assert Landscape(tuning, [alone]).slice("penalty.coefficient").empty


def test_importance_knows_categories_integers_and_what_does_nothing():
    shares = landscape()[1].importance()
    assert shares["width"] > 0.3 and shares["activation"] > 0.2
    assert shares.drop(["width", "activation"]).max() < 0.05


def test_a_surface_is_over_numbers_that_the_best_has():
    _, seen = landscape()
    assert "width" in seen.numbers() and "activation" not in seen.numbers()
    surface = seen.surface("width", "scheme.bias_std")
    assert sorted(set(surface["width"])) == [2, 3, 4, 5]
    assert surface["width"].dtype == int
    assert len(surface) == 4 * surface["scheme.bias_std"].nunique()


def test_categories_alone_have_no_surface_and_losses_are_told_to_share_a_tolerance(tuned, tmp_path):
    tuning = architecture(
        vary={
            "activation": Choice([ReLU(), LeakyReLU(0.1)]),
            "loss": Choice([MeanSquaredError(), Huber()]),
        },
        objective=[SuccessRate(), MedianSteps()],
        budget=8 * 256,
    )
    assert tuning.default == (ReLU(), MeanSquaredError())
    storage = Storage(tmp_path)
    result = judge(run_search(tuning, storage, Trainer(tuning, storage)))
    figures = draw_figures(result, candidate_table(result))
    assert set(figures) == {"history", "slices", "importance", "pareto"}
    said = [s for s in answer(result) if s.startswith("Every loss is compared with the same")]
    assert len(said) == 1
    assert not any("Every loss" in sentence for sentence in answer(judge(tuned[2])))
