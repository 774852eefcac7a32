"""What was run, for the page: where, when, with what, from which code."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from trainability.checks import counted
from trainability.findings.study import Findings
from trainability.provenance import describe_environment
from trainability.storage import Storage


def what_was_run(findings: Findings, storage: Storage) -> dict[str, str]:
    """Facts by name, as text: of the launch and of the blocks, as storage keeps them."""
    study = findings.study
    launch = storage.read_environment(study.name)
    blocks = findings.measured.blocks
    seconds = pd.to_numeric(blocks["seconds"]).sum()
    steps = pd.to_numeric(blocks["network_steps"]).sum()
    finished = pd.to_numeric(blocks["finished_at"])
    hosts = sorted(set(blocks["host"]))
    facts = {
        "networks": f"{findings.n_networks:,} in {counted(len(findings.rates), 'cell')}, "
        f"{steps:,.0f} training steps",
        "seed": f"{study.seed}",
        "code": _code(launch) if launch else "not recorded",
        "engine": ", ".join(
            f"{where} ({counted(count, 'file')})"
            for where, count in (blocks["engine"] + " on " + blocks["device"])
            .value_counts()
            .items()
        ),
        "finished": f"from {_time(finished.min())} to {_time(finished.max())}",
        "time": f"{seconds:,.0f} s of computing, on {counted(len(hosts), 'machine')}",
        "versions": ", ".join(
            f"{key.removeprefix('version_')} {launch[key]}"
            for key in launch
            if key.startswith("version_") or key == "python"
        ),
        "results": f"{place_name(storage)}/{study.name}",
    }
    ours = describe_environment()
    if _code(ours) != facts["code"]:
        facts["this page"] = f"made by {_code(ours)}"
    return {name: fact for name, fact in facts.items() if fact}


def place_name(storage: Storage) -> str:
    """What a page calls the storage: of a local folder its name, not where it lies."""
    return Path(storage.address).name if storage.is_local else storage.shown


def _code(environment: dict[str, str]) -> str:
    commit = environment.get("git_commit", "")
    source = f"commit {commit}" if len(commit) == 40 else "no git repository"
    changed = ", with uncommitted changes" if environment.get("git_dirty") == "True" else ""
    return f"trainability {environment.get('version_trainability', '?')}, {source}{changed}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
