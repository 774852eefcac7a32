"""What the columns of a report's tables and MLflow's metrics mean, once for all that have them."""

from __future__ import annotations

from trainability.results import MEANINGS, Column

TABLES = {
    "rates": "Every cell with networks: how many succeeded, were trainable, born dead.",
    "boundaries": "Where success crosses the rate that was sought.",
    "effective_activity": "The one number that explains each curve over width.",
    "models": "Models of success over width, fitted to each curve: six where theory bounds "
    "success, else those of q.",
    "model_comparisons": "Likelihood-ratio tests between nested models.",
    "residuals": "Where each model misses, cell by cell.",
    "widths_needed": "The width from which on success is as likely as was asked.",
    "laws": "Laws of the theory, and whether they hold.",
    "count_tests": "Whether the number of active neurons at birth has the law that theory states.",
    "count_shares": "The numbers of active neurons at birth, beside theory.",
    "failures": "Why trainable networks failed.",
    "collapse": "Networks that are constant on the training points.",
    "collapsed_to": "Collapsed networks that end at the best constant.",
    "predictions": "Success as theory predicts it, beside what was measured.",
    "quantities": "What the study or its paper asks about, measured in every cell.",
    "survival": "The share of networks that had not succeeded yet, over steps.",
    "census": "Neurons by state, at birth and at the end, layer by layer.",
    "losses": "Quantiles of the training loss over steps.",
    "measures": "Means of accuracy and of what was measured on points that were held back.",
    "comparisons": "Curves compared two by two at every place.",
    "pooled_comparisons": "Curves compared two by two over all places, by one test.",
    "published": "Numbers of a paper beside ours.",
    "asked": "What the study asks about, strategy against strategy.",
    "scaling": "The width that success takes, over the number of samples.",
    "blocks": "Where and when every block of networks was trained, and how long it took.",
}
"""CSV files of a report, and what they hold."""

ENDINGS = {
    "_low": "lower end of the 95 % interval of",
    "_high": "upper end of the 95 % interval of",
    "_se": "standard error of",
}
"""What the end of a column's name says of the column without it."""

