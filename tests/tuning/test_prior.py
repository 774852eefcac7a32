"""A search may begin at what theory predicts best, and says so; without it nothing changes."""

import json
import re

import pytest
from tuning_in_process import Trainer, a_tuning

from trainability.analysis.predicted import predicted_success
from trainability.errors import StudyError
from trainability.optimizers import SGD
from trainability.storage import Storage
from trainability.tuning import MedianSteps, Range, Tuning
from trainability.tuning.loop import run_search, search_of, stored_rounds
from trainability.tuning.planning import planned
from trainability.tuning.prior import predicted_best
from trainability.tuning.result import answer, judge
from trainability.tuning.wording import written


def with_prior(**changes):
    """He's bias scale on |x|, at a budget that the law answers for."""
    one = {"vary": {"bias_std": Range(0.01, 10.0, log=True)}, "max_steps": 500, "budget": 8 * 256}
    return a_tuning(**({"prior": "theory"} | one | changes))


def test_the_search_begins_with_what_theory_predicts_best_and_says_so(tmp_path):
    tuning, storage = with_prior(), Storage(tmp_path)
    best = predicted_best(tuning)
    assert len(best) == 4 and sorted(best.values(), reverse=True) == list(best.values())
    # Biases that are tiny or huge teach |x| seldom.
    assert all(0.03 < bias_std < 3 for (bias_std,) in best)
    settings, p = next(iter(best.items()))
    exact = predicted_success(tuning.cell(settings, 4))
    assert p == pytest.approx(exact.value, abs=6 * (0.25 / 512) ** 0.5)
    first = search_of(tuning).next_round(0, {})
    assert next(iter(best)) in first.blocks and set(first.predicted) <= set(best)
    assert f"  {written(tuning, settings)}" in planned(tuning, storage)
    found = run_search(tuning, storage, Trainer(tuning, storage))
    said = " ".join(answer(judge(found)))
    assert re.search(r"most success, without training: at best \d\d\.\d %, of He\(", said)
    # What was predicted is written down, and not asked again.
    (again, *_) = stored_rounds(tuning, storage, mend=False)
    assert again.predicted == first.predicted
    assert search_of(tuning, begins=False).prior == {}
    assert "next: the finalists" in planned(tuning, storage)[-1]


def test_a_candidate_that_may_not_be_trained_is_not_chosen():
    tuning = with_prior()
    chosen = predicted_best(tuning, lambda settings: settings[0] > 1)
    assert chosen and all(bias_std > 1 for (bias_std,) in chosen)


def test_where_theory_predicts_nothing_the_search_begins_without_it(tmp_path):
    tuning = with_prior(optimizer=SGD(learning_rate=0.1), max_steps=50)
    assert predicted_best(tuning) == {}
    storage = Storage(tmp_path)
    found = run_search(tuning, storage, Trainer(tuning, storage))
    assert "predicts the success of none of its candidates" in " ".join(answer(judge(found)))


def test_a_prior_is_part_of_the_search_and_its_absence_changes_no_id():
    plain, tuning = with_prior(prior=None), with_prior()
    assert "prior" not in json.loads(plain.to_json())
    assert tuning.search_id != plain.search_id and Tuning.from_json(tuning.to_json()) == tuning
    assert search_of(plain).prior == {}


def test_what_is_no_prior_is_refused():
    with pytest.raises(StudyError, match="prior must be None or 'theory', got 'faith'"):
        with_prior(prior="faith")
    with pytest.raises(StudyError, match="wants SuccessRate as the first objective"):
        with_prior(objective=MedianSteps(width=4))
