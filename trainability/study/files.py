"""Which files of studies there are, and which one a path or a name means; none is opened."""

from __future__ import annotations

from pathlib import Path

from trainability.catalogs import did_you_mean
from trainability.checks import shown
from trainability.errors import StudyError

STUDIES = Path("studies")
MODULE_PREFIX = "trainability_study_"
"""How the name begins under which a study file is a Python module."""
_MOST_FILES = 5
"""Of a folder that are named, where one is given instead of a file."""
_PACKAGE = Path(__file__).resolve().parents[1]


def find_study_file(text: str) -> Path:
    """The file of that path, or of that name in `studies/` or among those that are shipped.

    Raises:
        StudyError: If there is none.
    """
    try:
        path = Path(text)
        if path.suffix in (".py", ".json"):
            if path.is_file():
                return path.resolve()
            raise StudyError(f"no study file {text}; wanted an existing .py or .json file")
        named = own_study_file(text) or shipped_studies().get(text)
        if named is not None:
            return named.resolve()
        if folder := folder_problem(text):
            raise StudyError(folder)
    except (OSError, ValueError) as error:  # too long a name, a null byte
        raise StudyError(f"no study {shown(text)}: {error}") from error
    names = study_names()
    raise StudyError(
        f"no study {shown(text)}{did_you_mean(text, names)}; "
        f"wanted a .py or .json file, or one of: {', '.join(names)}"
    )


def folder_problem(text: str) -> str | None:
    """What is wrong with a folder that is given for a study; None if it is no folder."""
    folder = Path(text)
    if not folder.is_dir():
        return None
    files = ", ".join(str(file) for file in sorted(folder.glob("*.py"))[:_MOST_FILES])
    such = f", such as one of it: {files}" if files else ": a .py or .json file"
    return f"{text} is a folder; wanted a study file{such}"


def own_study_file(text: str) -> Path | None:
    """The file of that name in `studies/` of the current directory, if there is one."""
    named = STUDIES / f"{text}.py"
    return named if named.is_file() else None


def study_names() -> list[str]:
    """What may be asked for by name: in `studies/` of the current directory, and shipped."""
    return sorted({*(path.stem for path in STUDIES.glob("*.py")), *shipped_studies()})


def shipped_studies() -> dict[str, Path]:
    """The files of the studies that come with this package, by name."""
    # In an installed package; in a source tree, where they have a folder of their own, beside it.
    installed, source = _PACKAGE / "_studies", _PACKAGE.parent / "studies"
    in_source = (_PACKAGE.parent / "pyproject.toml").is_file()
    folder = source if in_source and not installed.is_dir() else installed
    return {path.stem: path for path in sorted(folder.glob("*.py"))}
