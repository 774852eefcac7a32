"""Pages of copies of a module: of these theory says nothing, and neither does the page."""

from torch import nn

import trainability
from trainability import Adam, Module, Study
from trainability.schemes import He
from trainability.tasks import AbsoluteValue


def two_layers(width):
    return nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))


def test_no_bound_is_claimed_or_drawn(tmp_path):
    study = Study(
        name="copies",
        question="Are wider ones better?",
        task=AbsoluteValue(n_train=16),
        axes={"width": [2, 4]},
        scheme=He(),
        network=Module(two_layers),
        optimizer=Adam(learning_rate=0.02),
        max_steps=5,
        tolerance=1e-2,
        replicates=256,
    )
    result = trainability.run(study, tmp_path, ray=False, progress=False)
    page = result.report.read_text()
    assert "Theory bounds nothing here" in " ".join(result.answer.split())
    assert "stays below" not in page and "obey theory" not in page
    assert "upper bound" not in page.split("<h2>Methods")[0]
