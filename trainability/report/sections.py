"""The sections of the page, in order; each is there only if it has something to say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from trainability.findings.labels import in_words
from trainability.findings.places import place_text
from trainability.findings.study import Findings
from trainability.growth.intervals import EXACT
from trainability.report import shown, words
from trainability.report.shown import Shown
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
    """

    title: str
    text: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    tables: tuple[Shown, ...] = ()
    points: tuple[str, ...] = field(default=())


def sections(found: Findings, figures: Collection[str]) -> Iterator[Section]:
    """What the page says after the answer.

    Args:
        found: The findings.
        figures: Names of the figures that were drawn.
    """

    def drawn(*starts: str) -> tuple[str, ...]:
        return tuple(name for name in figures if name.startswith(starts))

    place = words.typical(found)
    n_places = found.rates["curve"].value_counts()
    yield Section(
        f"Success over {found.x}",
        ("Points that were added beside a curve stand in the table alone.",)
        if n_places.min() < 2 <= n_places.max()
        else (),
        figures=drawn("success_over_width", "success_map"),
        tables=(shown.rates_table(found),),
    )
    if len(found.boundaries):
        yield Section(
            f"Where success crosses {100 * found.boundaries['level'].iloc[0]:g} %",
            tables=(shown.boundaries_table(found),),
        )
    if len(found.fits.activity):
        yield Section(
            "One number for a curve: the effective activity q",
            (words.activity_sentence(found),),
            tables=(shown.activity_table(found), shown.models_table(found)),
        )
    if len(found.fits.widths):
        yield Section("Widths needed", tables=(shown.widths_table(found),))
    if len(found.published):
        yield Section("Paper beside ours", tables=(shown.published_table(found),))
    yield Section(
        "Does experiment obey theory?",
        figures=drawn("count_calibration"),
        tables=(shown.laws_table(found),),
    )
    yield Section(
        "Why networks fail",
        (words.failures_sentence(found),),
        tables=(shown.failures_table(found),),
    )
    yield Section(
        "How long success takes",
        (f"At {found.x} {place_text(place)}, where the curves are told apart best.",),
        drawn("survival"),
        (shown.survival_table(found, place),),
    )
    yield Section(
        "Active and dead neurons, before and after training",
        (words.undecided_sentence(found),),
        drawn("census"),
        (shown.census_table(found, place),),
    )
    yield Section(
        "Losses",
        (f"At {found.x} {place_text(place)}.",),
        drawn("losses"),
        (shown.losses_table(found, place),),
    )
    if len(found.measured.measures):
        yield Section("Accuracy and validation", tables=(measures_table(found),))
    if len(found.comparisons):
        yield Section(
            "Scheme against scheme",
            (words.comparison_sentence(found),),
            drawn("scheme_against_scheme"),
            (shown.comparisons_table(found),),
        )
    grown = set(found.rates["interval"]) != {EXACT}
    yield Section(
        "Methods",
        points=(_METHODS[0], *_success(found), *_METHODS[1:])
        + ((_GROWN.format(n=found.n_looks),) if grown else ()),
    )
    yield Section("What is not comparable", points=tuple(_not_comparable(found)))


def _success(found: Findings) -> Iterator[str]:
    """When a network has succeeded, by loss or by accuracy."""
    rates = found.rates
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


def _not_comparable(found: Findings) -> Iterator[str]:
    rates = found.rates
    yield (
        "Success depends on the optimizer, its learning rate, the budget and on what counts as "
        "success, which nobody tuned for each scheme here; trainability does not. A lower rate "
        "says that a scheme does worse under these settings, not under its best ones."
    )
    for name in AXES:
        if name in found.curves and name not in _OWN_SENTENCE:
            yield f"Curves differ in {label(name)}: compare schemes within one value."
    if "task" in found.curves:
        yield (
            "Curves belong to different tasks; the same tolerance or accuracy is not equally hard "
            "on each of them."
        )
    if rates["n"].nunique() > 1:
        low, high = (int(rates["n"].agg(end)) for end in ("min", "max"))
        yield f"Cells hold from {low:,} to {high:,} networks; compare their intervals too."
    if rates["is_bound"].any():
        yield "Where trainability is marked as a bound, the true one may lie below it."
    if (rates["trainability_se"] > 0).any():
        yield (
            "Where trainability has a standard error it was sampled; tests give theory the "
            "benefit of six of them."
        )
    if found.is_deep:
        yield (
            "In deep networks every layer is taken to need one active neuron, unless more is "
            "proven: their trainability bounds success less tightly than that of shallow ones."
        )
    if not found.is_complete:
        yield "The study is unfinished: cells that are missing may change the answer."
