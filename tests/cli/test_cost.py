"""What a dry run says of time is measured here, or it says that it is not known."""

import json
import platform

import pytest
from storage.in_process import call
from synthetic_rows import MADE, synthetic_rows
from torch import nn

from trainability import Adam, Module, Study
from trainability.cli.cost import in_words
from trainability.schemes import He
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue
from trainability.trial import Runtime, run_trial


def study(name, width, max_steps=100):
    return Study(
        name=name,
        question="What does it cost?",
        task=AbsoluteValue(n_train=16),
        axes={"width": [width, 2 * width]},
        scheme=He(),
        optimizer=Adam(learning_rate=0.02),
        max_steps=max_steps,
        tolerance=1e-3,
        replicates=256,
    )


def two_layers(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))


def of_modules(name, width):
    fields = {name: getattr(study(name, width), name) for name in ("question", "task", "optimizer")}
    return Study(
        name=name,
        axes={"network": [None, Module(two_layers)], "width": [width]},
        scheme=He(),
        max_steps=2,
        tolerance=1e-3,
        replicates=256,
        **fields,
    )


@pytest.fixture
def dry(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(declared):
        (tmp_path / f"{declared.name}.json").write_text(declared.to_json())
        words = ("run", f"{declared.name}.json", "--dry-run", "--replicates", 512)
        done = call(*words)
        assert done.code == 0, done
        return json.loads(call(*words, "--json").out)["expected"], " ".join(done.out.split())

    return run


@pytest.fixture(autouse=True)
def never_measured(monkeypatch):
    """Whatever `bench` has kept on the machine that runs the tests."""
    monkeypatch.setattr("trainability.cli.cost.expected_seconds", lambda cells, networks: None)


def stored(declared, seconds, network_steps, number=0, **made):
    """Rows of a cell of a study, made here in some seconds."""
    storage = Storage("results")
    storage.write_bytes(f"{declared.name}/study.json", declared.to_json().encode())
    ours = {
        "host": platform.node(),
        "seconds": str(seconds),
        "network_steps": str(network_steps),
    }
    cell = declared.cells()[number]
    if cell.network is None:
        rows = synthetic_rows(declared.name, cell, [0])
    else:
        rows, _ = run_trial(declared.name, cell, [0], Runtime())
    storage.write_rows(declared.name, rows, MADE | ours | made)
    return cell


def test_where_nothing_has_run_the_time_is_not_known(dry):
    mine = study("mine", 2)
    cost, text = dry(mine)
    operations = sum(cell.operations for cell in mine.cells()) * 512
    assert cost["operations_at_most"] == operations
    assert cost["seconds"] is cost["seconds_at_most"] is cost["measured_on"] is None
    assert "time: unknown; a study of such networks that has run on this machine" in text
    stored(study("other", 3), 2.0, 1000, host="elsewhere")
    stored(study("another", 3), 2.0, 1000, device="cuda")
    assert dry(mine)[0]["seconds_at_most"] is None


def test_where_nothing_has_run_bench_may_know(dry, monkeypatch):
    monkeypatch.setattr(
        "trainability.cli.cost.expected_seconds",
        lambda cells, networks: 1e-3 * sum(networks.values()),
    )
    monkeypatch.setattr("trainability.cli.cost.available_cores", lambda: 3)
    cost, text = dry(study("mine", 2))
    assert cost["seconds_at_most"] == pytest.approx(1.024 * 3)
    assert cost["measured_on"] == "trainability bench"
    assert "time: 3.1 s of one core for these steps, by what trainability bench has" in text
    assert "starting, counting the dead and the report come on top" in text
    stored(study("other", 3), 2.0, 5000)
    assert dry(study("mine", 2))[0]["measured_on"] == "256 networks of other"


def test_the_time_is_that_at_the_pace_of_what_ran_here(dry):
    mine = study("mine", 2)
    cell = stored(study("other", 3), 2.0, 5000)
    cost, text = dry(mine)
    pace = cell.operations / 100 * 5000 / 2.0
    assert cost["seconds_at_most"] == pytest.approx(cost["operations_at_most"] / pace)
    assert cost["seconds"] is None and cost["measured_on"] == "256 networks of other"
    assert "at the pace of 256 networks of other on this machine" in text and "about" not in text


def test_the_likely_time_is_that_of_networks_that_end_as_early_as_stored_ones(dry):
    mine = study("mine", 2)
    first = stored(mine, 2.0, 256 * 25)  # a quarter of the budget of 100 steps
    cost, text = dry(mine)
    pace = first.operations / 100 * 256 * 25 / 2.0
    second = mine.cells()[1]
    likely = first.operations * 256 / 4 + second.operations * 512  # of the second nothing is known
    assert cost["seconds"] == pytest.approx(likely / pace)
    assert cost["seconds"] < cost["seconds_at_most"] and "as early as those stored" in text


def test_nothing_to_do_costs_nothing(dry):
    assert in_words(90) == "1.5 min" and in_words(3600) == "60 min" and in_words(5e5) == "5.8 days"
    mine = study("mine", 2)
    storage = Storage("results")
    for cell in mine.cells():
        storage.write_rows("mine", synthetic_rows("mine", cell, [0, 1]), MADE)
    cost, text = dry(mine)
    assert cost["operations_at_most"] == 0 and "cost" not in text


def test_copies_of_a_module_have_a_pace_of_their_own(dry):
    mine = of_modules("mine", 2)
    stored(study("other", 3), 2.0, 5000)
    cost, text = dry(mine)
    assert cost["seconds_at_most"] is None and "time: unknown" in text  # of half of it nothing ran
    plain, copies = of_modules("theirs", 4).cells()
    assert plain.network is None and copies.network is not None
    stored(of_modules("theirs", 4), 300.0, 1000, number=1)
    cost, text = dry(mine)
    ours = [cell.operations * 512 for cell in mine.cells()]
    other = study("other", 3).cells()[0]
    fast, slow = other.operations / 100 * 5000 / 2.0, copies.operations / 2 * 1000 / 300.0
    assert cost["seconds_at_most"] == pytest.approx(ours[0] / fast + ours[1] / slow)
    assert cost["measured_on"] == "256 networks of theirs and 256 networks of other"
