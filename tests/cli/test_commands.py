"""Commands as a user types them: one clear message for what is wrong, JSON that is only JSON."""

import json
import sys

import pytest

from trainability.cli import main

STUDY = """
from trainability import Adam, Study
from trainability.schemes import {scheme_import}
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="mine",
    question="Does it run?",
    task=AbsoluteValue(n_train=16),
    axes={{"scheme": [{scheme}], "width": [{width}]}},
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance={tolerance},
    replicates=256,
)
"""


@pytest.fixture
def call(monkeypatch, capsys):
    """Runs the command line in this process: exit code, stdout, stderr."""

    def calling(*arguments):
        monkeypatch.setattr(sys, "argv", ["trainability", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return code, *capsys.readouterr()

    return calling


def write(folder, scheme="He()", scheme_import="He", width=4, tolerance=1e-2):
    path = folder / "mine.py"
    path.write_text(
        STUDY.format(scheme=scheme, scheme_import=scheme_import, width=width, tolerance=tolerance)
    )
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": "'8'"}, "for each hidden layer, such as (8, 4), got '8'"),
        ({"width": 0}, "width must be an int >= 1, got 0"),
        ({"scheme": "He(bias=1.0)"}, "He has no setting 'bias' (did you mean bias_std?)"),
        ({"scheme": "He(bias_std=-1)"}, "bias_std must be"),
        ({"scheme_import": "Hee as He"}, "cannot import name 'Hee'"),
        ({"tolerance": 0.5}, "fewer than 2 active neurons can reach"),
        ({"width": "("}, "does not match opening parenthesis"),
    ],
)
def test_a_wrong_study_is_refused_with_its_place_and_nothing_written(
    call, tmp_path, changes, message
):
    path = write(tmp_path, **changes)
    code, out, err = call("run", path, "--storage", tmp_path / "results")
    assert code == 2
    assert message in err.replace("\n", " ") and "mine.py" in err
    assert "Traceback" not in err and out == ""
    assert not (tmp_path / "results").exists()


