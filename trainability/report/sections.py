"""The sections of the page, in order; each is there only if it has something to say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from trainability.findings.asked import SUCCESS
from trainability.findings.labels import in_words
from trainability.findings.study import Findings
from trainability.growth.intervals import EXACT
from trainability.report import sentences, tables
from trainability.report.asked import asked_view
from trainability.report.chart import Chart
from trainability.report.collapse import collapse_sentence, collapse_view
from trainability.report.figures import main_name
from trainability.report.matrix import Matrix, success_matrix
from trainability.report.predictions import predictions_table
from trainability.report.published import published_view
from trainability.report.scaling import scaling_view
from trainability.report.tables import TableView
from trainability.report.validation import measures_table
from trainability.study.axes import AXES, label

_OWN_SENTENCE = ("task", "scheme", "width", "depth")
"""Axes that a study is about, or of which more is to be said than that curves differ in them."""
_METHODS = (
    "A replicate is one network with its own random initialization. All replicates that were "
    "started count; one that diverged is a failure.",
    "A neuron is dead if it is constant on the domain. The census is exact on data, on intervals "
    "and rectangles, and for first layers on balls and boxes; elsewhere certified where bounds or "
    "an exact program settle it, else counted as samples say and reported as undecided.",
    "Intervals are Clopper-Pearson's, exact for every number of networks.",
    "All random numbers follow from the study's seed, the cell and the block of 256 "
    "replicates, whatever the worker, device, engine or order.",
)
_GROWN = (
    "This study grew until its intervals were narrow. The intervals of success allow for that: a "
    "cell that stopped where the rule says has the rule's exact interval, any other a confidence "
    "sequence, which holds at all times. Tests are corrected for {n} looks. The "
    "intervals of q, by likelihood, are not."
)


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        title: Its heading.
        text: Paragraphs.
        figures: Names of figures.
        tables: Tables below them.
        points: A list below the paragraphs.
        chart: The interactive figure above all of them.
        matrix: All rates at a glance.
        folded: Tables that a reader opens, by what they hold.
    """

    title: str
    text: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    tables: tuple[TableView, ...] = ()
    points: tuple[str, ...] = ()
    chart: Chart | None = None
    matrix: Matrix | None = None
    folded: tuple[tuple[str, TableView], ...] = ()


