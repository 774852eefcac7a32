"""How MLflow's run of a study ends is how the study ended; what MLflow lacks is told."""

import pytest

from trainability.errors import StudyFailed
from trainability.events import Events, Noted
from trainability.running.subscribers import mirrored
from trainability.storage import Storage


class Mirror:
    def __init__(self, *_):
        self.trouble, self.ended = None, None

    def close(self, status, hurry=False):
        self.ended = status, hurry


@pytest.mark.parametrize(
    ("error", "ended", "said"),
    [
        (None, ("FINISHED", False), "when it is back:"),
        (StudyFailed("cells are incomplete"), ("FAILED", False), "when it is back:"),
        (ZeroDivisionError(), ("FAILED", False), "when it is back:"),
        (KeyboardInterrupt(), ("KILLED", True), "the same command, or,"),
    ],
)
@pytest.mark.parametrize("trouble", [None, "it is away"])
def test_it_ends_as_the_study_did(tiny_study, tmp_path, monkeypatch, error, ended, said, trouble):
    monkeypatch.setattr("trainability.tracking.Mirror", Mirror)
    heard, mirrors = [], []

    def work():
        with mirrored(
            tiny_study,
            Storage(tmp_path),
            "http://user:secret@there:5000",
            Events(heard.append),
            again="trainability sync tiny",
            when="when it is back:",
            when_interrupted="the same command, or,",
        ) as mirror:
            mirrors.append(mirror)
            mirror.trouble = trouble
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(type(error)):
            work()
    assert mirrors[0].ended == ended
    if trouble is None:
        assert heard == []
    else:
        [noted] = heard
        assert isinstance(noted, Noted) and noted.text == "trainability sync tiny"
        assert noted.heading.endswith(f"is incomplete (it is away); {said}")
        assert "secret" not in noted.heading
