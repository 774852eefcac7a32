"""Load a study from a Python file, a study.json, or by its name in `studies/`."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from trainability.catalogs import did_you_mean
from trainability.checks import reason, shown
from trainability.errors import InputError, StudyError
from trainability.study.declaration import Study
from trainability.study.files import MODULE_PREFIX, find_study_file
from trainability.study.records import strategy_type

T = TypeVar("T")


def load_study(text: str) -> Study:
    """The study in a file, or of a name in `studies/` of the current directory or in this package.

    A `.py` file is the user's own program and is executed; a `.json` file is read as data.

    Raises:
        StudyError: If there is no such study, or it can't be run as it is declared.
    """
    path = find_study_file(text)
    if path.suffix == ".json":
        return read_declaration(path, Study.from_json)
    module = load_module(path)
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study) and hasattr(module, "TUNING"):
        raise StudyError(f"{path} declares a tuning, not a study; use: trainability tune {text}")
    if not isinstance(study, Study):
        raise StudyError(f"{path} declares no study; wanted STUDY = Study(...), got {shown(study)}")
    check_declared_once(path, "STUDY")
    return study


def read_declaration(path: Path, read: Callable[[str], T]) -> T:
    """What a JSON file declares.

    Raises:
        StudyError: If it can't be read; says which file.
    """
    return _located(path, lambda: read(path.read_text(encoding="utf-8")))


def check_declared_once(path: Path, name: str) -> None:
    """Refuse a file that gives `name` a second value: the first would be dropped without a word.

    A second value that is made from the first, as by `dataclasses.replace`, is fine.
    """
    lines = []
    for node in _located(path, lambda: ast.parse(path.read_bytes()).body):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            lines += [] if isinstance(node, ast.AugAssign) or _reads(node, name) else [node.lineno]
    if len(lines) > 1:
        raise StudyError(
            f"{path}:{lines[1]} declares {name} again, after line {lines[0]}; wanted one, put the "
            "other into a file of its own"
        )


def _reads(node: ast.stmt, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)
        for part in ast.walk(node)
    )


def load_module(path: Path) -> ModuleType:
    """Execute a study file as a module of its own name.

    Raises:
        StudyError: If it can't be executed; says the line.
    """
    name = MODULE_PREFIX + re.sub(r"\W", "_", path.stem)
    if not path.is_file():
        raise StudyError(f"{path} is no file; wanted an existing .py file")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StudyError(f"{path} is no Python file; wanted a .py or .json file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # What it prints is no part of an answer on stdout, which may be a JSON document.
    with contextlib.redirect_stdout(sys.stderr):
        _located(path, lambda: spec.loader.exec_module(module))  # type: ignore[union-attr]
    return module


def _located(path: Path, load: Callable[[], T]) -> T:
    """Turn whatever goes wrong in a user's file into one message that says where."""
    try:
        return load()
    except InputError as error:
        raise StudyError(f"{path}{_line(path, error)}: {error}") from error
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        raise StudyError(f"{path}{line}: {error.msg}") from error
    except OSError as error:
        raise StudyError(f"{path}{_line(path, error)} can't be read: {error}") from error
    except KeyboardInterrupt:
        raise
    except SystemExit as error:
        raise StudyError(
            f"{path}{_line(path, error)}: it ends Python (exit code {shown(error.code)}); a study "
            "file only declares"
        ) from error
    except BaseException as error:
        what = _unknown_setting(error) or reason(error)
        raise StudyError(f"{path}{_line(path, error)}: {what}") from error


def _unknown_setting(error: BaseException) -> str | None:
    """What to say of a setting that a scheme, task, optimizer or study does not have."""
    match = re.search(
        r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", reason(error)
    )
    kind = match and (Study if match[1] == "Study" else strategy_type(match[1]))
    if not match or not kind or not dataclasses.is_dataclass(kind):
        return None
    settings = [field.name for field in dataclasses.fields(kind)]
    close = did_you_mean(match[2], settings)
    return f"{match[1]} has no setting {match[2]!r}{close}; it has {', '.join(settings) or 'none'}"


def _line(path: Path, error: BaseException) -> str:
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) == path
    ]
    return f":{lines[-1]}" if lines else ""