COLUMNS = {
    "curve": "Short name of what tells curves apart, such as the scheme.",
    "n": "Networks behind the row.",
    "n_cells": "Cells behind the row.",
    "n_wanted": "Networks that the study asks for.",
    "successes": "Networks that succeeded.",
    "n_trainable": "Networks that were trainable at birth.",
    "n_born_dead": "Networks that were constant at birth.",
    "n_diverged": "Networks whose loss or parameters stopped being finite.",
    "n_collapsed": "Networks that are constant on the training points at the end.",
    "n_collapse_known": "Networks of which that is known.",
    "n_failed": "Trainable networks that did not succeed; untrainable ones are in no row.",
    "success_rate": "Share that succeeded, in [0, 1], of all that were started.",
    "trainable_rate": "Share that was trainable at birth, in [0, 1].",
    "born_dead_rate": "Share that was constant at birth, in [0, 1].",
    "collapsed_rate": "Share that is constant at the end, of those of which it is known.",
    "success_steps_median": "Median of the steps of those that succeeded.",
    "interval": "Which interval it is.",
    "trainability": "Theory's probability that a network is trainable, in [0, 1]; missing where "
    "theory bounds nothing.",
    "trainability_method": "How it was computed, or why theory bounds nothing.",
    "is_bound": "Whether it is an upper bound of it.",
    "born_alive": "Theory's probability that a neuron is not born dead.",
    "born_dead_lower": "Theory's lower bound of the share of networks that are born dead.",
    "born_dead_upper": "Theory's upper bound of it.",
    "q": "Effective activity: the probability that a neuron becomes useful, in [0, 1].",
    "need": "Useful neurons that the task needs.",
    "deviance": "Twice the log-likelihood that the model lacks to a perfect one.",
    "degrees_of_freedom": "Cells of the curve less fitted numbers, which the deviance is about "
    "as large as if the model is right.",
    "p_value": "Probability of a result at least as extreme if what the row tests is true.",
    "p_holm": "P-value corrected for all rows, by Holm.",
    "model": "Name of the model.",
    "lapse": "Share that fails whatever the width.",
    "overdispersion": "Spread between cells beyond that of chance.",
    "aic": "Akaike's information criterion.",
    "simpler": "The model with fewer parameters.",
    "richer": "The model that has it as a special case.",
    "statistic": "What the p-value is of.",
    "expected_rate": "Success rate by the model.",
    "residual": "Measured minus expected, in standard deviations.",
    "success_probability": "The probability that is asked for.",
    "width_measured": "Least width that was studied and reached it.",
    "width_trainability": "Least width at which trainability reaches it.",
    "law": "What theory says, in a sentence.",
    "verdict": "What the networks say of it.",
    "holds": "Whether it holds.",
    "false_alarm_rate": "How often the test rejects a true law.",
    "mean": "Mean over the networks.",
    "median": "Median over the networks.",
    "measure": "Which column of the rows it is the mean of.",
    "expected_mean": "Mean by theory.",
    "g": "Statistic of the G-test of the counts.",
    "g_degrees_of_freedom": "Its degrees of freedom.",
    "g_p_value": "Its p-value.",
    "count": "How many: active neurons, or networks of the row.",
    "expected": "Share by theory.",
    "share": "Measured share, in [0, 1].",
    "low": "Lower end of its 95 % interval.",
    "high": "Upper end of its 95 % interval.",
    "quantity": "What was measured: success, born_dead, a loss and so on.",
    "value": "The rate or the mean of the quantity over the networks.",
    "se": "Its standard error.",
    "best_loss": "Training loss of the best constant.",
    "predicted_success": "Success rate that theory predicts from the initialization.",
    "reason": "diverged, lost neurons, out of steps or local minimum.",
    "step": "Updates so far, in steps.",
    "survival": "Share that had not succeeded by then.",
    "moment": "before, at birth, or after, where training ended.",
    "layer": "Hidden layer, from 1.",
    "state": "active, tentatively dead or permanently dead.",
    **{f"q{k}": f"{k} % of the networks have at most this loss." for k in (10, 25, 50, 75, 90)},
    "axis": "What is compared, such as scheme, optimizer, or an argument of a module.",
    "a": "One of the two that are compared.",
    "b": "The other.",
    "paired": "Whether both trained the same networks at birth.",
    "sharing": "Of how many places, at most, the networks are the same at birth.",
    "places": "Places that are pooled.",
    "n_a": "Networks of a.",
    "n_b": "Networks of b.",
    "rate_a": "Success rate of a.",
    "rate_b": "Success rate of b.",
    "difference": "Success rate of b minus that of a.",
    "only_a": "Pairs in which a alone succeeded.",
    "only_b": "Pairs in which b alone succeeded.",
    "first": "Number of the first block.",
    "last": "Number of the last block.",
    "finished_at": "When it was done, UTC.",
    "network_steps": "Updates of all its networks together.",
    "host": "Name of the machine.",
    "seconds": "How long it took.",
    "device": "What it was trained on.",
    "engine": "By which engine.",
}
"""Columns that are not those of the rows, and no end of an interval of another column."""

