"""Pages with a picture of everything of a kind: who adds one to a folder adds it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pictures
from docstrings import as_restructured_text
from examples import example

from trainability.activations import activation_types
from trainability.losses import loss_types
from trainability.optimizers import optimizer_types
from trainability.optimizers.schedules import schedule_types
from trainability.penalties import penalty_types
from trainability.plots.style import save
from trainability.schemes import scheme_types
from trainability.study.axes import axis_types
from trainability.tasks import task_types


@dataclass(frozen=True)
class Gallery:
    """All things of a kind.

    Args:
        title: Of the page.
        package: Where they are imported from.
        types: The catalog.
        introduction: What they are for.
        picture: Draws one; None where there is nothing to draw.
        note: What is said of each beside its docstring; None for nothing.
        thumbnail: Draws one for the overview; None for the picture itself, smaller.
        called: What studies call one.
    """

    title: str
    package: str
    types: Callable[[], dict[str, type]]
    introduction: str
    picture: Callable[[Any], tuple[Any, str]] | None = None
    note: Callable[[Any], str] | None = None
    thumbnail: Callable[[Any], Any] | None = None
    called: Callable[[Any], str] = lambda kind: kind.__name__

    @property
    def name(self) -> str:
        """Of the page."""
        return self.package.rpartition(".")[2]

    def kinds(self) -> dict[str, type]:
        """Those that the package brings, by name."""
        prefix = f"{self.package}."
        return {name: kind for name, kind in self.types().items()
                if kind.__module__.startswith(prefix)}  # fmt: skip


GALLERIES = [
    Gallery(
        "Axes", "trainability.study.axes", axis_types,
        "What may vary from cell to cell of a study, or be fixed for all of them. Each has a name, "
        "by which studies give it, `axes={\"width\": [2, 4]}` or `width=4`, and a column of that "
        "name.",
        note=lambda kind: f"In a study `{kind.name}`"
        + (f", by default `{kind.default}`; files of results have it since version {kind.since}."
           if kind.since else "."),
        called=lambda kind: kind.name,
    ),
    Gallery(
        "Schemes", "trainability.schemes", scheme_types,
        "How a network is drawn. An axis of a study, `scheme`; on the command line one writes the "
        "same text, `trainability census 'He(bias_std=1.0)'`.", pictures.scheme_picture,
        thumbnail=pictures.scheme_thumbnail,
    ),
    Gallery(
        "Tasks", "trainability.tasks", task_types,
        "What a network is to learn, and where its inputs live.", pictures.task_picture,
    ),
    Gallery(
        "Activations", "trainability.activations", activation_types,
        "What a neuron does with its pre-activation. Where an activation is flat, neurons can "
        "die.", pictures.activation_picture,
    ),
    Gallery(
        "Losses", "trainability.losses", loss_types,
        "What training makes small.", pictures.loss_picture,
    ),
    Gallery(
        "Penalties", "trainability.penalties", penalty_types,
        "What is added to the loss while networks are trained; success is judged without it.",
    ),
    Gallery(
        "Optimizers", "trainability.optimizers", optimizer_types,
        "How parameters move along the gradient; each takes a schedule of its learning rate.",
    ),
    Gallery(
        "Schedules", "trainability.optimizers.schedules", schedule_types,
        "What the learning rate is multiplied with, step by step.", pictures.schedule_picture,
    ),
]  # fmt: skip


def heading(text: str, line: str = "=") -> str:
    """A heading in reStructuredText."""
    return f"{text}\n{line * len(text)}\n\n"


def figure(path: str, alt: str, target: str = "", caption: str = "") -> str:
    """A picture in reStructuredText."""
    lines = [f".. figure:: {path}", f"   :alt: {alt}"]
    lines += [f"   :target: {target}"] if target else []
    lines += ["", f"   {caption}"] if caption else []
    return "\n".join(lines) + "\n\n"


def write_gallery(gallery: Gallery, folder: Path) -> None:
    """Write the page of a kind, and its pictures beside it."""
    made = folder / gallery.name
    made.mkdir(exist_ok=True)
    overview, sections = [], []
    for name, kind in gallery.kinds().items():
        section = heading(gallery.called(kind), "-")
        thing = example(kind) if gallery.picture is not None else None
        if gallery.picture is not None and thing is not None:
            drawn, alt = gallery.picture(thing)
            save(drawn, made / f"{name}.svg")
            path = f"{gallery.name}/{name}.svg"
            anchor = f"#{gallery.package}.{name}"
            small = path
            if gallery.thumbnail is not None:
                small = f"{gallery.name}/{name}-small.svg"
                save(gallery.thumbnail(thing), folder / small)
            overview.append(figure(small, f"{name}: {alt}", anchor, name))
            section += figure(path, alt, "", f"``{thing}``. {as_restructured_text([alt])[0]}")
        section += f".. autoclass:: {gallery.package}.{name}\n\n"
        if gallery.note is not None:
            section += as_restructured_text([gallery.note(kind)])[0] + "\n\n"
        sections.append(section)
    text = heading(gallery.title) + as_restructured_text([gallery.introduction])[0] + "\n\n"
    if overview:
        text += ".. container:: gallery\n\n"
        text += "\n".join(f"   {line}".rstrip() for line in "".join(overview).splitlines())
        text += "\n\n"
    (folder / f"{gallery.name}.rst").write_text(text + "".join(sections), encoding="utf-8")
