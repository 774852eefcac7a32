"""What is to be run: a study and all that the user says of it, checked before anything starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainability.checks import shown
from trainability.errors import refuse
from trainability.launch.options import Options
from trainability.seeds import BLOCK_SIZE

if TYPE_CHECKING:
    from trainability.growth import Growth
    from trainability.storage import Storage
    from trainability.study import Study
    from trainability.tuning import Tuning


@dataclass(frozen=True)
class Job:
    """What is to be run, checked as far as that is possible without starting anything.

    Args:
        study: The study.
        growth: By what rule it grows.
        storage: Where its rows are.
        options: Runtime options.
        text: How the user names the study.
        tracking_uri: As it was given.
    """

    study: Study
    growth: Growth
    storage: Storage
    options: Options
    text: str
    tracking_uri: str | None

    @property
    def rounding(self) -> str:
        """What becomes of a number of networks that is not one of whole blocks, to be appended."""
        wanted = self.study.replicates
        if wanted % BLOCK_SIZE == 0:
            return ""
        return f" ({wanted:,} rounded up to whole blocks of {BLOCK_SIZE})"


@dataclass(frozen=True)
class TuningJob:
    """What is to be tuned, checked as far as that is possible without starting anything.

    Args:
        tuning: The tuning.
        storage: Where its rows are.
        options: Runtime options.
        text: How a command names it.
        tracking_uri: As it was given.
    """

    tuning: Tuning
    storage: Storage
    options: Options
    text: str
    tracking_uri: str | None


def checked_job(
    study: str | Path | Study,
    storage: str | Path | Storage,
    options: Options,
    *,
    replicates: int | None = None,
    precision: float | None = None,
    refine: float | None = None,
    tracking_uri: str | None = None,
    spelled: Callable[[str], str] = str,
    problems: Sequence[str] = (),
) -> Job:
    """What is to be run, once all that is given is checked and the study is found.

    Args:
        study: As for `run`, and so the others.
        storage: Where results are.
        options: Runtime options.
        replicates: Networks per cell.
        precision: Half the width of an interval.
        refine: A success rate.
        tracking_uri: MLflow's.
        spelled: How the user writes an option's name.
        problems: What is known to be wrong already.

    Raises:
        InputError: Names all that is wrong.
    """
    problems = list(problems)
    if isinstance(replicates, int) and replicates < 1:
        problems.append(f"{spelled('replicates')} must be >= 1, got {replicates}")
    problems += options.problems(spelled)
    if precision is not None or refine is not None:
        from trainability.growth import growth_problems

        problems += growth_problems(precision, refine, spelled)
    problems += _place_problems(storage, tracking_uri)
    if not isinstance(study, str | Path):  # a wrong name needs no NumPy
        from trainability.study import Study

        if not isinstance(study, Study):
            problems.append(f"study must be a Study, a study file or a name, got {shown(study)}")
    refuse(problems)
    from trainability.stored import open_study

    chosen, place = open_study(study, storage)
    if replicates is not None:
        chosen = dataclasses.replace(chosen, replicates=replicates)
    _refuse_engine(options, [chosen])
    _refuse_drawing([chosen])
    from trainability.growth import Growth

    growth = Growth(n_blocks=chosen.n_blocks, precision=precision, refine=refine)
    text = str(study) if isinstance(study, str | Path) else chosen.name
    return Job(chosen, growth, place, options, text, tracking_uri)


def checked_tunings(
    tuning: str | Path | Tuning,
    storage: str | Path | Storage,
    options: Options,
    *,
    tracking_uri: str | None = None,
    spelled: Callable[[str], str] = str,
    problems: Sequence[str] = (),
) -> list[TuningJob]:
    """What is to be tuned, once all that is given is checked and the tunings are found.

    Args:
        tuning: As for `tune`, but a file may declare several.
        storage: Where results are.
        options: Runtime options.
        tracking_uri: MLflow's.
        spelled: How the user writes an option's name.
        problems: What is known to be wrong already.

    Raises:
        InputError: Names all that is wrong, with any of the tunings.
    """
    problems = [*problems, *options.problems(spelled), *_place_problems(storage, tracking_uri)]
    if not isinstance(tuning, str | Path):
        from trainability.tuning import Tuning

        if not isinstance(tuning, Tuning):
            problems.append(f"tuning must be a Tuning, a file or a name, got {shown(tuning)}")
    refuse(problems)
    from trainability.storage import Storage
    from trainability.tuning.loading import load_tunings

    place = storage if isinstance(storage, Storage) else Storage(storage)
    if isinstance(tuning, str | Path):
        chosen, text = load_tunings(str(tuning)), str(tuning)
    else:  # named by what it declares
        chosen, text = [tuning], f"{place.address}/{tuning.name}/tuning.json"
    studies = [one.study() for one in chosen]
    _refuse_engine(options, studies)
    _refuse_drawing(studies)
    return [TuningJob(one, place, options, text, tracking_uri) for one in chosen]


def _refuse_engine(options: Options, studies: Sequence[Study]) -> None:
    if options.engine == "auto":  # else what trains is loaded
        return
    from trainability.families import engine_problems

    refuse([p for study in studies for p in engine_problems(options.engine, study.cells())])


def _refuse_drawing(studies: Sequence[Study]) -> None:
    """Refuse schemes that draw wrongly: here, for what is stored is read whatever a scheme does."""
    from trainability.study.drawing import drawing_problems

    refuse(dict.fromkeys(p for study in studies for p in drawing_problems(study.cells())))


def _place_problems(storage: Any, tracking_uri: Any) -> list[str]:
    """What is wrong with the kinds of what is given for a storage and a tracking URI."""
    problems = []
    if not isinstance(storage, str | Path) and not hasattr(storage, "block_files"):
        problems.append(f"storage must be a folder or an address, got {shown(storage)}")
    if not (tracking_uri is None or isinstance(tracking_uri, str)):
        problems.append(f"tracking_uri must be a text, got {shown(tracking_uri)}")
    return problems
