"""What may vary: every axis and every field of what an axis holds, by the name of its place."""

import dataclasses

import pytest
from tuning_in_process import a_tuning

from trainability import SGD, Adam
from trainability.activations import GELU, LeakyReLU, ReLU
from trainability.errors import StudyError
from trainability.losses import Huber, MeanAbsoluteError, MeanSquaredError
from trainability.optimizers.schedules import Constant, Cosine
from trainability.penalties import L1, L2
from trainability.schemes import DataDependent, Glorot, He, SignFlipped
from trainability.tuning import Choice, Integers, MedianSteps, Range, SmallestWidth, Tuning
from trainability.tuning.objectives import SuccessRate
from trainability.tuning.parameters import FIXED, TUNABLE
from trainability.tuning.wording import pasted, written

ARCHITECTURE = {
    "scheme.bias_std": Range(0.01, 10, log=True),
    "scheme": Choice([He(), Glorot(), DataDependent()]),
    "scheme.sigma_e": Range(0.01, 1, log=True),
    "width": Integers(2, 6),
    "depth": Integers(2, 3),
    "activation": Choice([ReLU(), LeakyReLU(0.1), GELU()]),
    "loss": Choice([MeanSquaredError(), Huber()]),
    "penalty": Choice([None, L2(1e-4), L1(1e-4)]),
    "penalty.coefficient": Range(1e-6, 1e-2, log=True),
    "optimizer": Choice([Adam(0.02), SGD(0.1)]),
    "optimizer.schedule": Choice([Constant(), Cosine(100)]),
    "optimizer.learning_rate": Range(1e-3, 1, log=True),
    "batch_size": Choice([None, 4, 8]),
}


def architecture(**changes) -> Tuning:
    settings = {"vary": ARCHITECTURE, "objective": SuccessRate(), "width": 4, "tolerance": 1e-3}
    return a_tuning(**settings | changes)


def test_every_axis_but_those_that_make_success_may_vary():
    # Copies of a module stand in a file of their own.
    assert {*ARCHITECTURE, "network"} >= set(TUNABLE)
    assert not set(FIXED) & set(TUNABLE)
    assert architecture().axes == [name for name in TUNABLE if name != "network"]


def test_it_is_read_back_from_json_as_it_was():
    tuning = architecture()
    again = Tuning.from_json(tuning.to_json())
    assert again.to_json() == tuning.to_json()
    assert again.search_id == tuning.search_id
    assert again.vary == tuning.vary
    assert again.space == tuning.space
    assert again.default == tuning.default


def test_settings_are_there_where_the_chosen_value_has_them():
    space = architecture().space
    assert space.conditions["scheme.bias_std"].values == (He(), Glorot())
    assert space.conditions["scheme.sigma_e"].values == (DataDependent(),)
    assert space.conditions["penalty.coefficient"].values == (L2(1e-4), L1(1e-4))
    # Every optimizer has a learning rate and a schedule.
    assert not {"optimizer.learning_rate", "optimizer.schedule", "width"} & set(space.conditions)


def test_a_candidate_is_the_default_with_its_settings():
    tuning = architecture()
    values = {
        "scheme": DataDependent(), "scheme.sigma_e": 0.3, "width": 5, "depth": 3,
        "activation": GELU(), "loss": Huber(), "penalty": L1(1e-4), "penalty.coefficient": 1e-3,
        "optimizer": SGD(0.1), "optimizer.schedule": Cosine(100), "optimizer.learning_rate": 0.5,
        "batch_size": 8, "scheme.bias_std": None,
    }  # fmt: skip
    settings = tuning.space.settings(values)
    cell = tuning.cell(settings)
    assert cell.scheme == DataDependent(sigma_e=0.3)
    assert cell.optimizer == SGD(0.5, schedule=Cosine(100))
    assert (cell.width, cell.depth, cell.batch_size) == (5, 3, 8)
    assert (cell.activation, cell.loss, cell.penalty) == (GELU(), Huber(), L1(1e-3))
    assert (cell.task, cell.max_steps, cell.seed) == (tuning.task, 200, 0)
    assert written(tuning, settings).startswith("DataDependent(sigma_e=0.3), width 5, depth 3, SGD")
    pairs = eval(f"dict({pasted(tuning, settings)})", vars(__import__("trainability")) | globals())
    assert all(getattr(cell, name) == value for name, value in pairs.items())
    assert set(pairs) == set(TUNABLE) - {"network"}
    default = tuning.cell(None)
    assert (default.scheme, default.width, default.penalty) == (He(), 4, None)