def test_a_storage_that_can_not_be_written_is_refused(call, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = call("run", write(tmp_path), "--storage", tmp_path / "file" / "results")
    assert code == 2 and "is not a folder" in err.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "no study 'nosuch'"),
        (["nosuch.py"], "no study file nosuch.py"),
        (["mine.py", "--replicates", "0"], "--replicates must be >= 1, got 0"),
        (["mine.py", "--engine", "fussed-cpu"], "did you mean fused-cpu?"),
        (["mine.py", "--cpus-per-trial", "nan"], "--cpus-per-trial must be"),
        (["mine.py", "--label", "zone=a", "--label", "zone=b"], "--label has 'zone' twice"),
        (["mine.py", "--storage", "ftp://nowhere"], "storage ftp://nowhere can't be used"),
        (["mine.py", "--storage", "file://host/results"], "names no other machine"),
        (["mine.py", "--storage", "file:results"], "names no other machine"),
        (["mine.py", "--tracking-uri", "nonsense"], "tracking URI 'nonsense' can't be used"),
        (["mine.py", "--tracking-uri", "http://"], "tracking URI 'http://' can't be used"),
        (["mine.py", "--tracking-uri", "./mlruns"], "tracking URI './mlruns' can't be used"),
        (["mine.py", "--tracking-uri", "sqlite:////dev/null/x.db"], "/dev/null is a file"),
        (["mine.py", "--tracking-uri", "sqlite:////tmp"], "'/tmp' is a folder"),
        (["mine.py", "--tracking-uri", "sqlite:///:memory:"], "gone with this process"),
        (["mine.py", "--tracking-uri", "ftp://u:secret@host"], "'ftp://host' can't be used"),
        (["mine.py", "--address", "127.0.0.1:1"], "no Ray cluster at 127.0.0.1:1 (from --address)"),
    ],
)
def test_wrong_options_are_refused(call, tmp_path, monkeypatch, arguments, message):
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    code, out, err = call("run", *arguments)
    assert code == 2 and message in err.replace("\n", " ") and out == ""
    assert [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"] == ["mine.py"]


def test_a_json_study_is_data(call, tmp_path):
    path = tmp_path / "study.json"
    path.write_text('__import__("os").abort()')
    code, _, err = call("run", path, "--storage", tmp_path / "results")
    assert code == 2 and "not valid JSON" in err


def test_a_dry_run_starts_and_writes_nothing(call, tmp_path):
    code, out, _ = call("run", write(tmp_path), "--storage", tmp_path / "results", "--dry-run")
    assert code == 0 and "He()" in out and "256" in out
    assert not (tmp_path / "results").exists()


def test_theory_as_json_holds_known_values(call):
    code, out, _ = call(
        "theory", "--scheme", "UnitSphere", "--widths", "1,2,4", "--need", 2, "--json"
    )
    values = [entry["trainability"] for entry in json.loads(out)["theory"]]
    # P(Bin(n, 5/6) >= 2): the cap of a unit-sphere neuron on [-sqrt 3, sqrt 3] has p = 1/6.
    assert code == 0
    assert values == pytest.approx([0, 25 / 36, 1 - (1 + 20) / 6**4], rel=1e-9)


def test_schemes_are_named_as_for_a_census_or_by_an_option(call):
    _, both, _ = call(
        "theory", "He(bias_std=1.0)", "--scheme", "UnitSphere", "--widths", "2", "--json"
    )
    schemes = [entry["scheme"] for entry in json.loads(both)["theory"]]
    assert schemes == ["He(bias_std=1.0)", "UnitSphere()"]


def test_theory_predicts_success_on_the_absolute_value(call):
    one = ("theory", "--success", "--scheme", "UnitSphere", "--widths", 2)
    code, out, _ = call(*one, "--json")
    (entry,) = json.loads(out)["theory"]
    # Measured .344 over 8,192 networks; .03 is what the law promises, .04 is five errors more.
    assert code == 0 and entry["predicted_success"] == pytest.approx(0.344, abs=0.07)
    assert entry["race_low"] < entry["predicted_success"] < entry["trainability"]
    code, out, _ = call(*one)
    assert code == 0 and "predicted success of Adam" in out and " to " in out
    for option, value in (("--need", 3), ("--d", 2), ("--ball", 1), ("--box", 1), ("--depth", 3)):
        code, _, err = call(*one, option, value)
        assert code == 2 and "--success is known of |x|" in err


def test_theory_of_deep_networks_comes_with_the_bounds_that_hold(call):
    options = ("--need", 1, "--ball", 1, "--restarts", 2, "--json")
    code, out, _ = call("theory", "--scheme", "He()", "--widths", 2, "--depth", 3, *options)
    (entry,) = json.loads(out)["theory"]
    # Two layers of two neurons on an interval without biases, by hand: equality for T <= 2.
    assert code == 0
    assert entry["network_born_dead"] == pytest.approx(0.15625, rel=1e-9)
    assert entry["network_born_dead_lower_1d"] == pytest.approx(0.15625, rel=1e-9)
    assert entry["network_born_dead_lower"] == pytest.approx(2**-4, rel=1e-9)
    assert entry["network_born_dead_upper"] == pytest.approx(1 - (3 / 4) ** 2, rel=1e-9)
    assert entry["network_born_dead_all_restarts_lower"] == pytest.approx(2**-8, rel=1e-9)
    assert entry["trainability"] == pytest.approx(1 - 0.15625, rel=1e-9)
    assert entry["later_neuron_permanently_dead"] == 1 / 4
    assert entry["refused"] == {}
    code, out, _ = call("theory", "--scheme", "RandomizedAsymmetric", "--widths", 2, *options)
    (entry,) = json.loads(out)["theory"]
    assert entry["network_born_dead_upper"] is None
    assert "does not hold for RandomizedAsymmetric" in entry["refused"]["upper"]
    code, out, _ = call("theory", "--scheme", "He()", "--widths", 2, "--depth", 4, "--need", 1)
    assert "0.34017" in out and "at least" in out and "at most" in out


def test_theory_takes_the_widths_of_every_layer(call):
    """2, 2 as in the test above; the bound is that of layers each dead at one input."""
    options = ("--scheme", "He()", "--ball", 1, "--json")
    code, out, _ = call("theory", *options, "--width", "2,2", "--width", "3,2", "--width", "2")
    same, unequal, shallow = json.loads(out)["theory"]
    assert code == 0
    assert [entry["width"] for entry in (same, unequal, shallow)] == [2, [3, 2], 2]
    assert [entry["depth"] for entry in (same, unequal, shallow)] == [3, 3, 2]
    assert [entry["need"] for entry in (same, unequal, shallow)] == [1, 1, 2]
    assert same["network_born_dead"] == pytest.approx(0.15625, rel=1e-9)
    assert unequal["network_born_dead_upper"] == pytest.approx(1 - (7 / 8) * (3 / 4), rel=1e-9)
    assert len(unequal["active_count_pmf"]) == 4
    assert unequal["later_neuron_permanently_dead"] == pytest.approx(1 / 8, rel=1e-12)
    code, out, _ = call("theory", "--width", "16,4", "--width", "8", "--counts")
    assert code == 0 and "(16, 4)" in out and "depth 2" in out and "depth 3" in out
    for command in (("theory",), ("census", "He")):
        for wrong in ("0", "8,", ",", "8,x", "1.5", "(8,(4,2))", "8,100001", "1e9", ""):
            code, _, err = call(*command, "--width", wrong)
            assert code == 2 and "--width must be an int from 1 to 100000, or one for" in err
        code, _, err = call(*command, "--width", "8,4", "--depth", 2)
        assert code == 2 and "width (8, 4) needs depth 3, got depth 2" in err


def test_a_census_takes_the_widths_of_every_layer(call):
    code, out, _ = call("census", "He(bias_std=1.0)", "--width", "6,2", "--networks", 512, "--json")
    found = json.loads(out)
    assert code == 0 and found["passed"]
    assert [layer["width"] for layer in found["layers"]] == [6, 2]
    assert [layer["neurons"] for layer in found["layers"]] == [3072, 1024]
    assert (found["rates"]["width"], found["rates"]["depth"]) == ([6, 2], 3)


def test_theory_tells_counts_and_the_moments_of_a_data_dependent_neuron(call):
    one = ("--scheme", "DataDependent(sigma_in=0.7, sigma_e=0.4)", "--widths", 2)
    code, out, _ = call("theory", *one, "--distances", "0,1.3", "--counts")
    assert code == 0 and "0.16" in out and "0.74017048" in out and "2: 1" in out
    code, out, _ = call("theory", *one, "--distances", "0,1.3", "--json")
    at, far = json.loads(out)["moments"]
    assert (at["mean_square"], far["mean_square"]) == pytest.approx((0.16, 0.7401704831), rel=1e-9)
    assert at["active"] == 1
    for wrong, why in (("-1", "must be numbers >= 0"), ("0,x", "must be numbers >= 0")):
        code, _, err = call("theory", *one, "--distances", wrong)
        assert code == 2 and why in err
    code, _, err = call("theory", "--distances", "1", "--restarts", 0)
    assert code == 2 and "2 problems" in err and "add --scheme DataDependent" in err


def test_theory_refuses_everything_that_is_wrong_at_once(call):
    code, _, err = call("theory", "--depth", 1, "--need", 0, "--figure", "x.gif")
    assert code == 2 and "3 problems" in err


def test_a_census_passes_for_a_scheme_that_keeps_its_law(call, tmp_path):
    figure = tmp_path / "census.png"
    code, out, _ = call(
        "census", "He(bias_std=1.0)", "--networks", 1024, "--json", "--figure", figure
    )
    found = json.loads(out)
    assert code == 0 and found["passed"] and len(found["layers"]) == 2
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_a_thorough_census_leaves_fewer_neurons_undecided(call):
    command = ("census", "He(bias_std=0.3)", "--d", 4, "--box", 1, "--depth", 5, "--width", 4)
    undecided = []
    for option in ((), ("--thorough",)):
        code, out, _ = call(*command, "--networks", 256, "--json", *option)
        assert code == 0
        undecided.append(sum(layer["undecided"] for layer in json.loads(out)["layers"]))
    assert 0 <= undecided[1] < undecided[0] / 4


MY_SCHEMES = '''
from dataclasses import dataclass
import numpy as np
from trainability.schemes import Scheme
from trainability.theory import Gaussian

@dataclass(frozen=True)
class Mine(Scheme):
    """A user's scheme without a law."""

    def draw(self, layer, rng):
        shape = (layer.n_networks, layer.fan_out)
        return rng.standard_normal((*shape, layer.fan_in)), rng.standard_normal(shape)

@dataclass(frozen=True)
class Liar(Mine):
    """One that states a law which it does not keep: its biases are too large."""

    def draw(self, layer, rng):
        weight, bias = super().draw(layer, rng)
        return weight, 2 * bias

    def law(self, fan_in, fan_out):
        return Gaussian(1.0, 1.0)
'''


def test_a_census_works_on_a_scheme_that_a_user_just_wrote(call, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MY_SCHEMES)
    code, out, _ = call("census", "Mine", "--from", path, "--networks", 512, "--json")
    assert code == 0 and json.loads(out)["passed"]


def test_a_census_fails_for_a_scheme_that_breaks_its_law(call, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MY_SCHEMES)
    code, out, err = call("census", "Liar", "--from", path, "--networks", 2048)
    assert code == 1 and "FAIL" in out and "does not do what theory says" in err


def test_unknown_schemes_are_refused(call):
    code, _, err = call("census", "Hee")
    assert code == 2 and "did you mean He?" in err