OWN = {
    "rates": {
        "interval": "Of which kind that of the success rate is: exact, or, of a study that grew, "
        "exact where the rule stopped, or a confidence sequence, which holds at all times.",
    },
    "boundaries": {
        "where": "What both neighbors share: the curve, or the scheme and the place.",
        "axis": "Along which axis success crosses the level.",
        "level": "The success rate that was sought, in [0, 1].",
        "from": "Value of the axis on the one side.",
        "to": "Value of the axis on the other.",
        "located": "Whether nothing is left to look at between them.",
        "rate_from": "Success rate at the one side.",
        "rate_from_low": "The lower end of the 95 % interval of `rate_from`.",
        "rate_from_high": "The upper end of the 95 % interval of `rate_from`.",
        "cell_from": "The cell there.",
        "rate_to": "Success rate at the other side.",
        "rate_to_low": "The lower end of the 95 % interval of `rate_to`.",
        "rate_to_high": "The upper end of the 95 % interval of `rate_to`.",
        "cell_to": "The cell there.",
    },
    "model_comparisons": {
        "statistic": "Likelihood ratio: twice the log-likelihood of the richer model less that of "
        "the simpler one.",
    },
    "widths_needed": {
        "width": "Least width at which the fitted curve reaches the probability; missing where "
        "nothing is fitted.",
    },
    "laws": {
        "statistic": "What the test counts: exceptions, or cells that break the law.",
        "n": "Networks, or cells, that were tested.",
    },
    "measures": {
        "cell": "Id of the cell.",
        "measure": "The column of the rows: `accuracy`, or one of validation.",
        "n": "Networks that did not diverge.",
        "mean": "Mean over them.",
        "mean_low": "The lower end of the 95 % interval of `mean`.",
        "mean_high": "The upper end of the 95 % interval of `mean`.",
        "median": "Median over them.",
    },
    "pooled_comparisons": {
        "statistic": "Likelihood ratio of two curves against one, twice its logarithm.",
    },
    "published": {
        "source": "Where the number was published.",
        "quantity": "What was measured.",
        "where": "In which cells, in words.",
        "n_cells": "Cells over whose mean ours is.",
        "differs": "In what ours differs from theirs.",
        "relation": "Whether theirs is said to be the number (=), at least it or at most.",
        "published": "Theirs.",
        "published_error": "Standard error of theirs, where it was told.",
        "published_n": "Networks behind theirs, where it was told.",
        "ours": "Ours.",
        "ours_low": "The lower end of the 95 % interval of `ours`.",
        "ours_high": "The upper end of the 95 % interval of `ours`.",
        "n": "Networks behind ours.",
        "difference": "Ours minus theirs.",
        "difference_low": "The lower end of the 95 % interval of `difference`.",
        "difference_high": "The upper end of the 95 % interval of `difference`.",
        "p_value": "Probability of such a difference if both are of one law.",
        "p_holm": "P-value corrected for all rows, by Holm.",
        "agrees": "Whether `p_holm` is above 0.05.",
    },
    "asked": {
        "axis": "Along which axis two values are compared.",
        "a": "One of the two.",
        "b": "The other.",
        "places": "Combinations of the other axes at which both were studied.",
        "value_a": "Mean over them of what the study asks about, with a.",
        "value_b": "The same with b.",
        "difference": "That of b minus that of a.",
        "difference_low": "The lower end of the 95 % interval of `difference`.",
        "difference_high": "The upper end of the 95 % interval of `difference`.",
        "p_value": "Probability of such a difference by chance, by the normal law.",
        "n_a": "Networks of a.",
        "n_b": "Networks of b.",
        "p_holm": "P-value corrected for all pairs of the axis, by Holm.",
    },
    "scaling": {
        "family": "Which targets the samples have.",
        "n_train": "Number of samples.",
        "width": "Width that success takes at this number; missing where no width studied does.",
        "width_low": "The lower end of the 95 % interval of `width`.",
        "width_high": "The upper end of the 95 % interval of `width`.",
        "power": "Power of the number of samples with which the width grows.",
        "power_low": "The lower end of the 95 % interval of `power`.",
        "power_high": "The upper end of the 95 % interval of `power`.",
        "n": "Networks behind the row.",
    },
}
"""What columns mean in one table alone; of tables that not every study has, all of them."""

METRICS = {
    "success_rate": "Share of the networks that succeeded; also over training steps.",
    "success_rate_low": "Lower end of its 95 % Clopper-Pearson interval.",
    "success_rate_high": "Upper end of it.",
    "trainability": "Theory's probability that a network is trainable, where theory bounds it.",
    "trainable_rate": "Share that was trainable at birth.",
    "born_dead_rate": "Share that was constant at birth.",
    "diverged_rate": "Share that diverged.",
    "collapsed_rate": "Share that is constant on the training points at the end.",
    "undecided_share": "Share of the neurons that the census could not settle at birth.",
    "replicates": "Networks.",
    "networks_per_second": "Networks trained per second.",
    "loss_median": "Median training loss over steps; a diverged network counts as infinite.",
    "loss_q90": "Loss that 90 % of the networks are not above, over steps.",
    "active_mean": "Mean number of active neurons over steps.",
    "tentatively_dead_mean": "Mean number of tentatively dead neurons over steps.",
    "permanently_dead_mean": "Mean number of permanently dead neurons over steps.",
}
"""Metrics of a cell's MLflow run."""


def meaning(column: str) -> str | None:
    """What a column of rows or of a table means, in a sentence; None if there is no such column."""
    if text := COLUMNS.get(column) or MEANINGS.get(column):
        return text
    for end, relation in ENDINGS.items():
        if column.endswith(end) and meaning(column.removesuffix(end)):
            return f"The {relation} `{column.removesuffix(end)}`."
    return None


def values_text(column: Column) -> str:
    """What values a column of the rows holds, in a few words."""
    kind = str(column.type).replace("list<element: ", "list of ").replace("list<item: ", "list of ")
    kind = kind.rstrip(">")
    if column.one_of:
        kind += ", " + " or ".join(column.one_of)
    elif column.least is not None:
        kind += f", ≥ {column.least:g}"
    return kind + (", may be missing" if column.nullable or column.nullable_entries else "")
