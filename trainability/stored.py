"""The declaration of a study: from its file, or from the storage that holds its results."""

from __future__ import annotations

from trainability.checks import name_problem
from trainability.errors import StudyError
from trainability.storage import Storage
from trainability.study import Study, load_study
from trainability.study.loading import STUDIES
from trainability.study.records import did_you_mean


def stored_study(text: str, storage: Storage) -> Study:
    """The study of a file or name; a bare name may also be that of a study on storage.

    Args:
        text: A study file, or the name of a study in `studies/` or on storage.
        storage: Where results are, and beside them the declaration of every study.

    Raises:
        StudyError: If it is none of these, and says which there are; or if its file is wrong.
    """
    try:
        return load_study(text)
    except StudyError as error:
        # What is wrong inside a file is not mended by what storage remembers of it.
        if name_problem("name", text) or (STUDIES / f"{text}.py").is_file():
            raise
        stored = storage.read_bytes(f"{text}/study.json")
        if stored is None:
            raise StudyError(_unknown(text, storage)) from error
    return Study.from_json(stored.decode())


def _unknown(text: str, storage: Storage) -> str:
    declared, there = sorted(path.stem for path in STUDIES.glob("*.py")), storage.studies()
    return (
        f"no study {text!r}{did_you_mean(text, {*declared, *there})}; wanted a .py or .json file, "
        f"or the name of one in {STUDIES.resolve()} ({', '.join(declared) or 'none'}) or in "
        f"{storage.address} ({', '.join(there) or 'none'})"
    )
