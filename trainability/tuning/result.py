"""What a tuning found, judged on fresh seeds alone: the search's own numbers flatter it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainability.analysis.rates import clopper_pearson
from trainability.checks import counted
from trainability.seeds import BLOCK_SIZE
from trainability.tuning.declaration import Tuning
from trainability.tuning.finalists import best_observed
from trainability.tuning.loop import SearchOutcome
from trainability.tuning.objectives import Estimate, Outcomes
from trainability.tuning.space import Settings
from trainability.tuning.wording import measured, number, pasted, written

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
        finalists: Those that were evaluated again, the best in the first objective first, without
            the default, if the search found that too.
        default: What they are compared with.
        rivals: Those of the finalists that can't be told apart from the best in the first
            objective, by intervals of the differences that hold together at `LEVEL`.
        optimism: By how much the value of the best observed candidate of the search fell short
            on fresh seeds, in units of the first objective; > 0 if the search had flattered it.
        best_observed: The candidate that this is about.
    """

    search: SearchOutcome
    finalists: list[FinalistScore]
    default: FinalistScore
    rivals: list[FinalistScore]
    optimism: float
    best_observed: FinalistScore

    @property
    def evaluated_again(self) -> list[FinalistScore]:
        """All whom the search sent to the end: its finalists, and the default if it found that."""
        own = [
            replace(self.default, settings=settings)
            for settings in self.search.finalists
            if is_default(self.tuning, settings)
        ]
        return [*self.finalists, *own]

    @property
    def tuning(self) -> Tuning:
        return self.search.tuning

    @property
    def best(self) -> FinalistScore:
        """The finalist with the best first objective on fresh seeds; else the default."""
        return self.finalists[0] if self.finalists else self.default

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
    others = [settings for settings in search.finalists if not is_default(tuning, settings)]
    each = 1 - (1 - LEVEL) / max(1, len(others) * len(tuning.objectives))
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
    ranked = sorted(
        (scores[settings] for settings in others), key=lambda entry: -sign * entry.values[0].value
    )
    return Result(
        search=search,
        finalists=ranked,
        default=default,
        rivals=_rivals(search, ranked),
        optimism=sign * (highest.observed[0] - highest.values[0].value),
        best_observed=highest,
    )


def is_default(tuning: Tuning, settings: Settings) -> bool:
    """Whether a candidate's networks are those of the default."""
    return all(
        tuning.cell(settings, width).id == tuning.cell(None, width).id for width in tuning.widths
    )


def _rivals(search: SearchOutcome, ranked: list[FinalistScore]) -> list[FinalistScore]:
    """Those behind the best of whom the networks do not show that they are worse."""
    objective = search.tuning.objectives[0]
    rest = ranked[1:]
    each = 1 - (1 - LEVEL) / max(1, len(rest))

    def outcomes(entry: FinalistScore) -> Outcomes:
        assert entry.settings is not None
        return search.finalists[entry.settings]

    def may_be_as_good(entry: FinalistScore) -> bool:
        gap = objective.difference(outcomes(ranked[0]), outcomes(entry), each)
        return not objective.is_better(0.0, objective.optimistic(gap))

    return [entry for entry in rest if may_be_as_good(entry)]


def answer(result: Result) -> list[str]:
    """What was found, in sentences."""
    tuning, best, default = result.tuning, result.best, result.default
    values = {} if best.settings is None else tuning.space.active(best.settings)
    ends = [
        f"Its {name} lies at the end of the range: widen it and tune again."
        for name, value in values.items()
        if tuning.vary[name].is_ordered and value in tuning.vary[name].ends
    ]
    losses = (
        f"Every loss is compared with the same tolerance, {tuning.tolerance:g}, which is not "
        "equally hard to reach for each of them."
        if "loss" in tuning.axes and tuning.tolerance is not None
        else ""
    )
    if best is default:
        first = f"The search found nothing better than the default, {default.name}."
    elif result.is_improvement:
        first = f"{best.name} is better than the default, {default.name}."
    else:
        first = (
            f"No significant improvement over the default, {default.name}; {best.name} came "
            "nearest."
        )
    return [
        first,
        *ends,
        *([losses] if losses else []),
        *([_prior_sentence(result)] if tuning.prior else []),
        _fresh_sentence(result),
        *([_rivals_sentence(result)] if result.is_improvement and result.rivals else []),
        _optimism_sentence(result),
        _search_sentence(result),
    ]


