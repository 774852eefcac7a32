"""The first sentences: which strategy is better, by how much, how sure that is."""

import dataclasses

import numpy as np
import pytest
from synthetic_rows import MADE, store, synthetic_rows

from trainability import SGD, Adam, Study
from trainability.activations import LeakyReLU, ReLU
from trainability.findings.comparing import compare_strategies
from trainability.findings.study import find
from trainability.losses import Huber, MeanSquaredError
from trainability.report.better import better_sentences, confidence
from trainability.report.sentences import answer
from trainability.report.tables import comparisons_table
from trainability.schemes import Glorot, He, UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="better",
    question="Which is better?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), He(), Glorot()], "width": [2, 3, 4, 8]},
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)


def measured(study, storage, q):
    for cell in study.cells():
        store(storage, study.name, cell, [0], q(cell))
    return find(study, storage)


def test_the_best_comes_first_with_its_lead_its_interval_and_n(tmp_path):
    good = {"UnitSphere": 0.8, "He": 0.55, "Glorot": 0.4}
    found = measured(STUDY, Storage(tmp_path), lambda cell: good[type(cell.scheme).__name__])
    first = answer(found)[0]
    assert first == better_sentences(found)[0]
    assert first.startswith("Of 3 initializations UnitSphere succeeds most often: on average over "
                            "the 4 widths studied it succeeds ")  # fmt: skip
    pooled = found.comparisons.pooled.set_index(["a", "b"])
    for b, name in (("He()", "He, the next"), ("Glorot()", "Glorot, the last")):
        row = pooled.loc[("UnitSphere()", b)]
        low, high = (-100 * row[f"difference_{end}"] for end in ("high", "low"))
        text = f"{-100 * row['difference']:.1f} percentage points (95 % interval {low:.1f} to "
        if "last" in name:
            text = f"{-100 * row['difference']:.1f} ({low:.1f} to {high:.1f}) more often than"
        assert text in first and name in first
    assert "beyond reasonable doubt" in first and "corrected for all 3 pairs" in first
    assert "n = 1,024 networks each" in first


def test_those_that_cannot_be_told_apart_share_the_first_place(tmp_path):
    found = measured(
        STUDY, Storage(tmp_path), lambda cell: 0.4 if isinstance(cell.scheme, Glorot) else 0.7
    )
    first = better_sentences(found)[0]
    assert "succeed most often and can't be told apart: on average" in first
    assert first.endswith("n = 1,024 networks each).") and "more often than Glorot" in first


def test_what_is_not_certain_is_not_claimed(tmp_path):
    found = measured(STUDY, Storage(tmp_path), lambda cell: 0.6)
    first = better_sentences(found)[0]
    assert first.startswith("No difference between the 3 initializations is certain")
    gap = found.comparisons.pooled
    assert (gap["p_holm"] > 0.05).all()
    assert "percentage points (95 % interval" in first and "n = 1,024 networks" in first


def test_schemes_are_compared_at_a_single_width_too(tmp_path):
    study = dataclasses.replace(STUDY, axes={"scheme": [He(), Glorot()]}, width=4)
    good = {"He": 0.8, "Glorot": 0.4}
    found = measured(study, Storage(tmp_path), lambda cell: good[type(cell.scheme).__name__])
    assert answer(found)[0].startswith(
        "He succeeds more often: on average over the one setting studied it succeeds"
    )
    assert "n = 256 networks each" in answer(found)[0]


def test_where_another_is_better_is_said(tmp_path):
    study = dataclasses.replace(STUDY, axes={"scheme": [He(), Glorot()], "width": [2, 4, 8]})
    storage = Storage(tmp_path)
    rates = {"He": {2: 0.7, 4: 0.5, 8: 0.5}, "Glorot": {2: 0.4, 4: 0.9, 8: 0.9}}
    for cell in study.cells():
        rows = synthetic_rows(study.name, cell, [0])
        n = round(256 * rates[type(cell.scheme).__name__][cell.width])
        rows["success"] = rows["trainable"] = np.arange(256) < n
        rows["final_loss"] = np.where(rows["success"], 1e-4, 0.5).astype(np.float32)
        storage.write_rows(study.name, rows, MADE)
    first, second, *_ = answer(find(study, storage))
    assert first.startswith("Glorot succeeds more often: on average over the 3 widths studied it")
    assert second.startswith("It is not the best everywhere: at width 2 He succeeds 30.1 percentage"
                             " points (")  # fmt: skip
    assert second.endswith("more often than Glorot.")


