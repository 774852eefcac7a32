"""What the columns of a report's tables and MLflow's metrics mean, once for all that have them."""

from __future__ import annotations

from trainability.results import MEANINGS

TABLES = {
    "rates": "Every cell with networks: how many succeeded, were trainable, born dead.",
    "boundaries": "Where success crosses the rate that was sought.",
    "effective_activity": "The one number that explains each curve over width.",
    "models": "Six models of success over width, fitted to each curve.",
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
    "n_failed": "Networks that did not succeed.",
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
    "degrees_of_freedom": "Its degrees of freedom.",
    "p_value": "P-value of the row's test.",
    "p_holm": "P-value corrected for all rows, by Holm.",
    "model": "Name of the model.",
    "lapse": "Share that fails whatever the width.",
    "overdispersion": "Spread between cells beyond that of chance.",
    "aic": "Akaike's information criterion.",
    "simpler": "The model with fewer parameters.",
    "richer": "The model that has it as a special case.",
    "statistic": "The test's statistic.",
    "expected_rate": "Success rate by the model.",
    "residual": "Measured minus expected, in standard deviations.",
    "success_probability": "The probability that is asked for.",
    "width_measured": "Least width that was studied and reached it.",
    "width_trainability": "Least width at which trainability reaches it.",
    "law": "The law.",
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
    "quantity": "What was measured.",
    "value": "Its value.",
    "se": "Its standard error.",
    "best_loss": "Training loss of the best constant.",
    "predicted_success": "Success rate that theory predicts from the initialization.",
    "reason": "Why they failed.",
    "step": "Updates so far, in steps.",
    "survival": "Share that had not succeeded by then.",
    "moment": "init, at birth, or final, where training ended.",
    "layer": "Hidden layer, from 1.",
    "state": "active, tentative or permanent.",
    **{f"q{k}": f"{k} % of the networks have at most this loss." for k in (10, 25, 50, 75, 90)},
    "axis": "What is compared: scheme, activation, penalty or optimizer.",
    "a": "One of the two that are compared.",
    "b": "The other.",
    "paired": "Whether both trained the same networks at birth.",
    "sharing": "How networks of both are related.",
    "places": "Places that are pooled.",
    "n_a": "Networks of a.",
    "n_b": "Networks of b.",
    "rate_a": "Success rate of a.",
    "rate_b": "Success rate of b.",
    "difference": "Success rate of a minus that of b.",
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
