"""The declaration of a study: from its file, or from the storage that holds its results."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainability.addresses import shown
from trainability.catalogs import did_you_mean
from trainability.checks import name_problem
from trainability.errors import StorageError, StudyError
from trainability.study.files import (
    find_study_file,
    folder_problem,
    own_study_file,
    study_names,
)

if TYPE_CHECKING:
    from trainability.storage import Storage
    from trainability.study import Study

_RECORD = "study"
_NO_VALUES = ("study", "name", "question", "replicates", "published", "quantity")
"""Fields of a declaration that change no network."""
_LONGEST = 60
_MOST_VERSIONS = 10**6
"""A larger number is no version of newer code, but damage."""
_log = logging.getLogger(__name__)


def open_study(study: str | Path | Study, storage: str | Path | Storage) -> tuple[Study, Storage]:
    """A study, and the storage that holds it or will hold it.

    Of a name that is not in `studies/`, what storage declares comes before what is shipped. Where a
    look at folders tells that there is no such study, neither Arrow nor NumPy is loaded.

    Args:
        study: The study; its file; or the name of one in `studies/`, on storage, or shipped.
        storage: Where results are, and beside them the declaration of every study; or its address.

    Raises:
        StudyError: If it is none of these, and says which there are; or if its file is wrong.
        StorageError: If the storage can't be used, or newer code has written the declaration.
    """
    chosen = _of_a_file(str(study), storage) if isinstance(study, str | Path) else study
    from trainability.storage import Storage

    place = storage if isinstance(storage, Storage) else Storage(storage)
    return (_stored_or_shipped(str(study), place) if chosen is None else chosen), place


def _of_a_file(text: str, storage: str | Path | Storage) -> Study | None:
    """The study of a user's file; None of a name that only storage, or this package, may know."""
    if name_problem("name", text) or own_study_file(text) is not None:
        find_study_file(text)
        from trainability.study import load_study

        return load_study(text)
    if text not in study_names() and isinstance(storage, str | Path):
        address, folder = str(storage), Path(storage)
        if ":" not in address and not os.path.lexists(folder / text) and _can_be_listed(folder):
            stored = sorted(path.parent.name for path in folder.glob("*/study.json"))
            raise StudyError(_unknown(text, shown(folder.resolve()), stored))
    return None


def has_folder(storage: Storage) -> bool:
    """Whether the folder of a storage is there; of an address that is not asked.

    Raises:
        StorageError: If it is a file.
    """
    if not storage.is_local:
        return True
    folder = Path(storage.address)
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"storage {storage.shown} is a file; wanted a folder of results")
    return folder.is_dir()


def _can_be_listed(folder: Path) -> bool:
    return folder.is_dir() or not os.path.lexists(folder)


def _stored_or_shipped(name: str, storage: Storage) -> Study:
    from trainability.study import Study, load_study

    record = _stored_record(name, storage)
    if record is None:
        if name not in study_names():
            raise StudyError(_unknown(name, storage.shown, storage.studies()))
        return load_study(name)
    others = [path for path, other in _copies(name, storage) if _differences(other, record)]
    if others:
        _log.warning(
            "%s",
            f"{storage.shown} holds {len(others) + 1} declarations of {name} with different "
            "values; this is the one that ran last. Of the others name the file: "
            + ", ".join(f"{storage.shown}/{path}" for path in others),
        )
    return Study.from_json(json.dumps(record))


def declare(study: Study, cells: Iterable[str], storage: Storage) -> list[str]:
    """Write a study's declaration beside its results, and keep those that were there before.

    Two users may have given one name to two studies. Their cells lie in one folder and can't be
    mixed up, for a cell is named by its values; so both get what they ask for, and are told.

    Args:
        study: The study.
        cells: Ids of its cells.
        storage: Where its rows are, or will be.

    Returns:
        Sentences for the user; none if nothing is odd.

    Raises:
        StorageError: If newer code has written some of it, before anything is written.
    """
    storage.refuse_newer(study.name, cells)
    before = _stored_record(study.name, storage)
    storage.mend_record(study.name, _RECORD, _parser(study.name))
    text = study.to_json()
    storage.write_record(study.name, _RECORD, text, keep=True)
    if before is None or not (differences := _differences(before, json.loads(text))):
        return []
    copies = [path.rpartition("/")[2] for path, _ in _copies(study.name, storage)]
    return [
        f"{study.name} on {storage.shown} was declared with other values: {'; '.join(differences)}",
        f"what is new runs, and what is stored stays; all declarations are kept "
        f"({', '.join(copies)}). If it is another study, give it another name",
    ]


def _stored_record(name: str, storage: Storage) -> dict[str, Any] | None:
    record = storage.read_record(name, _RECORD, _parser(name))
    if record is not None and record["study"] != 1:
        raise StorageError(
            f"{storage.shown}/{name}/study.json was written by a newer version of trainability; "
            "update it: pip install --upgrade trainability"
        )
    return record


def _parser(name: str):
    """Checks that a record is a declaration of the study of that name, by this or newer code."""

    def parse(record: Any) -> dict[str, Any]:
        version = record["study"]
        if not isinstance(version, int) or not 1 <= version <= _MOST_VERSIONS:
            raise ValueError("it is no declaration of a study")
        if record["name"] != name:
            raise ValueError(f"it declares a study {record['name']!r}")
        if version == 1 and not isinstance(record["axes"], dict):
            raise ValueError("it has no axes")
        return record

    return parse


def _copies(name: str, storage: Storage) -> list[tuple[str, dict[str, Any]]]:
    """All declarations of a name that are kept, the newest first, with their paths."""
    return storage.record_copies(name, _RECORD, _parser(name))


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """In which values two declarations differ, a phrase for each."""
    old, new = _values(before), _values(now)
    return [
        f"{name} {_short(old.get(name))} there, {_short(new.get(name))} here"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _values(record: dict[str, Any]) -> dict[str, Any]:
    """All values of a declaration by name, those that vary as lists."""
    fixed = {name: value for name, value in record.items() if name not in _NO_VALUES}
    return fixed | dict(fixed.pop("axes", {}))


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _unknown(text: str, storage: str, stored: Collection[str]) -> str:
    if folder := folder_problem(text):
        return folder
    declared = study_names()
    if text in stored:
        return (
            f"{storage}/{text}/study.json is damaged and has no copy; give the study's "
            f"file, which declares it: trainability run {text}.py"
        )
    return (
        f"no study {text!r}{did_you_mean(text, {*declared, *stored})}; wanted a .py or .json file, "
        f"the name of one in studies/ or of one that is shipped ({', '.join(declared)}), or in "
        f"{storage} ({', '.join(stored) or 'none'})"
    )
