"""What the command line shows: text as text, commands that can be pasted, no secrets."""

import ast
import json
import re
import subprocess
import sys

import pytest
from synthetic_rows import store

from trainability import addresses, provenance, tracking, version
from trainability.cli import main
from trainability.cli.app import Terminal
from trainability.errors import StudyFailed
from trainability.report.figures import drawings
from trainability.report.pictures import Picture
from trainability.storage import Storage
from trainability.study import load_study

STUDY = """
from trainability import Adam, Study
from trainability.schemes import He
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="mine",
    question="Is [/a] kept, and :smile:, and [bold]this[/]?",
    task=AbsoluteValue(n_train=16),
    axes={"width": [2, 4]},
    scheme=He(),
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)
"""
SECRET = (
    "s3://AKIAEXAMPLE12345:wJalrXUt%2FnFEMI@bucket/place?endpoint_override=http://{}&token=tOkEn9"
)
FOLDERS = [
    "two words",
    "[v2]",
    "[/a]",
    "$(touch no)",
    'it\'s "so"',
    "ümlaut",
    "new\nline",
    ":smile:",
]


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

    monkeypatch.setattr(addresses, "_remembered", {})
    return calling


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A study file in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(STUDY)
    return load_study("mine.py")


def words_of(line):
    """What a shell makes of a command that was shown."""
    script = f"trainability() {{ printf '%s\\0' \"$@\"; }}\n{line}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def undrawn(findings, folder, helper):
    return {name: Picture("", 1, name) for name in drawings(findings)}


@pytest.mark.parametrize("folder", FOLDERS)
def test_commands_that_are_shown_name_the_same_storage(call, mine, tmp_path, folder, monkeypatch):
    if folder != "new\nline":  # to draw all pictures once is enough: where it is hardest
        monkeypatch.setattr("trainability.report.build.draw_pictures", undrawn)
    place = tmp_path / folder
    code, out, _ = call("status", "mine.py", "--storage", place)
    assert code == 0
    line = out.split("run:  ")[1].removesuffix("\n")
    assert words_of(line) == ["run", "mine.py", "--storage", str(place)]
    assert not (tmp_path / "no").exists()
    code, _, err = call("report", "mine.py", "--storage", place)
    line = err.split("; first: ")[1].removesuffix("\n")
    assert code == 2 and words_of(line) == ["run", "mine.py", "--storage", str(place)]
    storage = Storage(place)
    for cell in mine.cells():
        store(storage, "mine", cell, [0])
    code, out, _ = call("report", "mine.py", "--storage", place)
    assert code == 0 and "Is [/a] kept, and :smile:, and [bold]this[/]?" in out
    assert f"report:  {place}/mine/report/index.html" in out
    page = (place / "mine" / "report" / "index.html").read_text()
    from html import unescape

    parts = page.split('<pre class="command"><code>')[1:]
    commands = [unescape(part.split("</code></pre>")[0]) for part in parts]
    first, _, last = commands
    assert words_of(first) == ["run", "mine", "--storage", place.name]
    python = words_of("trainability" + last.removeprefix("python"))
    assert python[0] == "-c"
    [storage_text] = [
        node.args[0].value
        for node in ast.walk(ast.parse(python[1]))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Storage"
    ]
    assert storage_text == place.name


@pytest.mark.parametrize("wrong", ["[/a]", "[bold]x[/]", "\x1b[31mred", "back\\"])
def test_what_a_user_typed_is_shown_as_it_was_typed(call, wrong):
    for arguments in (("run", f"{wrong}.py"), ("census", wrong), ("theory", "--widths", wrong)):
        code, out, err = call(*arguments)
        assert code == 2 and out == "" and "Traceback" not in err and "\x1b" not in err
        assert wrong.replace("\x1b", "\\x1b") in err or repr(wrong)[1:-1] in err


