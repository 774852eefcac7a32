"""Find and load tunings: a Python file, a tuning.json, or a name in `studies/`."""

from __future__ import annotations

from pathlib import Path

from trainability.checks import shown
from trainability.errors import StudyError
from trainability.study.declaration import Study
from trainability.study.files import find_study_file
from trainability.study.loading import check_declared_once, load_module, read_declaration
from trainability.tuning.declaration import Tuning


def load_tunings(text: str) -> list[Tuning]:
    """The tunings that a file declares, or the one of a tuning.json.

    Raises:
        StudyError: If there is no such file, or it can't be run as it is declared.
    """
    path: Path = find_study_file(text)
    if path.suffix == ".json":
        return [read_declaration(path, Tuning.from_json)]
    module = load_module(path)
    value = getattr(module, "TUNING", None)
    if value is None and isinstance(getattr(module, "STUDY", None), Study):
        raise StudyError(f"{path} declares a study, not a tuning; use: trainability run {text}")
    declared = value if isinstance(value, list | tuple) else [value]
    tunings = [tuning for tuning in declared if isinstance(tuning, Tuning)]
    if not tunings or len(tunings) < len(declared):
        raise StudyError(
            f"{path} declares no tuning; wanted TUNING = Tuning(...), or a list of such, "
            f"got {shown(value)}"
        )
    check_declared_once(path, "TUNING")
    names = [tuning.name for tuning in tunings]
    if len(set(names)) < len(names):
        raise StudyError(f"{path} declares two tunings of one name: {', '.join(names)}")
    return tunings