def test_the_default_is_a_candidate_where_its_values_are_among_those_that_vary():
    wide = {"scheme": Choice([He(), DataDependent()]), "scheme.sigma_e": Range(0.01, 1)}
    tuning = architecture(vary=wide | {"width": Choice([4, 8]), "penalty": Choice([None, L2(1)])})
    assert tuning.default == (He(), None, 4, None)
    assert tuning.cell(tuning.default) == tuning.cell(None)
    assert architecture(vary={"width": Integers(5, 9)}).default is None
    assert architecture(vary={"penalty": Choice([L1(1), L2(1)])}).default is None


@pytest.mark.parametrize(
    ("vary", "place", "chosen"),
    [
        ({"bias_std": Range(0.1, 1)}, "scheme.bias_std", He(bias_std=0.1)),
        ({"scheme.bias_std": Range(0.1, 1)}, "scheme.bias_std", He(bias_std=0.1)),
        ({"distribution": Choice(["normal", "uniform"])}, "scheme.distribution", He("normal")),
        ({"scheme": Choice([He("uniform"), Glorot()])}, "scheme", He("uniform")),
    ],
)
def test_a_field_alone_names_its_place(vary, place, chosen):
    tuning = a_tuning(vary=vary)
    [path] = tuning.paths.values()
    assert ".".join(path) == place
    assert tuning.cell(tuning.space.at([0.0]), 4).scheme == chosen


def test_fields_within_fields():
    tuning = a_tuning(
        scheme=SignFlipped(He(bias_std=1.0)),
        optimizer=Adam(0.02, schedule=Cosine(100)),
        vary={
            "scheme.scheme.bias_std": Range(0.1, 1),
            "optimizer.schedule.steps": Integers(10, 50),
        },
    )
    cell = tuning.cell((0.3, 20), 4)
    assert cell.scheme == SignFlipped(He(bias_std=0.3))
    assert cell.optimizer.schedule == Cosine(20)


