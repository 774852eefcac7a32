"""Studies: validation that reports everything at once, stable ids, JSON round trip."""

import dataclasses

import pytest

from trainability import Adam, Study
from trainability.errors import StudyError
from trainability.schemes import He, SignFlipped, TorchDefault, UnitSphere
from trainability.study.axes.label_noise import LabelNoise
from trainability.study.records import strategy_types
from trainability.tasks import AbsoluteValue


def a_study(**changes):
    settings = dict(
        name="tiny",
        question="Is it small?",
        task=AbsoluteValue(n_train=16),
        axes={"scheme": [He(), UnitSphere()], "width": [2, 3]},
        optimizer=Adam(learning_rate=5e-3),
        max_steps=20,
        tolerance=1e-3,
        replicates=256,
    )
    return Study(**(settings | changes))


def test_cells_are_the_product_of_the_axes():
    cells = a_study().cells()
    assert [(str(cell.scheme), cell.width) for cell in cells] == [
        ("He()", 2),
        ("He()", 3),
        ("UnitSphere()", 2),
        ("UnitSphere()", 3),
    ]


def test_json_round_trip_keeps_every_cell_id():
    study = a_study(
        axes={"scheme": [He(bias_std=0.1), SignFlipped(He())], "batch_size": [None, 4]},
        width=5,
        depth=3,
    )
    again = Study.from_json(study.to_json())
    assert again == study
    assert [cell.id for cell in again.cells()] == [cell.id for cell in study.cells()]


def test_who_writes_a_study_may_name_a_scheme_as_privately_as_they_like():
    class _Mine(He):
        """A scheme of a notebook."""

    study = a_study(axes={"width": [2]}, scheme=_Mine(bias_std=0.5))
    assert Study.from_json(study.to_json()) == study
    LabelNoise().change_task(AbsoluteValue(n_train=16), 0.5)
    assert "_Exchanged" not in strategy_types()  # ours, which no declaration names


def test_a_range_is_an_axis_like_a_list():
    study = a_study(axes={"width": range(2, 5)}, scheme=He())
    assert [cell.width for cell in Study.from_json(study.to_json()).cells()] == [2, 3, 4]


def test_id_depends_on_identity_and_on_nothing_else():
    cell = a_study().cells()[0]
    assert cell.id == a_study(name="other", question="?", replicates=5000).cells()[0].id
    others = [
        dataclasses.replace(cell, width=7),
        dataclasses.replace(cell, depth=3),
        dataclasses.replace(cell, seed=1),
        dataclasses.replace(cell, tolerance=2e-3),
        dataclasses.replace(cell, max_steps=21),
        dataclasses.replace(cell, batch_size=4),
        dataclasses.replace(cell, scheme=He(bias_std=1e-9)),
        dataclasses.replace(cell, optimizer=Adam(learning_rate=6e-3)),
        dataclasses.replace(cell, task=AbsoluteValue(n_train=17)),
    ]
    assert len({cell.id, *(other.id for other in others)}) == len(others) + 1


def test_cells_that_differ_in_the_optimizer_share_their_initialization():
    cell = a_study().cells()[0]
    other = dataclasses.replace(cell, optimizer=Adam(learning_rate=1.0), tolerance=0.01)
    assert cell.id != other.id
    assert cell.initialization == other.initialization


def test_every_problem_is_reported_at_once():
    with pytest.raises(StudyError) as caught:
        a_study(name="A B", replicates=0, seed=-1, max_steps="many", tolerance=-1.0)
    message = str(caught.value)
    assert message.startswith("5 problems:")
    for part in (
        "name must be lower-case letters, digits, _ and -, got 'A B'",
        "replicates must be an int >= 1, got 0",
        "seed must be an int >= 0, got -1",
        "max_steps must be an int >= 1, got 'many'",
        "tolerance must be a finite number > 0, got -1.0",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {"width": [0]}, "scheme": He()}, "width must be an int >= 1, got 0"),
        ({"axes": {"width": [True]}, "scheme": He()}, "width must be an int >= 1, got True"),
        (
            {"axes": {"width": 8}, "scheme": He()},
            'width must be a list of at least one value, got 8; did you mean "width": \\[8\\]?',
        ),
        (
            {"axes": {"width": []}, "scheme": He()},
            "axis width must be a list of at least one value",
        ),
        ({"axes": {"widht": [2]}, "scheme": He()}, "unknown axis 'widht'.*did you mean width?"),
        ({"axes": {"width": [2, 2]}, "scheme": He()}, "axis width holds a value twice"),
        ({"axes": {"width": [2]}}, "scheme must be a scheme, such as He\\(\\), got None"),
        ({"axes": [1]}, "axes must map names to lists"),
        ({"batch_size": 17}, "batch_size 17 exceeds the 16 training points"),
        ({"depth": 1}, "depth must be an int >= 2"),
        ({"task": "abs"}, "task must be a task, such as AbsoluteValue\\(\\), got 'abs'"),
    ],
)
def test_a_wrong_value_is_refused_by_name(changes, message):
    with pytest.raises(StudyError, match=message):
        a_study(**changes)


def a_message(**changes):
    with pytest.raises(StudyError) as refused:
        a_study(**changes)
    return str(refused.value)


def test_one_mistake_is_one_problem():
    """A width that is misspelt, or a network that is none, is no width that is missing as well."""
    text = a_message(axes={"widht": [2], "scheme": [He()]})
    assert "unknown axis 'widht'" in text and "width must be" not in text
    text = a_message(network=object(), axes={"scheme": [He()]})
    assert "network must be" in text and "width must be" not in text
    assert "width must be" in a_message(axes={"scheme": [He()]})
    assert "did you mean" not in a_message(axes={"width": []}, scheme=He())


def test_a_setting_taken_for_an_axis_is_shown_where_it_belongs():
    text = a_message(axes={"width": [2], "learning_rate": [0.1, 0.01]}, scheme=He())
    assert 'It is a setting of Adam: write "optimizer": [Adam(learning_rate=...), Adam(' in text
    text = a_message(axes={"width": [2], "bias_std": [0.1], "scheme": [TorchDefault(), He()]})
    assert 'It is a setting of He: write "scheme": [He(bias_std=...), He(bias_std=...)]' in text


def test_a_tolerance_that_an_untrainable_network_could_reach_is_refused():
    with pytest.raises(StudyError, match="fewer than 2 active neurons can reach"):
        a_study(tolerance=0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a study"),
        ('{"study": 1, "colour": 3}', "unknown field 'colour'"),
        ('{"study": 1}', "not a whole study"),
    ],
)
def test_json_that_is_no_study_is_refused(text, message):
    with pytest.raises(StudyError, match=message):
        Study.from_json(text)


def test_json_can_not_name_what_is_no_strategy():
    text = a_study().to_json().replace('"type": "He"', '"type": "Hee"')
    with pytest.raises(StudyError, match="unknown type 'Hee'.*did you mean He?"):
        Study.from_json(text)
    text = a_study().to_json().replace('"bias_std"', '"bias"')
    with pytest.raises(StudyError, match="He has no setting 'bias'.*did you mean bias_std?"):
        Study.from_json(text)
