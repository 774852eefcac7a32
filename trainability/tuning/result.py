"""What a tuning found, judged on fresh seeds alone: the search's own numbers flatter it."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.analysis.rates import clopper_pearson
from trainability.seeds import BLOCK_SIZE
from trainability.tuning.declaration import Tuning
from trainability.tuning.finalists import best_observed
from trainability.tuning.loop import SearchOutcome
from trainability.tuning.objectives import Estimate
from trainability.tuning.space import Settings
from trainability.tuning.wording import interval, pasted, written

LEVEL = 0.95
"""Of every interval of a value; of the differences to the default all together."""


@dataclass(frozen=True)
class FinalistScore:
    """A candidate on fresh seeds; one entry per objective.

    Args:
        settings: Its settings; None for the default.
        name: As one writes it.
        values: With intervals at `LEVEL` each.
        differences: Its values minus the default's, over the same random numbers where they share
            a scheme and sizes, with intervals that hold for all finalists and objectives together
            at `LEVEL`; zeros for the default.
        observed: The values that the search had seen; NaN for the default.
    """

    settings: Settings | None
    name: str
    values: tuple[Estimate, ...]
    differences: tuple[Estimate, ...]
    observed: tuple[float, ...]


@dataclass(frozen=True)
class Result:
    """The verdict.

    Args:
        search: The search and its fresh evaluation.
        finalists: Those that were evaluated again, the best in the first objective first.
        default: What they are compared with.
        optimism: By how much the value of the best observed candidate of the search fell short
            on fresh seeds, in units of the first objective; > 0 if the search had flattered it.
        best_observed: The candidate that this is about.
    """

    search: SearchOutcome
    finalists: list[FinalistScore]
    default: FinalistScore
    optimism: float
    best_observed: FinalistScore

    @property
    def tuning(self) -> Tuning:
        return self.search.tuning

    @property
    def best(self) -> FinalistScore:
        """The finalist with the best first objective on fresh seeds."""
        return self.finalists[0]

    @property
    def is_improvement(self) -> bool:
        """Whether the best finalist surely beats the default in the first objective."""
        objective, difference = self.tuning.objectives[0], self.best.differences[0]
        return objective.is_better(objective.pessimistic(difference), 0.0)

    @property
    def winner(self) -> FinalistScore:
        """The best finalist if it surely beats the default, else the default."""
        return self.best if self.is_improvement else self.default

    @property
    def python(self) -> str:
        """The winner as a line to paste into a study."""
        return pasted(self.tuning, self.winner.settings)


def judge(search: SearchOutcome) -> Result:
    """Compare the finalists with the default and with what the search had said of them."""
    tuning = search.tuning
    n_comparisons = len(search.finalists) * len(tuning.objectives)
    each = 1 - (1 - LEVEL) / n_comparisons
    standings = {standing.settings: standing for standing in search.standings}
    scores = {
        settings: FinalistScore(
            settings,
            written(tuning, settings),
            tuple(part.estimate(outcomes, LEVEL, clopper_pearson) for part in tuning.objectives),
            tuple(part.difference(search.default, outcomes, each) for part in tuning.objectives),
            tuple(estimate.value for estimate in standings[settings].estimates),
        )
        for settings, outcomes in search.finalists.items()
    }
    default = FinalistScore(
        None,
        written(tuning, None),
        tuple(part.estimate(search.default, LEVEL, clopper_pearson) for part in tuning.objectives),
        (Estimate(0.0, 0.0, 0.0),) * len(tuning.objectives),
        (float("nan"),) * len(tuning.objectives),
    )
    objective = tuning.objectives[0]
    sign = 1 if objective.maximize else -1
    observed = best_observed(search.standings)
    highest = scores.get(observed) or max(
        scores.values(), key=lambda entry: sign * entry.observed[0]
    )
    return Result(
        search=search,
        finalists=sorted(scores.values(), key=lambda entry: -sign * entry.values[0].value),
        default=default,
        optimism=sign * (highest.observed[0] - highest.values[0].value),
        best_observed=highest,
    )


def answer(result: Result) -> list[str]:
    """What was found, in sentences."""
    tuning, best, default = result.tuning, result.best, result.default
    words = tuning.objectives[0].words
    both = " and both objectives" if len(tuning.objectives) == 2 else ""
    first = (
        f"{best.name} is better than the default, {default.name}."
        if result.is_improvement
        else f"No significant improvement over the default, {default.name}; "
        f"{best.name} came nearest."
    )
    values = {} if best.settings is None else tuning.space.active(best.settings)
    ends = [
        f"Its {name} lies at the end of the range: widen it and tune again."
        for name, value in values.items()
        if tuning.vary[name].is_ordered and value in tuning.vary[name].ends
    ]
    n_fresh = f"{tuning.n_fresh_blocks * BLOCK_SIZE:,} networks with fresh seeds"
    compared = (
        "over the same random numbers"
        if shares_randomness(tuning, best.settings)
        else "between networks drawn independently"
    )
    losses = (
        f"Every loss is compared with the same tolerance, {tuning.tolerance:g}, which is not "
        "equally hard to reach for each of them."
        if "loss" in tuning.axes and tuning.tolerance is not None
        else ""
    )
    return [
        first,
        *ends,
        *([losses] if losses else []),
        *([_prior_sentence(result)] if tuning.prior else []),
        f"On {n_fresh} its {words} is "
        f"{interval(best.values[0])}, the default's {interval(default.values[0])}; the difference "
        f"{compared} is {interval(best.differences[0], sign=True)}, with an "
        f"interval that holds for all {len(result.finalists)} finalists{both} together at "
        f"{100 * LEVEL:g} %.",
        f"The search flattered its best observed candidate, {result.best_observed.name}, by "
        f"{result.optimism:.4g}: {result.best_observed.observed[0]:.4g} in the search, "
        f"{result.best_observed.values[0].value:.4g} on fresh seeds.",
        f"It trained {sum(entry.n_networks for entry in result.search.standings):,} networks of "
        f"{len(result.search.standings)} candidates and left out {len(result.search.refused)} that "
        "by theory can't be best.",
    ]


def _prior_sentence(result: Result) -> str:
    """Where theory let the search begin, and how that ended."""
    predicted = result.search.rounds[0].predicted
    if not predicted:
        return "Theory predicts the success of none of its candidates: the search began without it."
    best = max(predicted, key=lambda settings: predicted[settings])
    measured = {standing.settings: standing.estimates[0] for standing in result.search.standings}
    value = measured[best]
    n = len(predicted)
    which = "candidate" if n == 1 else f"{n} candidates"
    return (
        f"The search began with the {which} of which theory predicts the most success, without "
        f"training: at best {predicted[best]:.3f}, of {written(result.tuning, best)}, of which "
        f"the search measured {value.value:.3f} [{value.low:.3f}, {value.high:.3f}]."
    )


def shares_randomness(tuning: Tuning, settings: Settings | None) -> bool:
    """Whether a candidate's networks draw the very random numbers of the default's."""
    return all(
        tuning.cell(settings, width).stream_identity == tuning.cell(None, width).stream_identity
        for width in tuning.widths
    )
