"""The map of the house: imports flow one way, and importing the package stays light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from long_tests import LONG

import trainability

ROOT = Path(trainability.__file__).parent
ONLY = {
    "ray": {"launch"},
    "mlflow": {"tracking"},
    "optuna": {"tuning"},
    "matplotlib": {"plots"},
    "typer": {"cli"},
}


def files():
    return sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem[0] != "_")


def room(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def executed(node: ast.AST):
    """All nodes but those below `if TYPE_CHECKING:`, which only a type checker reads."""
    yield node
    if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        yield from executed(child)


def imported(path: Path):
    for node in executed(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "trainability":
                yield from (f"trainability.{alias.name}" for alias in node.names)
            else:
                yield node.module


def test_imports_flow_from_layer_to_layer():
    """The layers stand in pyproject.toml; a room that is in none of them is refused."""
    # In a process of its own: the linter turns off the loggers of whoever calls it.
    code = (
        "from importlinter.cli import lint_imports as lint; raise SystemExit(lint(no_cache=True))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_library_has_one_room(path):
    for name in imported(path):
        rooms = ONLY.get(name.split(".")[0])
        assert rooms is None or room(path) in rooms, f"{room(path)} imports {name}"


def test_importing_the_package_loads_neither_ray_nor_mlflow_nor_matplotlib():
    heavy = ("ray", "mlflow", "matplotlib", "optuna", "torch", "scipy.stats")
    code = f"import sys, trainability; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_map_names_every_room_once():
    text = (ROOT.parent / ".github" / "CONTRIBUTING.md").read_text()
    lines = re.search(r"^\| layer \|.*\n\|---.*\n((?:\|.*\n)+)", text, re.M)[1].splitlines()
    named = [name for line in lines for name in re.findall("`(.*?)`", line.split("|")[2])]
    rooms = {room(path) for path in files()}
    assert sorted(named) == sorted(rooms)


def test_every_file_stays_readable():
    for path in files():
        assert len(path.read_text().splitlines()) <= 400, path


@pytest.mark.parametrize("entry", LONG)
def test_what_is_long_is_named_as_it_is_called(entry):
    """Else it would be neither left out of the quick tests nor run by `-m long`."""
    path, _, name = entry.partition("::")
    text = (Path(__file__).parent / path).read_text()
    assert f"def {name}(" in text or not name
