"""Published numbers stand beside the rows that they are about, and beside no others."""

import dataclasses

import pandas as pd
import pytest

from trainability import Adam, Study
from trainability.analysis.comparisons import fisher
from trainability.analysis.quantity_table import NAMES
from trainability.analysis.rates import clopper_pearson
from trainability.errors import StudyError
from trainability.findings.published import paper_beside_ours
from trainability.findings.scaling import growths, of_one_look
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


def measured(declared, name="success", n=256, counts=None):
    """A table as `quantity_table` makes it, with one more network that counts in every cell."""
    rows = []
    for index, cell in enumerate(declared.cells()):
        k = index if counts is None else counts[index]
        low, high = map(float, clopper_pearson(k, n))
        se = ((k + 1) * (n + 1 - k) / (n + 2) ** 2 / n) ** 0.5
        rows.append([cell.id, name, n, k, k / n, low, high, se])
    return pd.DataFrame(rows, columns=NAMES)


def beside(declared, table):
    return paper_beside_ours(declared, {c.id: c for c in declared.cells()}, table, 0.95)


def test_numbers_of_one_task_and_depth_stand_beside_no_other():
    table = beside(declared := study(published(task=TASKS[1], depth=3)), measured(declared))
    ours = [
        index / 256
        for index, cell in enumerate(declared.cells())
        if cell.task == TASKS[1] and cell.depth == 3
    ]
    assert table["where"].str.endswith(("width 2", "width 3")).all()
    assert table["ours"].tolist() == ours


def one(value, where, **more):
    settings = dict(source="Table 3", quantity="success", n=1000)
    return Published(value=value, where=where, **(settings | more))


def test_what_is_left_out_of_the_numbers_is_averaged_over():
    declared = study(one(0.2, {"task": TASKS[0], "depth": 2}))
    row = beside(declared, measured(declared)).iloc[0]
    ours = [i for i, c in enumerate(declared.cells()) if c.task == TASKS[0] and c.depth == 2]
    assert row["n_cells"] == 2 and row["ours"] == pytest.approx(sum(ours) / 2 / 256)


def test_agreement_is_tested_and_corrected():
    where = {"task": TASKS[0], "depth": 2, "width": 2}
    n = len(study().cells())
    entries = [one(0.5, where), one(0.9, where), one(0.4, where, relation=">="),
               one(0.9, where, relation=">=", n=None), one(0.51, where, error=0.1)]  # fmt: skip
    declared = study(*entries)
    table = beside(declared, measured(declared, counts=[128] * n))
    assert table["agrees"].tolist() == [True, False, True, False, True]
    assert table["p_value"][1] == pytest.approx(fisher(128, 256, 900, 1000))
    assert (table["p_holm"] >= table["p_value"]).all()


def test_a_budget_is_part_of_what_a_number_is_of():
    axes = {"max_steps": [20, 40], "width": [2, 3]}
    declared = dataclasses.replace(
        study(), axes=axes, task=TASKS[0], published=[one(0.2, {"max_steps": 40, "width": 3})]
    )
    assert beside(declared, measured(declared))["ours"].tolist() == [3 / 256]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"widht": 2}, "where names no axis 'widht'; wanted some of task, scheme"),
        ({"width": 5}, "no cell has width 5; they have 2, 3"),
        ({"scheme": He(bias_std=1.0)}, r"no cell has scheme He\(.*they have He\(\)"),
        ({"max_steps": 21}, "no cell has max_steps 21; they have 20"),
        ({"depth": 2.5}, "no cell has depth 2.5"),
    ],
)
def test_a_number_of_no_cell_is_refused(where, message):
    with pytest.raises(StudyError, match=message):
        study(one(0.5, {"task": TASKS[0], **where}))


def test_all_that_is_wrong_with_where_is_one_message():
    with pytest.raises(StudyError, match="(?s)3 problems.*'widht'.*width 5.*must say its task"):
        study(one(0.5, {"widht": 2, "width": 5}))
    deep = dataclasses.replace(study(), axes={"width": [(2,), (3, 4)]}, task=TASKS[0], depth=None)
    with pytest.raises(StudyError, match="no cell has all of width, depth"):
        dataclasses.replace(deep, published=[one(0.5, {"width": 2, "depth": 3})])