def test_only_the_schemes_own_settings_are_paired_over():
    assert architecture().cell(None).paired_over == ("bias_std", "sigma_e")
    assert (
        a_tuning(vary={"width": Integers(2, 4)}, objective=SuccessRate(), width=3)
        .cell(None)
        .paired_over
        == ()
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vary": {"task": Choice([1, 2])}}, "vary 'task': it is what is learned"),
        ({"vary": {"tolerance": Range(1e-4, 1e-2)}}, "part of what success means"),
        ({"vary": {"max_steps": Integers(10, 20)}}, "part of what success means"),
        ({"vary": {"widht": Integers(2, 4)}}, "unknown; wanted one of .*did you mean width"),
        ({"vary": {"scheme.bias_sd": Range(1, 2)}}, r"did you mean scheme\.bias_std"),
        ({"vary": {"scheme.": Range(1, 2)}}, r"vary 'scheme\.': unknown"),
        ({"vary": {3: Range(1, 2)}}, "vary 3: wanted the name of a setting"),
        ({"vary": {"bias_std": Range(1, 2), "scheme.bias_std": Range(1, 2)}}, "varies already"),
        ({"vary": {"width": Range(2, 8)}}, r"vary 'width': width must be an int >= 1, got 2\.0"),
        ({"vary": {"width": Integers(0, 8)}}, "vary 'width': width must be an int >= 1, got 0"),
        ({"vary": {"depth": Integers(1, 3)}}, "vary 'depth': depth must be an int >= 2, got 1"),
        ({"vary": {"batch_size": Choice([None, 0])}}, "batch_size must be None or an int >= 1"),
        ({"vary": {"batch_size": Integers(8, 99)}}, "batch_size 99 exceeds the 16 training points"),
        ({"vary": {"activation": Choice([ReLU, GELU])}}, "activation must be an activation"),
        ({"vary": {"activation": Range(0, 1)}}, "activation must be an activation"),
        ({"vary": {"penalty": Choice([0, L2(1)])}}, "penalty must be None or a penalty"),
        ({"vary": {"optimizer": Choice([He(), SGD(1)])}}, "optimizer must be an optimizer"),
        ({"vary": {"penalty.coefficient": Range(1, 2)}}, r"'penalty\.coefficient': unknown"),
        ({"vary": {"scheme.distribution": Choice(["normal", "cauchy"])}}, "cauchy can't be used"),
        ({"vary": {"learning_rate": Integers(0, 2)}}, "the low ends of the ranges can't be used"),
        ({"vary": {"learning_rate": Choice([0.1, "fast"])}}, "learning_rate fast can't be used"),
        ({"vary": {"width": Integers(2, 10**6), "depth": Integers(2, 9)}}, "at most 33,554,432"),
        ({"loss": MeanAbsoluteError(), "tolerance": 0.5}, "tolerance 0.5 is not below"),
        (
            {"vary": {"loss": Choice([MeanSquaredError(), Huber()])}, "tolerance": 0.15},
            "tolerance 0.15 is not below 0.14",
        ),
        ({"objective": SuccessRate(width=3)}, "width varies, and the objective is about width 3"),
        ({"objective": SmallestWidth([2, 4])}, "width varies, and the objective is about width 2"),
        ({"objective": [SuccessRate(), MedianSteps(4)]}, "width varies, and the objective"),
        ({"width": None}, "width must be given: the default's, to compare with"),
        ({"width": 2.5}, r"width must be an int >= 1, got 2\.5"),
        (
            {"vary": {"bias_std": Range(1, 2)}, "objective": SuccessRate(width=3)},
            "width 4 has no effect",
        ),
        ({"vary": {"bias_std": Range(1, 2)}, "width": None}, "width must be given: the objective"),
    ],
)
def test_what_is_wrong_is_said(changes, message):
    with pytest.raises(StudyError, match=message):
        architecture(**changes)


def test_all_that_is_wrong_is_said_at_once():
    vary = {"width": Range(2, 8), "depth": Integers(1, 2), "activaton": 3, "tolerance": Range(1, 2)}
    with pytest.raises(StudyError, match="7 problems") as error:
        architecture(vary=vary, budget=1)
    for part in ("width must be", "depth must be", "did you mean activation", "success means"):
        assert part in str(error.value)


def test_a_loss_is_no_objective_over_losses():
    @dataclasses.dataclass(frozen=True)
    class MedianLoss(SuccessRate):
        in_units_of_loss = True

    with pytest.raises(StudyError, match="measured in units of the loss"):
        architecture(objective=MedianLoss())
    architecture(objective=MedianLoss(), vary={"width": Integers(2, 6)})


def test_a_bound_on_the_born_dead_is_refused_where_theory_knows_none():
    from trainability.activations import ReLU6

    vary = {"activation": Choice([ReLU(), ReLU6()])}
    with pytest.raises(StudyError, match=r"max_born_dead can't be held with ReLU6\(\)"):
        architecture(vary=vary, max_born_dead=0.2)
    architecture(vary={"activation": Choice([ReLU(), GELU()])}, max_born_dead=0.2)


def test_a_scheme_whose_setting_is_named_as_a_column_of_the_tables_must_say_its_place():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Lowered(He):
        low: float = 0.5

    with pytest.raises(StudyError, match=r"the tables have a column of that name.*scheme\.low"):
        a_tuning(scheme=Lowered(), vary={"low": Range(0.1, 1)})
    assert a_tuning(scheme=Lowered(), vary={"scheme.low": Range(0.1, 1)})