def test_every_axis_of_strategies_is_compared(tmp_path):
    axes = {
        "activation": [ReLU(), LeakyReLU(negative_slope=0.1)],
        "width": [2, 4],
        "optimizer": [Adam(learning_rate=0.02), SGD(learning_rate=0.1)],
    }
    study = dataclasses.replace(STUDY, axes=axes, optimizer=None, scheme=He())
    found = measured(
        study, Storage(tmp_path), lambda cell: 0.7 if isinstance(cell.optimizer, Adam) else 0.3
    )
    assert found.comparisons.axes == ["activation", "optimizer"]
    sentences = better_sentences(found)
    assert "LeakyReLU" in sentences[0] and "width and optimizer studied" in sentences[0]
    assert (
        sentences[1].startswith("Adam")
        and "the 4 combinations of width and activation" in (sentences[1])
    )
    # Two activations start from the same networks: they are pairs, and so they count once.
    places = found.comparisons.places
    assert places["paired"].all()
    assert found.comparisons.of("optimizer")["sharing"].tolist() == [2]


def test_a_study_that_grew_says_over_what_it_pools_and_counts_every_place(tmp_path):
    found = measured(STUDY, Storage(tmp_path), lambda cell: 0.6)
    declared = dataclasses.replace(STUDY, axes={**STUDY.axes, "width": [4, 8]})
    comparisons = compare_strategies(declared, found.rates, found.measured.networks, 2, 0.95)
    grown = dataclasses.replace(found, n_looks=2, comparisons=comparisons)
    assert "on average over the 2 widths declared" in better_sentences(grown)[0]
    table = comparisons_table(grown, "scheme")
    assert all(sum(map(int, entries[-3:])) == 4 for entries in table.body)


def test_every_table_names_the_tests_of_its_own_axis(tmp_path):
    axes = {"scheme": [He(), Glorot()], "width": [2, 4], "loss": [MeanSquaredError(), Huber()]}
    study = dataclasses.replace(STUDY, axes=axes)
    found = measured(study, Storage(tmp_path), lambda cell: 0.6)
    notes = [comparisons_table(found, axis).note for axis in ("scheme", "loss")]
    assert ["McNemar" in note for note in notes] == [False, True]
    shared = "2 places that share their initializations count as one"
    assert [shared in note for note in notes] == [True, False]


def test_at_a_few_shapes_the_largest_difference_is_told_of_each(tmp_path):
    """Whether a choice matters less somewhere no mean over all places says."""
    axes = {"scheme": [UnitSphere(), He()], "width": [(8, 4), (4, 8)]}
    study = dataclasses.replace(STUDY, axes=axes, depth=3)
    good = {((8, 4), "UnitSphere"): 0.8, ((4, 8), "UnitSphere"): 0.7}

    def useful(cell):
        return good.get((cell.width, type(cell.scheme).__name__), 0.3)

    shapes = measured(study, Storage(tmp_path), useful)
    text = better_sentences(shapes)[1]
    assert text.startswith("The largest difference is ") and text.count("UnitSphere over He") == 2
    for place in ("(8, 4)", "(4, 8)"):
        row = shapes.comparisons.places.set_index("widths").loc[place]
        low, high = (-100 * row[f"difference_{end}"] for end in ("high", "low"))
        assert (
            f"{-100 * row['difference']:.1f} percentage points (95 % interval {low:.1f} to " in text
        )
        assert f"{high:.1f}; UnitSphere over He) at widths {place}" in text
    other = measured(
        dataclasses.replace(STUDY, name="numbers"), Storage(tmp_path), lambda cell: 0.6
    )
    assert not any("largest difference" in sentence for sentence in better_sentences(other)[1:])


@pytest.mark.parametrize(
    ("p_value", "words"),
    [(1e-7, "beyond reasonable doubt"), (1e-4, "with strong evidence"),
     (0.04, "with some evidence"), (0.06, "but chance explains it as well")],
)  # fmt: skip
def test_confidence_is_a_matter_of_words(p_value, words):
    assert confidence(p_value) == words
