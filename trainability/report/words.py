"""The sentences of a report; every number in them comes from a table."""

from __future__ import annotations

from trainability.report.findings import LEVEL, Findings


def headline(findings: Findings) -> str:
    """The finding in a line, for the figure."""
    above = _above_bound(findings)
    n = len(findings.rates)
    if above:
        return f"Success is above the theoretical trainability in {above} of {n} cells"
    return f"Success stays below the theoretical trainability in all {n} cells"


def answer(findings: Findings) -> list[str]:
    """What was found, in sentences."""
    n = len(findings.rates)
    above = _above_bound(findings)
    sentences = []
    if not findings.is_complete:
        sentences.append(
            f"Unfinished: {findings.n_networks:,} of {findings.n_wanted:,} networks are there."
        )
    sentences.append(
        f"In {n - above} of {n} cells the measured success rate lies below the theoretical "
        f"trainability or within its own {100 * LEVEL:g} % interval of it "
        f"({findings.n_networks:,} networks)."
    )
    sentences += [verdict.verdict for verdict in findings.verdicts]
    return sentences


def _above_bound(findings: Findings) -> int:
    rates = findings.rates
    return int((rates["success_rate_low"] > rates["trainability"]).sum())