def sections(
    findings: Findings, figures: Collection[str], chart: Chart | None
) -> Iterator[Section]:
    """What the page says after the answer.

    Args:
        findings: The findings.
        figures: Names of the figures that were drawn.
        chart: The interactive main figure, if there is one.
    """

    def drawn(*starts: str) -> tuple[str, ...]:
        return tuple(name for name in figures if name.startswith(starts))

    place = sentences.shown_place(findings)
    at = () if place is None else (f"At {findings.x} {findings.place_text(place)}",)
    n_places = findings.rates["curve"].value_counts()
    rates = ("Cell by cell, with what was trainable and born dead", tables.rates_table(findings))
    success = Section(
        f"Success over {findings.x}",
        ("Points that were added beside a curve stand in the table alone.",)
        if n_places.min() < 2 <= n_places.max()
        else (),
        figures=drawn("success_map") if chart else drawn(main_name(findings), "success_map"),
        chart=chart,
        matrix=success_matrix(findings),
        folded=(rates,),
    )
    if len(findings.scaling):
        yield Section(
            "Width over samples", figures=drawn("scaling"), tables=(scaling_view(findings),)
        )
    if findings.asked.quantity.name != SUCCESS and len(findings.asked.cells):
        yield Section(
            f"The {findings.asked.quantity.noun}",
            figures=drawn("asked"),
            tables=(asked_view(findings),),
            folded=() if findings.is_about_success else (rates,),
        )
    if findings.is_about_success:
        yield success
    for axis in findings.comparisons.axes if findings.is_about_success else ():
        yield Section(
            f"{axis.capitalize()} against {axis}",
            tables=(tables.comparisons_table(findings, axis),),
        )
    if len(findings.boundaries):
        yield Section(
            f"Where success crosses {100 * findings.boundaries['level'].iloc[0]:g} %",
            tables=(tables.boundaries_table(findings),),
        )
    if findings.has_fitted_curve:
        yield Section(
            "One number for a curve: the effective activity q",
            (sentences.activity_sentence(findings),),
            tables=(tables.activity_table(findings),),
            folded=(("Models of every curve", tables.models_table(findings)),),
        )
    if findings.has_widths:
        yield Section("Widths needed", tables=(tables.widths_table(findings),))
    if len(findings.published):
        yield Section("Paper beside ours", tables=(published_view(findings),))
    if findings.has_bound:
        yield Section(
            "Does experiment obey theory?",
            figures=drawn("count_calibration"),
            tables=(tables.laws_table(findings),),
        )
    elif "laws" in findings.tables:
        yield Section("Do untrainable networks fail?", tables=(tables.laws_table(findings),))
    if len(findings.predictions):
        yield Section(
            "Does theory predict success?",
            (sentences.prediction_sentence(findings),),
            tables=(predictions_table(findings),),
        )
    of_birth = findings.asked.quantity.at_birth and not findings.is_about_success
    failed = sentences.failures_sentence(findings)
    if failed and not of_birth:
        yield Section("Why networks fail", (failed,), tables=(tables.failures_table(findings),))
    if findings.is_about_success:
        yield Section(
            "How long success takes",
            tuple(f"{where}, where the curves are told apart best." for where in at),
            drawn("survival"),
            (tables.survival_table(findings, place),),
        )
    yield Section(
        "Active and dead neurons, before and after training",
        (sentences.undecided_sentence(findings),),
        drawn("census"),
        (tables.census_table(findings, place),),
    )
    if not of_birth:
        yield Section(
            "Losses",
            tuple(f"{where}." for where in at),
            drawn("losses"),
            (tables.losses_table(findings, place),),
        )
    if collapse := collapse_view(findings):
        yield Section("Collapse", (collapse_sentence(findings),), tables=(collapse,))
    if len(findings.measured.measures) and not of_birth:
        view = measures_table(findings)
        held_back = any("validation" in name for name in view.header)
        title = "Accuracy and validation" if held_back else "Accuracy"
        yield Section(title, tables=(view,))
    grown = set(findings.rates["interval"]) != {EXACT}
    yield Section(
        "Methods",
        points=(_METHODS[0], *_success(findings), *_METHODS[1:])
        + ((_GROWN.format(n=findings.n_looks),) if grown else ()),
    )
    yield Section("What is not comparable", points=tuple(_not_comparable(findings)))


def _success(findings: Findings) -> Iterator[str]:
    """When a network has succeeded, by loss or by accuracy."""
    rates = findings.rates
    if rates["tolerance"].notna().any():
        losses = " or ".join(map(in_words, dict.fromkeys(rates["loss"])))
        yield (
            f"A network succeeds when its training loss ({losses}) is at most the tolerance "
            "within the budget of steps; it stops there."
        )
    if rates["target_accuracy"].notna().any():
        yield (
            "A network with a target accuracy succeeds when it names the classes of that share of "
            "the training points. This is looked at at checkpoints (steps 0, 1, 2, 5, 10, 20 and "
            "so on), where it stops; so its steps are rounded up to a checkpoint."
        )


def _not_comparable(findings: Findings) -> Iterator[str]:
    rates = findings.rates
    yield (
        "Success depends on the optimizer, its learning rate, the budget and on what counts as "
        "success, which nobody tuned for each scheme here; trainability does not. A lower rate "
        "says that a scheme does worse under these settings, not under its best ones."
    )
    for name in AXES:
        if name in findings.curves and name not in _OWN_SENTENCE:
            yield f"Curves differ in {label(name)}: compare schemes within one value."
    if "task" in findings.curves:
        yield (
            "Curves belong to different tasks; the same tolerance or accuracy is not equally hard "
            "on each of them."
        )
    if rates["n"].nunique() > 1:
        low, high = (int(rates["n"].agg(end)) for end in ("min", "max"))
        yield f"Cells hold from {low:,} to {high:,} networks; compare their intervals too."
    if findings.bounded["is_bound"].any():
        yield "Where trainability is marked as a bound, the true one may lie below it."
    if (findings.bounded["trainability_se"] > 0).any():
        yield (
            "Where trainability has a standard error it was sampled; tests give theory the "
            "benefit of six of them."
        )
    if findings.is_deep:
        yield (
            "In deep networks every layer is taken to need one active neuron, unless more is "
            "proven: their trainability bounds success less tightly than that of shallow ones."
        )
    if not findings.is_complete:
        yield "The study is unfinished: cells that are missing may change the answer."
