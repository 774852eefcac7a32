"""A tuning run from Python: its winner, tables and report; again it trains nothing."""

import pytest
from tuning.tuning_in_process import Trainer, a_tuning

import trainability
from trainability import events
from trainability.errors import InputError
from trainability.storage import Storage
from trainability.tuning.loop import run_search

pytestmark = pytest.mark.usefixtures("unrendered")


def test_it_finds_reports_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    tuning, storage = a_tuning(), Storage(tmp_path)
    run_search(tuning, storage, Trainer(tuning, storage))
    lost = sorted(tmp_path.glob("tiny/*/blocks-*.parquet"))[:3]
    for path in lost:
        path.unlink()
    heard = []
    tuned = trainability.tune(tuning, tmp_path, progress=False, on_event=heard.append)
    assert all(path.exists() for path in lost)
    assert str(tuned.scheme).startswith("He(") and "scheme=He(" in tuned.result.python
    assert tuned.optimizer.learning_rate > 0 and tuned.answer
    assert len(tuned.candidates()) >= len(tuned.finalists()) >= 2
    assert tuned.report == tmp_path / "tiny" / "report" / "index.html" and tuned.report.is_file()
    assert "Which bias scale?" in tuned._repr_html_()
    cells = {event.cell.id for event in heard if isinstance(event, events.Started)}
    assert cells == {path.parent.name for path in lost}
    heard.clear()
    trainability.tune(tuning, tmp_path, progress=False, on_event=heard.append)
    assert not any(isinstance(event, events.Started) for event in heard)


def test_what_can_not_be_used_is_told_all_at_once(tmp_path):
    with pytest.raises(InputError, match="3 problems(.|\n)*max_failures(.|\n)*storage(.|\n)*a Tun"):
        trainability.tune(3, 5, max_failures=-1)
    path = tmp_path / "two.py"
    path.write_text(
        "from trainability.tuning import Tuning\n"
        f"one = Tuning.from_json({a_tuning().to_json()!r})\n"
        f"two = Tuning.from_json({a_tuning(name='other').to_json()!r})\n"
        "TUNING = [one, two]\n"
    )
    with pytest.raises(InputError, match=r"declares 2 tunings \(tiny, other\); give tune one"):
        trainability.tune(path, tmp_path / "results")
