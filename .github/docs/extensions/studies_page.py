"""The gallery of the studies and tunings that come with the package."""

from __future__ import annotations

import shutil
from pathlib import Path

from adopted import ROOT
from docstrings import as_restructured_text
from galleries import figure, heading
from pictures import study_picture

from trainability.plots.style import save
from trainability.study import Study
from trainability.study.loading import load_module


def _study(name: str, study: Study, made: Path) -> str:
    n_cells = len(study.cells())
    text = f"**{as_restructured_text([study.question])[0]}**\n\n"
    text += f"{n_cells:,} cells of {study.replicates:,} networks. "
    text += f"Run it with ``trainability run {name}``.\n\n"
    measured = ROOT / "studies" / "figures" / f"{name}.png"
    if measured.is_file():
        shutil.copy(measured, made / measured.name)
        caption = "Measured success over theoretical trainability."
        return text + figure(f"studies/{measured.name}", caption, "", caption)
    drawn = study_picture(study)
    if drawn is not None:
        save(drawn[0], made / f"{name}.svg")
        text += figure(f"studies/{name}.svg", drawn[1], "", drawn[1])
    return text


def write_studies(folder: Path) -> None:
    """Write the page: a study or tuning that is added to `studies/` is on it."""
    made = folder / "studies"
    made.mkdir(exist_ok=True)
    text = heading("Studies") + (
        "They come with the package: each runs by its name, in any folder. What a study asks, and "
        "all that changes its numbers, stands in its file.\n\n"
    )
    for path in sorted((ROOT / "studies").glob("*.py")):
        module = load_module(path)
        text += heading(path.stem, "-")
        if isinstance(study := getattr(module, "STUDY", None), Study):
            text += _study(path.stem, study, made)
        else:
            tunings = [value for name, value in vars(module).items() if name == "TUNING"]
            for tuning in tunings[0] if isinstance(tunings[0], list | tuple) else tunings:
                text += f"**{as_restructured_text([tuning.question])[0]}**\n\n"
            text += f"A tuning: ``trainability tune {path.stem}``.\n\n"
        text += f".. literalinclude:: ../../../studies/{path.name}\n"
        text += "   :language: python\n   :class: wrapped\n\n"
    (folder / "studies.rst").write_text(text, encoding="utf-8")