def test_numbers_must_say_of_which_task_and_depth_they_are():
    with pytest.raises(StudyError, match="must say its depth"):
        dataclasses.replace(
            study(), axes={"width": [4, (4, 4)]}, task=TASKS[0], depth=None, published=[published()]
        )
    with pytest.raises(StudyError, match="(?s)'Table 2' must say its task.*must say its depth"):
        study(published())


def test_json_round_trip_keeps_them():
    declared = study(
        published(task=TASKS[0], depth=2), one(0.5, {"task": TASKS[0], "width": 3}, error=0.1)
    )
    assert Study.from_json(declared.to_json()) == declared


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": 1.5, "where": {}}, "(?s)scheme, values can't stand.*a share in \\[0, 1\\]"),
        ({"where": [2]}, "(?s)value must be a finite number.*where must map axes to values"),
        ({"where": {"width": 0}, "value": 0.1}, "where width must be"),
        ({"error": 0.0}, "error must be None or a number > 0"),
        ({"relation": "<"}, "relation must be '=' or '>=' or '<='"),
        ({"values": [2]}, "values must be pairs of a width and a rate"),
        ({"values": 2}, "values must be a list of pairs, got 2"),
        ({"values": [(2, 1.5)]}, "values must be pairs of a width and a rate"),
        ({"values": [("2", 0.5)]}, "values must be pairs of a width and a rate"),
        ({"values": [(2, float("nan"))]}, "values must be pairs of a width and a rate"),
        ({"scheme": "He"}, "scheme must be a scheme"),
        ({"quantity": "rate"}, "quantity must be 'success' or"),
        ({"quantity": []}, "quantity must be 'success' or"),
        ({"n": 0}, "n must be None or an int >= 1"),
        ({"task": "abs"}, "task must be None or a task"),
        ({"source": 3, "n": "many"}, "2 problems"),
    ],
)
def test_what_is_no_published_number_is_refused(changes, message):
    with pytest.raises(StudyError, match=message):
        published(**changes)


def test_a_power_of_the_number_of_samples_stands_beside_that_of_its_tasks():
    sizes = [16, 32, 64]
    tasks = [AbsoluteValue(n) for n in sizes]
    declared = dataclasses.replace(
        study(),
        axes={"task": tasks, "width": [2, 4, 8, 16, 32]},
        depth=2,
        published=[
            Published(
                source="a proof", quantity="minimal_width", value=value, relation=relation,
                where={"task": tasks[0]}, error=error,
            )
            for value, relation, error in (
                (1.0, "<=", None), (1.0, ">=", None), (0.5, "=", None), (0.53, "=", 0.01),
            )
        ],
    )  # fmt: skip
    cells = {cell.id: cell for cell in declared.cells()}
    n = 4096
    # Success is 90 % at a width that grows with the root of the number of samples.
    rates = pd.DataFrame(
        [
            {**cell.columns(), "n": n, "successes": round(n / (1 + n_train**2 / 9 / width**4))}
            for cell in cells.values()
            for n_train, width in [(cell.task.n_train, cell.width)]
        ]
    ).set_index("cell")
    grown = growths(rates, cells, 0.95)
    (power,) = [of.power.power for of in grown]
    table = paper_beside_ours(declared, cells, pd.DataFrame(columns=NAMES), 0.95, 1, grown)
    assert power == pytest.approx(0.5, abs=0.03)
    assert table["ours"].tolist() == [power] * 4
    assert table["agrees"].tolist() == [True, False, True, True]
    assert (table["n"] == n * len(cells)).all() and table["where"].str.contains("Absolute").all()
    # Where cells were looked at five times, intervals hold at any look as p-values do: an interval
    # is about as much wider as by the normal law, and the p-value five times that of one look.
    grown = growths(rates, cells, of_one_look(0.95, 5))
    often = paper_beside_ours(declared, cells, pd.DataFrame(columns=NAMES), 0.95, 5, grown)
    for low, high in (("ours_low", "ours_high"), ("difference_low", "difference_high")):
        wider = (often[high] - often[low]) / (table[high] - table[low])
        assert wider.to_numpy() == pytest.approx(2.576 / 1.960, rel=0.1)
    assert 0.01 < table["p_value"][3] < 0.15
    assert often["p_value"][3] == pytest.approx(5 * table["p_value"][3], rel=0.25)
