"""The declaration of a study: from its file, or from the storage that holds its results."""

from __future__ import annotations

import re

from trainability.errors import StudyError
from trainability.storage import Storage
from trainability.study import Study, load_study
from trainability.study.loading import own_study_file, study_names
from trainability.study.records import did_you_mean

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def stored_study(text: str, storage: Storage) -> Study:
    """The study of a file or name; a bare name may also be that of a study on storage.

    Of a name that is not in `studies/`, what storage declares comes before what is shipped.

    Args:
        text: A study file, or the name of a study in `studies/`, on storage, or shipped.
        storage: Where results are, and beside them the declaration of every study.

    Raises:
        StudyError: If it is none of these, and says which there are; or if its file is wrong.
    """
    if not _NAME.fullmatch(text) or own_study_file(text) is not None:
        return load_study(text)
    stored = storage.read_bytes(f"{text}/study.json")
    if stored is not None:
        return Study.from_json(stored.decode())
    if text not in study_names():
        raise StudyError(_unknown(text, storage))
    return load_study(text)


def _unknown(text: str, storage: Storage) -> str:
    declared, there = study_names(), storage.studies()
    return (
        f"no study {text!r}{did_you_mean(text, {*declared, *there})}; wanted a .py or .json file, "
        f"the name of one in studies/ or of one that is shipped ({', '.join(declared)}), or in "
        f"{storage.shown} ({', '.join(there) or 'none'})"
    )
