"""The map of the house: imports flow one way, and importing the package stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import trainability

ROOT = Path(trainability.__file__).parent
ROOMS = [
    "errors", "identity", "seeds", "domains", "arithmetic", "theory", "schemes", "activations",
    "losses", "penalties", "optimizers", "tasks", "networks", "death", "training", "study",
    "results", "storage", "stored", "trial", "plan", "provenance", "analysis", "precision",
    "plots", "tracking", "launch", "tuning", "report", "notebook", "modules", "benchmark", "cli",
]  # fmt: skip
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


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_before_it(path):
    here = ROOMS.index(room(path))
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "trainability" and len(parts) > 1 and parts[1] in ROOMS:
            assert ROOMS.index(parts[1]) <= here, f"{room(path)} imports {name}"


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


def test_every_file_stays_readable():
    for path in files():
        assert len(path.read_text().splitlines()) <= 400, path
