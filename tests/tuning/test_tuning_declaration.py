"""Tunings: everything wrong is said at once, JSON round trip, cells that are paired."""

import json

import pytest
from tuning_in_process import a_tuning

from trainability import SGD, Adam
from trainability.errors import InputError, StudyError
from trainability.losses import BinaryCrossEntropy
from trainability.schemes import DataDependent, He
from trainability.tasks import TwoMoons
from trainability.tuning import MedianSteps, Range, SmallestWidth, SuccessRate, Tuning


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"objective": [SuccessRate(width=4), MedianSteps(width=8)]},
        {"objective": SmallestWidth([2, 4, 8], rate=0.95), "max_born_dead": 0.2, "budget": 9999},
        {"objective": SuccessRate(width=(16, 4))},
        {"objective": SuccessRate(), "width": (16, 4)},
        {"scheme": DataDependent(), "vary": {"sigma_e": Range(0.1, 1)}, "optimizer": SGD(0.1)},
    ],
)
def test_json_round_trip(changes):
    tuning = a_tuning(**changes)
    again = Tuning.from_json(tuning.to_json())
    assert again.to_json() == tuning.to_json()
    assert again.search_id == tuning.search_id
    assert again.objectives == tuning.objectives
    assert again.widths == tuning.widths
    assert again.width == tuning.width


def test_widths_of_every_layer_say_the_depth():
    tuning = a_tuning(objective=[SuccessRate(width=(16, 4)), MedianSteps(width=8)], budget=9999)
    assert [tuning.cell(None, width).sizes[1:-1] for width in tuning.widths] == [(8,), (16, 4)]
    assert a_tuning(objective=SuccessRate(width=4)).depth == 2
    with pytest.raises(StudyError, match="needs depth 3, got depth 2"):
        a_tuning(objective=SuccessRate(width=(16, 4)), depth=2)
    with pytest.raises(InputError, match=r"SuccessRate width must be .* got \(\)"):
        SuccessRate(width=())
    with pytest.raises(InputError, match=r"SmallestWidth width must be an int >= 1, got \(8, 4\)"):
        SmallestWidth([4, (8, 4)])


def test_success_may_be_an_accuracy():
    tuning = a_tuning(
        task=TwoMoons(), loss=BinaryCrossEntropy(), tolerance=None, target_accuracy=0.95
    )
    cell = tuning.cell((0.3, 0.007), 4)
    assert (cell.tolerance, cell.target_accuracy) == (None, 0.95)
    assert Tuning.from_json(tuning.to_json()) == tuning
    assert "target_accuracy" not in a_tuning().to_json()


def test_what_is_no_tuning_is_refused():
    for text, message in (
        ("{", "not valid JSON"),
        ("{}", "not a tuning"),
        ('{"tuning": 1, "nam": "x"}', "unknown field 'nam' .did you mean name"),
        ('{"tuning": 1, "name": "x"}', "not a whole tuning"),
    ):
        with pytest.raises(StudyError, match=message):
            Tuning.from_json(text)
    record = json.loads(a_tuning().to_json()) | {"scheme": {"type": "Heh"}}
    with pytest.raises(StudyError, match="unknown type 'Heh'"):
        Tuning.from_json(json.dumps(record))


def chosen(settings):
    """Scheme and optimizer of a candidate."""
    values = a_tuning().chosen(settings)
    return values["scheme"], values["optimizer"]


def test_settings_go_to_the_strategy_that_has_them():
    assert chosen((0.3, 0.007)) == (He(bias_std=0.3), Adam(learning_rate=0.007))
    assert chosen(None) == (He(), Adam(learning_rate=0.02))


def test_only_settings_of_the_scheme_are_paired_over():
    """Those of the optimizer key no stream anyway."""
    assert a_tuning().cell((0.3, 0.007), 4).paired_over == ("bias_std",)
    assert a_tuning().cell(None, 4).paired_over == ("bias_std",)


def test_the_default_is_a_candidate_where_it_lies_in_the_ranges():
    assert a_tuning().default is None  # no biases: outside a logarithmic range
    assert a_tuning(scheme=He(bias_std=1.0)).default == (1.0, 0.02)
    tuning = a_tuning(scheme=DataDependent(), vary={"sigma_in": Range(0.1, 1.0)})
    assert tuning.default is None  # a rule, not a number


def test_a_budget_counts_every_width():
    tuning = a_tuning(objective=SmallestWidth([2, 4, 8]), budget=100_000)
    assert tuning.widths == (2, 4, 8)
    assert tuning.n_evaluations == 100_000 // (3 * 256)


def test_fresh_seeds_are_not_those_of_the_search():
    seeds = {a_tuning(seed=seed).fresh_seed for seed in range(100)}
    assert len(seeds) == 100 and min(seeds) >= 2**32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "success"}, "objective must be one objective, such as SuccessRate"),
        ({"objective": [SuccessRate(2), SuccessRate(2)]}, "or two different ones"),
        ({"vary": {}}, "vary must map settings to ranges"),
        ({"vary": {"bias_sd": Range(0, 1)}}, "unknown; wanted one of .*did you mean bias_std"),
        ({"vary": {"bias_std": (0, 1)}}, "'bias_std' must be a range"),
        ({"vary": {"bias_std": Range(-1, 1)}}, "the low ends of the ranges can't be used"),
        ({"budget": 100}, "budget must be an int >= 2,048"),
        ({"max_born_dead": 2}, "max_born_dead must be None or from 0 to 1"),
        ({"tolerance": 0.5}, "tolerance 0.5 is not below"),
        ({"tolerance": None}, "tolerance must be"),
        ({"target_accuracy": 0.9}, "tolerance is of the loss, and target_accuracy says"),
        ({"tolerance": None, "target_accuracy": 0.9}, "target_accuracy wants a task with classes"),
        ({"name": "Not good"}, "name must be lower-case"),
        ({"fresh_replicates": 0}, "replicates must be an int >= 1"),
    ],
)
def test_what_is_wrong_is_said(changes, message):
    with pytest.raises(StudyError, match=message):
        a_tuning(**changes)


def test_all_problems_are_said_at_once():
    with pytest.raises(StudyError, match=r"4 problems(.|\n)*bias_sd(.|\n)*Range(.|\n)*budget"):
        a_tuning(vary={"bias_sd": 3, "learning_rate": 1}, budget=1)
