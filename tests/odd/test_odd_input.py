"""Whatever is declared, read or typed: it works or is refused, at once, and nothing is written.

The number of cases of every kind is that of `TRAINABILITY_ODD_CASES`, by default a few hundred.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import odd_values
import pytest
from typer.testing import CliRunner

from trainability import Study
from trainability.cli.commands import app
from trainability.errors import TrainabilityError
from trainability.schemes import scheme_from_text
from trainability.tuning import Tuning

N_CASES = int(os.environ.get("TRAINABILITY_ODD_CASES", "600"))
LIMIT_S = 5
"""Of processor time, which does not depend on what else the machine does."""
WALL_S = 120
"""For what waits, and uses none."""
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


class Slow(BaseException):
    """A case took longer than it may."""


def outcome(case: Callable[[], Any]) -> str | None:
    """None if a case works or is refused in one message, else what happened instead."""

    def stop(*_: object) -> None:
        raise Slow

    limits = [(signal.SIGPROF, signal.ITIMER_PROF, LIMIT_S),
              (signal.SIGALRM, signal.ITIMER_REAL, WALL_S)]  # fmt: skip
    before = [signal.signal(number, stop) for number, _, _ in limits]
    for _, timer, seconds in limits:
        signal.setitimer(timer, seconds)
    try:
        case()
    except TrainabilityError as error:
        text = str(error)
        return None if text.strip() and len(text) < 100_000 else f"a message of {len(text)}"
    except (Exception, Slow) as error:
        return "".join(traceback.format_exception(error)[-3:])[-1500:]
    finally:
        for (number, timer, _), handler in zip(limits, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)
    return None


def survivors(n: int, case_of: Callable[[np.random.Generator], tuple[str, Callable]]) -> list[str]:
    """What went wrong in n cases, each of a seed of its own."""
    wrong = []
    for seed in range(n):
        label, case = case_of(np.random.default_rng(seed))
        if problem := outcome(case):
            wrong.append(f"case {seed}: {label[:200]!r}\n{problem}")
    return wrong


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, in which nothing may be written."""
    (tmp_path / "tiny.json").write_text(Study(**odd_values.STUDY).to_json())
    (tmp_path / "tuning.json").write_text(Tuning(**odd_values.TUNING).to_json())
    (tmp_path / "tiny.py").write_text(
        "from pathlib import Path\nfrom trainability import Study\n"
        "STUDY = Study.from_json(Path(__file__).with_suffix('.json').read_text())\n"
    )
    for name in ("folder.py", "folder.png"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    yield tmp_path
    written = [path for path in sorted(tmp_path.rglob("*")) if "__pycache__" not in str(path)]
    assert written == before


def tell(wrong: list[str]) -> str:
    return f"{len(wrong)} cases\n\n" + "\n".join(wrong[:10])


def test_odd_declarations(folder):
    wrong = survivors(2 * N_CASES, lambda rng: ("declaration", odd_values.declaration(rng)))
    assert not wrong, tell(wrong)


@pytest.mark.parametrize("name", ["tiny.json", "tuning.json", "architecture"])
def test_odd_documents(folder, name):
    kind = Study if name == "tiny.json" else Tuning
    made = Tuning(**odd_values.ARCHITECTURE) if name == "architecture" else None
    whole = Path(name).read_text() if made is None else made.to_json()

    def case(rng):
        text = odd_values.document(rng, whole)
        return text, lambda: kind.from_json(text)

    wrong = survivors(N_CASES, case)
    assert not wrong, tell(wrong)


def test_odd_scheme_texts_are_data(folder):
    def case(rng):
        text = odd_values.scheme_text(rng)
        return text, lambda: str(scheme_from_text(text))

    wrong = survivors(N_CASES, case)
    assert not wrong, tell(wrong)


def test_odd_command_lines(folder, monkeypatch):
    """What trains, draws or samples is left out: those do what they are told, for as long."""
    monkeypatch.setattr("trainability.running.study._run", lambda *_: None)
    report = SimpleNamespace(show=lambda *_: None)
    tuned = SimpleNamespace(written=report)
    monkeypatch.setattr("trainability.cli.tune._show", lambda *_: None)
    monkeypatch.setattr("trainability.running.tuning._search", lambda *_: tuned)
    monkeypatch.setattr("trainability.cli.theory._entry", lambda *_: {"depth": 2, "need": 2})
    monkeypatch.setattr("trainability.cli.theory._success", lambda *_: {})
    monkeypatch.setattr("trainability.cli.theory._show_success", lambda *_: None)
    monkeypatch.setattr("trainability.cli.theory._show", lambda *_: None)
    monkeypatch.setattr("trainability.cli.theory._show_counts", lambda *_: None)
    monkeypatch.setattr("trainability.cli.theory._draw", lambda *_: None)
    refused = TrainabilityError("nothing is drawn")
    monkeypatch.setattr(
        "trainability.analysis.scheme_check.check_scheme", lambda *_: (_ for _ in ()).throw(refused)
    )
    monkeypatch.setattr(
        "trainability.benchmark.benchmark", lambda *_, **__: (_ for _ in ()).throw(refused)
    )

    def case(rng):
        words = odd_values.command_line(rng)

        def call():
            result = CliRunner().invoke(app, words)
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            assert result.exit_code in (0, 2), result.output

        return " ".join(words), call

    wrong = survivors(N_CASES, case)
    assert not wrong, tell(wrong)