def _fresh_sentence(result: Result) -> str:
    """The best and the default on fresh seeds."""
    tuning, best, default = result.tuning, result.best, result.default
    objective = tuning.objectives[0]
    on_fresh = f"On {tuning.n_fresh_blocks * BLOCK_SIZE:,} networks with fresh seeds its "
    on_fresh += f"{objective.words} is {measured(objective, best.values[0])}"
    if best is default:
        return f"{on_fresh}, with an interval of {100 * LEVEL:g} %."
    compared = (
        "over the same random numbers"
        if shares_randomness(tuning, best.settings)
        else "between networks drawn independently"
    )
    n = len(result.finalists)
    together = [f"all {n} finalists"] * (n > 1) + ["both objectives"] * (len(tuning.objectives) > 1)
    holds = f"that holds for {' and '.join(together)} together at" if together else "of"
    return (
        f"{on_fresh}, the default's {measured(objective, default.values[0])}; the difference "
        f"{compared} is {measured(objective, best.differences[0], sign=True)}, with an interval "
        f"{holds} {100 * LEVEL:g} %."
    )


def _rivals_sentence(result: Result) -> str:
    """Who is as good as the winner, for all that is known."""
    objective = result.tuning.objectives[0]
    rivals = [f"{entry.name}, {measured(objective, entry.values[0])}" for entry in result.rivals]
    return f"By these networks it can't be told apart from {'; nor from '.join(rivals)}."


def _optimism_sentence(result: Result) -> str:
    """What became of the best observed candidate."""
    objective, observed = result.tuning.objectives[0], result.best_observed
    before = number(objective, observed.observed[0])
    after = number(objective, observed.values[0].value)
    unit = " %" * objective.is_share
    flattered = "flattered" if result.optimism > 0 else "did not flatter"
    return (
        f"The search {flattered} its best observed candidate, {observed.name}: {before}{unit} in "
        f"the search, {after}{unit} on fresh seeds."
    )


def _search_sentence(result: Result) -> str:
    """What the search took."""
    standings, n_refused = result.search.standings, len(result.search.refused)
    n_networks = sum(entry.n_networks for entry in standings)
    text = f"It trained {n_networks:,} networks of {counted(len(standings), 'candidate')}"
    if n_refused:
        text += f" and left out {n_refused:,} that by theory can't be best"
    return f"{text}."


def _prior_sentence(result: Result) -> str:
    """Where theory let the search begin, and how that ended."""
    predicted = result.search.rounds[0].predicted
    if not predicted:
        return "Theory predicts the success of none of its candidates: the search began without it."
    best = max(predicted, key=lambda settings: predicted[settings])
    estimates = {standing.settings: standing.estimates[0] for standing in result.search.standings}
    objective = result.tuning.objectives[0]
    n = len(predicted)
    which = "candidate" if n == 1 else f"{n} candidates"
    return (
        f"The search began with the {which} of which theory predicts the most success, without "
        f"training: at best {number(objective, predicted[best])} %, of "
        f"{written(result.tuning, best)}, of which the search measured "
        f"{measured(objective, estimates[best])}."
    )


def shares_randomness(tuning: Tuning, settings: Settings | None) -> bool:
    """Whether a candidate's networks draw the very random numbers of the default's."""
    return all(
        tuning.cell(settings, width).stream_identity == tuning.cell(None, width).stream_identity
        for width in tuning.widths
    )
