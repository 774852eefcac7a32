"""Pages of copies of a module: of these theory says nothing, and neither does the page."""

import pytest
import torch
from html_page import Page
from torch import Tensor, nn
from trained_rows import trained

import trainability
from trainability import Adam, Module, Study
from trainability.findings.study import find
from trainability.findings.verdicts import BOUND
from trainability.report import write_report
from trainability.report.better import better_sentences
from trainability.report.console import pivot
from trainability.report.sentences import answer
from trainability.schemes import He, TorchOwn, UnitSphere
from trainability.study.network import AS_BUILT
from trainability.tasks import AbsoluteValue

pytestmark = pytest.mark.usefixtures("unrendered")


def two_layers(width):
    return nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))


def two_neurons_or_more(extra):
    return two_layers(2 + extra)


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


class Deep(nn.Module):
    """Six layers, with or without ways around them."""

    def __init__(self, skips: bool, n: int = 8) -> None:
        super().__init__()
        self.first = nn.Linear(1, n)
        self.layers = nn.ModuleList(nn.Linear(n, n) for _ in range(6))
        self.last = nn.Linear(n, 1)
        self.skips = skips

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        for layer in self.layers:
            h = torch.relu(layer(h)) + (h if self.skips else 0)
        return self.last(h)


def wide(width: int, depth: int, skips: bool) -> nn.Module:
    assert depth == 8
    return Deep(skips, width)


@pytest.mark.parametrize("width", [None, 8], ids=["without a width", "with one"])
def test_networks_are_held_against_each_other_like_any_strategy(width, tmp_path):
    # What stands between the layers of a module is no activation of its own.
    plain: list[Module | None] = [None] if width else []
    study = Study(
        name="skips",
        question="Do skip connections tell points apart?",
        quantity="cosine",
        task=AbsoluteValue(n_train=16),
        axes={"network": [*Module.grid(wide if width else Deep, skips=[False, True]), *plain]},
        width=width,
        depth=8 if width else None,
        scheme=He(),
        optimizer=Adam(learning_rate=0.02),
        max_steps=1,
        tolerance=1e-6,
        replicates=256,
    )
    storage = trained(study, tmp_path)
    findings = find(study, storage)
    best = "3 networks wide(skips=False)" if width else "2 networks no skips"
    first = answer(findings)[0]
    assert first.startswith(f"Of {best} has the smallest mean cosine between points or nodes: ")
    assert findings.comparisons.axes == ["network"]
    assert set(findings.asked.pairs["axis"]) == {"network"}
    wanted = "The difference in success between the 2 networks is not certain"
    if plain:
        wanted = f"No difference between the {2 + len(plain)} networks is certain"
    assert better_sentences(findings)[0].startswith(wanted)


def test_modules_without_a_depth_stand_beside_networks_of_several_depths(tmp_path):
    """Each at a place of its own: depth can't be the horizontal axis of what has none."""
    study = Study(
        name="beside",
        question="Are deeper ones better than a module?",
        task=AbsoluteValue(n_train=16),
        axes={"network": [None, Module(two_layers, width=3)], "depth": [2, 3]},
        width=3,
        scheme=He(),
        optimizer=Adam(learning_rate=0.02),
        max_steps=5,
        tolerance=1e-2,
        replicates=256,
    )
    storage = trained(study, tmp_path)
    findings = find(study, storage)
    assert list(findings.rates[findings.x]) == ["(3,)", "(3, 3)", "two_layers(width=3)"]
    report = write_report(study, storage)
    # Of the module nothing is known: it has no bound, and is no exception from one.
    text = " ".join(answer(findings))
    assert "trainability in all 2 cells that it bounds" in text
    assert "512 networks, exact test" in text and AS_BUILT not in text
    laws = findings.tables["laws"].set_index("law")["verdict"]
    assert laws[BOUND].startswith("Holds in all 2 cells, 512 networks")
    assert set(findings.rates["curve"]) == {"fully connected", "two_layers(width=3)"}
    page = Page(report.page.read_text()).text
    assert AS_BUILT not in page
    assert sum(line.count("/") for line in pivot(findings)[1:]) == 2


