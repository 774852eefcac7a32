"""Arguments of modules as axes: what curves run along, what tells them apart, what is compared."""

from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from trained_rows import trained

from trainability import Adam, Module, Study
from trainability.findings.arguments import Arguments, arguments
from trainability.findings.study import find
from trainability.report.along import along_sentences, varying_axes
from trainability.report.asked import asked_sentences
from trainability.report.better import better_sentences
from trainability.report.figures import drawings
from trainability.schemes import He
from trainability.tasks import AbsoluteValue

pytestmark = pytest.mark.usefixtures("unrendered")


class Skipping(nn.Module):
    """Two layers, with or without a way around the second."""

    def __init__(self, skip: bool, width: int, bend: str = "relu", count: int = 1) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(1, width), nn.Linear(width, width)
        self.last = nn.Linear(width, count)
        self.skip, self.bend = skip, getattr(torch, bend)

    def forward(self, x: Tensor) -> Tensor:
        h = self.bend(self.first(x))
        y = self.bend(self.second(h))
        return self.last(h + y if self.skip else y)[..., :1]


def study_of(networks: list[Module], **more: Any) -> Study:
    values: dict[str, Any] = {
        "name": "arguments",
        "question": "Does a way around help?",
        "task": AbsoluteValue(n_train=16),
        "axes": {"network": networks},
        "scheme": He(),
        "optimizer": Adam(learning_rate=0.05),
        "max_steps": 40,
        "tolerance": 0.05,
        "replicates": 256,
    }
    return Study(**(values | more))


def varied(networks: list[Module], **more: Any) -> Arguments:
    cells = {cell.id: cell for cell in study_of(networks, **more).cells()}
    rates = pd.DataFrame([cell.columns() for cell in cells.values()], index=list(cells))
    return arguments(cells, rates)


def test_numbers_are_the_horizontal_axis_and_others_are_compared_at_equal_numbers(tmp_path):
    study = study_of(Module.grid(Skipping, skip=[False, True], width=[4, 2]))
    findings = find(study, trained(study, tmp_path))
    assert (findings.x, findings.places, findings.curves) == ("width", [2, 4], ["skip"])
    assert list(dict.fromkeys(findings.rates["curve"])) == ["no skip", "skip"]
    comparisons = findings.comparisons
    assert comparisons.axes == ["skip", "width"]
    places = comparisons.places
    assert places.loc[places["axis"] == "skip", "width"].tolist() == [4, 2]
    assert places.loc[places["axis"] == "skip", "paired"].all()  # both draw the same layers
    assert set(places.loc[places["axis"] == "width", "skip"]) == {"skip", "no skip"}
    assert not places.loc[places["axis"] == "width", "paired"].any()
    rates = findings.rates.set_index(["curve", "width"])["success_rate"]
    gap = (rates["skip"] - rates["no skip"]).mean()
    assert comparisons.of("skip")["difference"].item() == pytest.approx(gap)
    texts = better_sentences(findings)
    assert "on average over the 2 widths studied" in " ".join(texts)
    assert not any("skip, width" in text or "networks skip" in text for text in texts)


def test_axes_stay_what_they_are_while_cells_come_in(tmp_path):
    study = study_of(Module.grid(Skipping, skip=[False, True], width=[4, 2]))
    for cell in study.cells()[:3]:
        findings = find(study, trained(study, tmp_path, [cell]))
        assert findings.x == "width" and findings.arguments == ["skip", "width"]


def test_words_have_no_end(tmp_path):
    """tanh is the last in the alphabet, no more."""
    grid = Module.grid(Skipping, bend=["relu", "tanh"], skip=[False, True], width=2)
    study = study_of(grid, quantity="restarts")
    findings = find(study, trained(study, tmp_path))
    text = " ".join(along_sentences(findings, "bend"))
    assert "relu" in text and "At bend tanh it is" not in text


def test_a_quantity_is_told_along_a_numeric_argument(tmp_path):
    study = study_of(Module.grid(Skipping, skip=[True], width=[4, 2]), quantity="born_dead")
    findings = find(study, trained(study, tmp_path))
    assert varying_axes(findings) == ["width"]
    [text, *_] = asked_sentences(findings)
    assert "2 values of width" in text and "with width 2" in text


def test_arguments_of_words_are_compared_and_no_line_joins_them(tmp_path):
    grid = Module.grid(Skipping, skip=[False, True], bend=["relu", "tanh"], width=2)
    study = study_of(grid)
    findings = find(study, trained(study, tmp_path))
    assert findings.x == "network" and findings.comparisons.axes == ["bend", "skip"]
    assert len(findings.comparisons.places) == 4
    figure = drawings(findings)["success_over_network"]()
    lines = [line for ax in figure.axes for line in ax.get_lines() if len(line.get_xdata()) > 1]
    assert lines and {line.get_linestyle() for line in lines} == {"None"}


def test_what_is_no_grid_is_compared_network_by_network(tmp_path):
    networks = [Module(Skipping, skip=skip, width=w) for skip, w in ((True, 2), (False, 2))]
    networks.append(Module(Skipping, skip=True, width=8))
    assert varied(networks) == Arguments()
    study = study_of(networks)
    [text, *_] = better_sentences(find(study, trained(study, tmp_path)))
    assert "3 networks “" in text and "than “" in text


def test_a_name_that_tables_have_is_no_column_of_its_own():
    grid = Module.grid(Skipping, skip=True, width=2, count=[1, 2])
    assert varied(grid).x == "count argument"
    assert [*varied(grid).texts["count argument"].values()] == ["count 1", "count 2"]


def test_one_argument_of_words_is_another_name_of_the_network():
    assert varied(Module.grid(Skipping, skip=[True, False], width=2)) == Arguments()


def test_beside_a_width_of_the_study_numbers_tell_curves_apart():
    grid = Module.grid(Skipping, skip=[True, False], count=[1, 2])
    found = varied(grid, axes={"network": grid, "width": [2, 4]})
    assert found.x is None and found.columns == ["count argument", "skip"]
