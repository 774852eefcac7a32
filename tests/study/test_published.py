"""Published numbers stand beside the rows that they are about, and beside no others."""

import dataclasses

import pandas as pd
import pytest

from trainability import Adam, Study
from trainability.errors import StudyError
from trainability.findings.comparing import paper_beside_ours
from trainability.schemes import He
from trainability.study import Published
from trainability.tasks import AbsoluteValue

TASKS = [AbsoluteValue(16), AbsoluteValue(17)]


def published(**changes):
    settings = dict(
        source="Table 2", quantity="success_rate", scheme=He(), values=[(2, 0.5), (3, 1)], n=100
    )
    return Published(**(settings | changes))


def study(*entries):
    return Study(
        name="tiny",
        question="Is it small?",
        axes={"task": TASKS, "depth": [2, 3], "width": [2, 3]},
        scheme=He(),
        optimizer=Adam(learning_rate=5e-3),
        max_steps=20,
        tolerance=1e-3,
        published=entries,
    )


def test_numbers_of_one_task_and_depth_stand_beside_no_other():
    declared = study(published(task=TASKS[1], depth=3))
    rates = pd.DataFrame([cell.columns() for cell in declared.cells()])
    rates = rates.assign(n=256, successes=range(len(rates)), n_trainable=0, n_born_dead=0)
    table = paper_beside_ours(declared, rates, 0.95)
    ours = rates[(rates["task"] == str(TASKS[1])) & (rates["depth"] == 3)]
    assert table["width"].tolist() == [2, 3]
    assert table["ours"].tolist() == (ours["successes"] / 256).tolist()


def test_numbers_must_say_of_which_task_and_depth_they_are():
    with pytest.raises(StudyError, match="must say its depth"):
        dataclasses.replace(
            study(), axes={"width": [4, (4, 4)]}, task=TASKS[0], depth=None, published=[published()]
        )
    with pytest.raises(StudyError, match="(?s)'Table 2' must say its task.*must say its depth"):
        study(published())


def test_json_round_trip_keeps_them():
    declared = study(published(task=TASKS[0], depth=2))
    assert Study.from_json(declared.to_json()) == declared


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": [2]}, "values must be pairs of a width and a rate"),
        ({"values": 2}, "values must be a list of pairs, got 2"),
        ({"values": [(2, 1.5)]}, "values must be pairs of a width and a rate"),
        ({"values": [("2", 0.5)]}, "values must be pairs of a width and a rate"),
        ({"values": [(2, float("nan"))]}, "values must be pairs of a width and a rate"),
        ({"scheme": "He"}, "scheme must be a scheme"),
        ({"quantity": "rate"}, "quantity must be 'success_rate' or"),
        ({"quantity": []}, "quantity must be 'success_rate' or"),
        ({"n": 0}, "n must be None or an int >= 1"),
        ({"task": "abs"}, "task must be None or a task"),
        ({"source": 3, "n": "many"}, "2 problems"),
    ],
)
def test_what_is_no_published_number_is_refused(changes, message):
    with pytest.raises(StudyError, match=message):
        published(**changes)
