"""Tunings of copies of a module: their settings, and arguments of the module's function."""

import subprocess
import sys

import numpy as np
import pytest
from torch import nn
from tuning_in_process import Trainer, a_tuning

from trainability import SGD, Module
from trainability.activations import GELU, ReLU
from trainability.errors import StudyError
from trainability.schemes import He, TorchOwn
from trainability.storage import Storage
from trainability.tuning import Choice, Integers, Range, SmallestWidth, SuccessRate, Tuning
from trainability.tuning.loop import run_search
from trainability.tuning.report import write_report
from trainability.tuning.result import judge

pytestmark = pytest.mark.usefixtures("unrendered")


def plain(channels: int = 3, bend: float = 0.1, normed: bool = False) -> nn.Module:
    norm = [nn.BatchNorm1d(channels)] if normed else []
    return nn.Sequential(nn.Linear(1, channels), *norm, nn.LeakyReLU(bend), nn.Linear(channels, 1))


def wide(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))


def even(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(1, channels), nn.Unflatten(1, (2, channels // 2)), nn.Flatten(),
        nn.Linear(channels, 1),
    )  # fmt: skip


def _first_width(module: nn.Module) -> int:
    return next(part.out_features for part in module.modules() if isinstance(part, nn.Linear))


def of_module(**changes) -> Tuning:
    settings = dict(
        network=Module(plain, channels=3, bend=0.1, normed=False),
        optimizer=SGD(learning_rate=0.2),
        vary={
            "channels": Integers(2, 6),
            "network.normed": Choice([False, True]),
            "scheme": Choice([He(bias_std=0.1), TorchOwn()]),
            "learning_rate": Range(0.05, 0.5, log=True),
        },
        scheme=He(bias_std=0.1),
        objective=SuccessRate(),
        max_steps=4,
        tolerance=5e-2,
        budget=8 * 256,
        fresh_replicates=256,
    )
    return a_tuning(**settings | changes)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The same search at one stretch, and stopped and gone on with."""
    tuning, both = of_module(), []
    for name, stop_after in (("one", None), ("two", 3)):
        storage = Storage(tmp_path_factory.mktemp(name))
        if stop_after is not None:
            with pytest.raises(KeyboardInterrupt):
                run_search(tuning, storage, Trainer(tuning, storage, stop_after))
        both.append((storage, run_search(tuning, storage, Trainer(tuning, storage))))
    return tuning, both


def test_a_search_over_a_module_goes_on_where_it_was_stopped(found):
    _, [(_, one), (_, two)] = found
    assert one.rounds == two.rounds
    assert one.finalists.keys() == two.finalists.keys()
    for settings, outcomes in (one.measured | one.finalists).items():
        again = (two.measured | two.finalists)[settings]
        for width, steps in outcomes.items():
            np.testing.assert_array_equal(again[width], steps)


def test_candidates_differ_in_what_the_function_is_called_with(found):
    tuning, [(_, one), _] = found
    networks = {tuning.cell(standing.settings).network for standing in one.standings}
    assert len({network.arguments["channels"] for network in networks if network}) > 1
    assert {network.name for network in networks if network} == {"plain"}
    for settings in one.measured:
        cell = tuning.cell(settings)
        values = tuning.space.active(settings)
        arguments = {"channels": values["channels"], "normed": values["network.normed"]}
        assert cell.network == Module(plain, bend=0.1, **arguments)
        assert _first_width(cell.build()) == values["channels"]


def test_its_report_ends_with_what_can_be_pasted(found, tmp_path):
    tuning, [(storage, one), _] = found
    result = judge(one)
    written = write_report(result, storage, tmp_path / "report")
    assert (written.folder / "candidates.csv").read_text().startswith("channels,network.normed,")
    namespace = {
        "Module": Module, "plain": plain, "He": He, "TorchOwn": TorchOwn, "SGD": SGD,
    }  # fmt: skip
    pasted = eval(f"dict({result.python})", namespace)
    assert pasted["network"] == tuning.chosen(result.winner.settings)["network"]


def test_json_round_trip_without_the_code(monkeypatch):
    of_two = of_module(vary={"network": Choice([Module(plain), Module(wide, width=4)])})
    for tuning in (of_two, of_module()):
        text = tuning.to_json()
        assert Tuning.from_json(text).search_id == tuning.search_id
        with monkeypatch.context() as patch:
            patch.setattr("trainability.study.network._BUILDERS", {})
            without = Tuning.from_json(text)
        assert without.to_json() == text
        assert without.cell(without.default).id == tuning.cell(tuning.default).id
        assert without.cell(None).id == tuning.cell(None).id


def test_a_tuning_without_a_module_says_nothing_of_it():
    assert "network" not in a_tuning().to_json()


def test_a_width_is_the_function_s_where_it_takes_it():
    tuning = of_module(
        network=Module(wide), vary={"bias_std": Range(0.1, 1)}, objective=SmallestWidth([2, 4]),
        budget=16 * 256,
    )  # fmt: skip
    assert [_first_width(tuning.cell(tuning.default, w).build()) for w in (2, 4)] == [2, 4]
    assert tuning.depth is None
    varied = of_module(network=Module(wide), width=4, vary={"width": Integers(2, 8)})
    assert _first_width(varied.cell((5,)).build()) == 5


def test_a_module_may_stand_against_fully_connected_networks():
    tuning = of_module(
        network=None, width=4, vary={"network": Choice([None, Module(plain), Module(wide)])}
    )
    shapes = [(cell.width, cell.depth) for cell in map(tuning.cell, [(None,), *_modules(tuning)])]
    assert shapes == [(4, 2), (None, None), (4, None)]


def _modules(tuning: Tuning) -> list:
    return [(network,) for network in tuning.vary["network"].ends[1:]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 4}, "width is given, but plain takes no argument width"),
        ({"objective": SuccessRate(width=4)}, "width is given, but plain takes no argument width"),
        ({"depth": 3}, "depth is given, but plain takes no argument depth"),
        ({"vary": {"depth": Integers(2, 4)}}, "depth is given, but plain takes no argument depth"),
        (
            {"vary": {"activation": Choice([ReLU(), GELU()])}},
            "activation is of fully connected networks",
        ),
        ({"vary": {"chanels": Integers(2, 4)}}, "did you mean channels?"),
        (
            {"network": Module(plain), "vary": {"channels": Integers(2, 4)}},
            "vary 'channels': unknown",
        ),
        (
            {"vary": {"channels": Range(2.5, 4)}},
            "function that builds the module fails",
        ),
        ({"max_born_dead": 0.1}, "max_born_dead can't be held with plain"),
        (
            {"network": Module(even, channels=2), "vary": {"channels": Integers(2, 5)}},
            "the module can't be run",
        ),
        ({"network": None, "vary": {"bias_std": Range(0.1, 1)}}, "width must be given"),
    ],
    ids=str,
)
def test_what_can_t_be_tuned_is_refused(changes, message):
    with pytest.raises(StudyError, match=message):
        of_module(**changes)


FILE = """
from torch import nn
from trainability import SGD, Module
from trainability.schemes import He
from trainability.tasks import AbsoluteValue
from trainability.tuning import Integers, SuccessRate, Tuning

def build(channels):
    return nn.Sequential(nn.Linear(1, channels), nn.ReLU(), nn.Linear(channels, 1))

TUNING = Tuning(
    name="modules", question="How many channels?", task=AbsoluteValue(n_train=8), scheme=He(),
    network=Module(build, channels=2), vary={"channels": Integers(2, 9)}, max_steps=2,
    objective=SuccessRate(), tolerance=1e-2, optimizer=SGD(learning_rate=0.1), budget=8 * 256,
    fresh_replicates=256,
)
"""


def test_the_command_tunes_a_module_and_its_json_wants_the_file(tmp_path):
    (tmp_path / "modules.py").write_text(FILE)

    def tune(file):
        return subprocess.run(
            [sys.executable, "-m", "trainability", "tune", file, "--no-ray"],
            cwd=tmp_path, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    done = tune("modules.py")
    assert done.returncode == 0, done.stderr
    assert "network=Module(build, channels=" in done.stdout
    (tmp_path / "results/modules/tuning.json").rename(tmp_path / "alone.json")
    alone = tune("alone.json")
    assert alone.returncode == 2
    assert "JSON can't hold code; run the study file" in alone.stderr
    assert "Traceback" not in alone.stderr