def test_secrets_of_a_storage_stand_nowhere(call, mine, s3, monkeypatch, tmp_path):
    """Terminal, report, provenance, MLflow: of an address with a key, and of a failing server."""
    host = re.search(r"override=http://([^&]*)", s3("x"))[1]
    plain = s3("place").replace("s3://", "s3://AKIAEXAMPLE12345:wJalrXUt%2FnFEMI@")
    storage = Storage(plain)
    for cell in mine.cells():
        store(storage, "mine", cell, [0])
    uri = "http://alicia4711:Pa%40ssword@127.0.0.1:9/mlflow?token=tOkEn9"
    shown = ""
    for arguments in (
        ("status", "mine.py", "--storage", plain),
        ("report", "mine.py", "--storage", plain),
        ("report", "other", "--storage", plain),
        ("sync", "mine.py", "--storage", plain, "--tracking-uri", f"sqlite:///{tmp_path}/m.db"),
        ("sync", "mine.py", "--storage", plain, "--tracking-uri", uri),
        ("ui", "--storage", plain, "--tracking-uri", uri),
        ("ui", "--tracking-uri", uri, plain),
        ("status", "mine.py", "--storage", SECRET.format(host) + "&nonsense=1"),
        ("run", "mine.py", "--storage", SECRET.format(host) + "&nonsense=1"),
    ):
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        code, out, err = call(*arguments)
        assert "Traceback" not in out + err, arguments
        shown += f"{arguments[0]} {code}\n{out}{err}"
    assert "s3://results/place" in shown and "http://127.0.0.1:9/mlflow" in shown
    assert (
        '--storage "$TRAINABILITY_STORAGE"' in shown and "First set TRAINABILITY_STORAGE" in shown
    )
    assert shown.count("http://127.0.0.1:9/mlflow") >= 2
    pages = "".join(p.read_text(errors="replace") for p in tmp_path.rglob("*") if p.is_file())
    pages += repr(storage.read_bytes("mine/provenance.json"))
    for secret in (
        "AKIAEXAMPLE12345",
        "wJalrXUt",
        "Pa%40ssword",
        "Pa@ssword",
        "tOkEn9",
        "alicia4711",
    ):
        assert secret not in shown and secret not in pages
    assert "$TRAINABILITY_STORAGE" in pages


def test_the_server_of_ui_is_given_its_store_by_its_environment(call, monkeypatch):
    uri = "postgresql://alice:Pa55word@db:5432/mlflow"
    started = []

    def start(command, **settings):
        started.append((command, settings))
        raise StudyFailed("it goes no further")

    monkeypatch.setattr(tracking, "study_pages", lambda uri, server: {"mine": f"{server}/#/x"})
    monkeypatch.setattr(tracking, "require_free_port", lambda port, host: None)
    monkeypatch.setattr("trainability.tracking.server.subprocess.Popen", start)
    code, out, err = call("ui", "--tracking-uri", uri)
    [(command, settings)] = started
    assert code == 1 and "Pa55word" not in " ".join(command) + out + err
    assert settings["env"]["MLFLOW_BACKEND_STORE_URI"] == uri


def test_an_error_that_nobody_expected_ends_without_secrets(call, monkeypatch):
    def fail(*_):
        raise RuntimeError("no route to http://alice:Pa55word@host:5000")

    monkeypatch.setattr("trainability.cli.status.open_study", fail)
    code, _, err = call("status", "mine", "--storage", "http://alice:Pa55word@host:5000")
    assert code == 1 and "RuntimeError: no route to http://host:5000" in err
    assert "Pa55word" not in err


def test_a_terminal_prints_strings_as_they_are(capsys):
    Terminal().print("[/a] :smile: \x07\x1b]0;title")
    assert capsys.readouterr().out == "[/a] :smile: \\x07\\x1b]0;title\n"


def test_the_version_is_told_without_a_command(call):
    code, out, _ = call("--version")
    assert code == 0 and out == f"trainability {version.__version__}\n"


def test_versions_are_told_where_nothing_is_installed(monkeypatch, call):
    """A source tree, or a folder that Ray has copied: there are no metadata."""
    from importlib import metadata

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    told = provenance.describe_environment()
    assert told["version_trainability"] == version.__version__
    assert version.version("numpy") == __import__("numpy").__version__
    assert version.version("no-such-package") == "unknown"
    from trainability.launch import cluster

    assert cluster.version("trainability") == version.__version__
    monkeypatch.setattr(metadata, "version", lambda name: None)  # damaged ones
    assert version.version("no-such-package") == "unknown"


def test_a_census_tells_nothing_of_training_that_there_was_not(call):
    code, out, _ = call("census", "He(bias_std=1.0)", "--networks", 256, "--json")
    rates = json.loads(out)["rates"]
    assert code == 0 and rates["n"] == 256 and "born_dead_rate" in rates
    for name in rates:
        assert not re.search(r"success|trainable|diverged|steps", name), name


def test_a_dry_run_shows_what_a_growing_study_wants_next(call, mine, tmp_path):
    place = tmp_path / "results"
    first = ("run", "mine.py", "--storage", place, "--dry-run")
    assert "512 networks to run" in call(*first)[1]
    storage = Storage(place)
    for cell in mine.cells():
        store(storage, "mine", cell, [0])
    before = sorted(tmp_path.rglob("*"))
    assert "0 networks to run" in call(*first)[1]
    code, out, _ = call(*first, "--precision", 0.02)
    n = int(re.search(r"([\d,]+) networks to run", out)[1].replace(",", ""))
    assert code == 0 and n >= 2 * 256 and "depends on" in out
    # Success lies on both sides of 70 % at widths 2 and 4: width 3 is to be looked at.
    low, high = (storage.read_rows("mine", [cell.id])["success"].mean() for cell in mine.cells())
    code, out, _ = call(*first, "--refine", (low + high) / 2)
    assert code == 0 and "256 networks to run" in out
    assert re.search(r"^ +3 +0 +256 *$", out, re.M)
    assert sorted(tmp_path.rglob("*")) == before