def test_at_each_module_the_schemes_are_told_apart_and_modules_at_none(tmp_path):
    """A number that they are built with is the horizontal axis: of it nothing is told by place."""
    study = Study(
        name="by_place",
        question="Which initialization, and of how many neurons?",
        task=AbsoluteValue(n_train=16),
        axes={
            "scheme": [He(), UnitSphere()],
            "network": Module.grid(two_neurons_or_more, extra=[0, 6]),
        },
        optimizer=Adam(learning_rate=0.05),
        max_steps=40,
        tolerance=0.05,
        replicates=256,
    )
    storage = trained(study, tmp_path)
    texts = better_sentences(find(study, storage))
    assert any(text.startswith("extra 6 succeeds more often") for text in texts)
    told = [text for text in texts if text.startswith("The largest difference is")]
    assert len(told) == 1 and "at extra 0 and" in told[0]
    assert "nan" not in " ".join(texts)


def plain_or_tanh(tanh: bool, n: int = 2) -> nn.Module:
    return nn.Sequential(nn.Linear(1, n), nn.Tanh() if tanh else nn.ReLU(), nn.Linear(n, 1))


@pytest.mark.parametrize("scheme", [He(), TorchOwn()], ids=str)
def test_modules_that_draw_the_same_weights_are_pairs(scheme, tmp_path, monkeypatch):
    """By their layers' shapes, which the scheme draws; without a width axis, too."""
    study = Study(
        name="pairs",
        question="Is tanh better?",
        task=AbsoluteValue(n_train=16),
        axes={
            "network": [
                *Module.grid(plain_or_tanh, tanh=[False, True]),
                Module(plain_or_tanh, tanh=True, n=3),
            ],
            "optimizer": [Adam(learning_rate=0.02), Adam(learning_rate=0.1)],
        },
        scheme=scheme,
        max_steps=2,
        tolerance=1e-2,
        replicates=256,
    )
    storage = trained(study, tmp_path)
    comparisons = find(study, storage).comparisons
    places = comparisons.places
    of_networks = places[places["axis"] == "network"]
    same_shape = ~(of_networks["a"] + of_networks["b"]).str.contains("n=3")
    drawn_by_scheme = scheme == He()
    assert (of_networks["paired"] == (same_shape & drawn_by_scheme)).all()
    assert same_shape.sum() == 2 and len(of_networks) == 6
    # Whatever the optimizer does, a module's copies are born the same.
    assert places.loc[places["axis"] == "optimizer", "paired"].all()
    sharing = comparisons.pooled.set_index("axis")["sharing"]
    assert (sharing["network"] == 2).all()
    assert sharing["optimizer"] == (2 if drawn_by_scheme else 1)
    # From the study's JSON alone nobody can know the shapes: any may be the same, and no test may
    # be surer than with them.
    monkeypatch.setattr("trainability.study.network._BUILDERS", {})
    without = Study.from_json(study.to_json())
    assert not any(cell.network.has_code for cell in without.cells())
    alone = find(without, storage).comparisons
    assert len(alone.places) == len(places)
    is_of_networks = alone.places["axis"] == "network"
    assert (alone.places.loc[is_of_networks, "paired"] == drawn_by_scheme).all()
    assert alone.places.loc[~is_of_networks, "paired"].all()
    sharing_alone = alone.pooled.set_index("axis")["sharing"]
    assert (sharing_alone["network"] == 2).all()
    assert sharing_alone["optimizer"] == (3 if drawn_by_scheme else 1)


@pytest.mark.parametrize("tanh", [[True], [True, False]], ids=["alone", "beside others"])
def test_modules_without_a_relu_have_a_page(tanh, tmp_path):
    """No neuron of theirs can be dead, and none can be lost."""
    study = Study(
        name="smooth",
        question="Is tanh better?",
        task=AbsoluteValue(n_train=16),
        axes={"network": Module.grid(plain_or_tanh, tanh=tanh)},
        scheme=He(),
        optimizer=Adam(learning_rate=0.02),
        max_steps=5,
        tolerance=1e-3,
        replicates=256,
    )
    storage = trained(study, tmp_path)
    report = write_report(study, storage)
    failures = report.findings.failures.groupby("reason")["count"].sum()
    assert failures["lost neurons"] <= 256 * (len(tanh) - 1)
    assert failures.sum() == 256 * len(tanh)
    assert report.page.is_file()
