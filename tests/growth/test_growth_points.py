"""Refining the grid locates where success crosses a level."""

import math
from itertools import pairwise

import pytest
from example_cells import a_cell
from torch import nn

from trainability.growth import Point, crossings, new_points
from trainability.growth.points import in_place
from trainability.schemes import He, UnitSphere
from trainability.study import Module
from trainability.tasks import AbsoluteValue

TASK = AbsoluteValue(n_train=16)


def cell(width=4, depth=2, scheme=None):
    return a_cell(task=TASK, scheme=scheme or UnitSphere(), width=width, depth=depth)


def refined(cells, rate, level):
    """All cells after points were added until there are none, and how many rounds that took."""
    cells, rounds = {cell.id: cell for cell in cells}, 0
    while points := new_points(cells, {id_: rate(cell) for id_, cell in cells.items()}, level):
        added = {point.cell(cells).id: point.cell(cells) for point in points}
        assert not added.keys() & cells.keys()
        cells |= added
        rounds += 1
    return list(cells.values()), rounds


@pytest.mark.parametrize("boundary", [3, 17, 40, 63])
def test_a_boundary_between_widths_is_located_by_halving(boundary):
    points, rounds = refined([cell(2), cell(64)], lambda cell: float(cell.width >= boundary), 0.5)
    widths = {cell.width for cell in points}
    assert {boundary - 1, boundary} <= widths
    assert rounds <= math.ceil(math.log2(62)) and len(widths) == 2 + rounds


def test_points_lie_only_between_neighbors_on_both_sides():
    cells = [cell(width) for width in (2, 8, 16, 32)]
    points, _ = refined(cells, lambda cell: 0.2 if cell.width < 8 else 0.8, 0.5)
    assert {c.width for c in points} <= {2, *range(3, 9), 16, 32}
    assert refined(cells, lambda cell: 0.2, 0.5) == (cells, 0)


def test_every_line_of_a_grid_is_refined_and_no_point_is_added_twice():
    cells = [cell(width, depth) for width in (2, 6) for depth in (2, 8)]
    points, _ = refined(cells, lambda cell: float(cell.width + cell.depth >= 9), 0.5)
    places = [(c.width, c.depth) for c in points]
    assert len(set(places)) == len(places)
    # Along both sides that the boundary crosses: width + depth = 8 and 9 are there.
    assert {(2, 6), (2, 7), (6, 2), (6, 3)} <= set(places)


@pytest.mark.parametrize("values", [[0.1, 10.0], [0.0, 1.0]])
def test_a_setting_of_a_scheme_is_located_to_five_percent(values):
    boundary = 0.37
    cells = [cell(scheme=He(bias_std=value)) for value in values]
    points, rounds = refined(cells, lambda cell: float(cell.scheme.bias_std >= boundary), 0.5)
    settings = sorted(cell.scheme.bias_std for cell in points)
    low = max(value for value in settings if value < boundary)
    high = min(value for value in settings if value >= boundary)
    assert high - low <= max(0.05 * low, 0.01 * max(values)) and rounds < 12


def test_schemes_that_differ_in_more_than_a_number_are_no_neighbors():
    cells = [
        cell(scheme=He(bias_std=0.1)),
        cell(scheme=He(distribution="uniform", bias_std=1.0)),
        cell(scheme=UnitSphere(), width=9),
    ]
    rates = dict(zip([c.id for c in cells], (0.1, 0.9, 0.9), strict=True))
    assert new_points({c.id: c for c in cells}, rates, 0.5) == []


def test_a_crossing_is_located_when_nothing_is_left_between():
    cells = {c.id: c for c in (cell(2), cell(3), cell(8))}
    rates = dict(zip(cells, (0.1, 0.9, 0.3), strict=True))
    near, far = crossings(cells, rates, 0.5)
    assert (near.axis, near.values, near.middle) == ("width", (2, 3), None)
    assert (far.values, far.middle) == ((3, 8), 5)
    assert far.cells == (cell(3).id, cell(8).id)


def test_points_stand_behind_the_cell_that_they_lie_beside():
    narrow, wide = cell(2), cell(10)
    points = [Point(narrow.id, "width", 6), Point(narrow.id, "width", 4)]
    points.append(Point(cell(6).id, "width", 8))
    cells = {c.id: c for c in (narrow, wide, cell(6), cell(4), cell(8))}
    assert [c.width for c in in_place(cells, points).values()] == [2, 4, 6, 8, 10]
    assert list(in_place(cells, [])) == list(cells)


def test_networks_without_one_width_are_no_neighbors_along_it_but_along_settings():
    widths = [2, (16, 4), (4, 16), 6]
    cells = [cell(width, 3, He(bias_std=std)) for width in widths for std in (0.5, 1.0)]
    points, _ = refined(cells, lambda cell: float(cell.sizes[1] + cell.scheme.bias_std >= 4.7), 0.5)
    added = [c.width for c in points if c not in cells]
    # Of 4 neurons first the level lies between the settings; between 2 and 6 at both settings.
    assert (4, 16) in added and (16, 4) not in added
    assert {4, 5} & set(added) and {width for width in added if width != (4, 16)} <= {2, 3, 4, 5, 6}


def build(width: int, n_hidden: int) -> nn.Module:
    sizes = [1, *[width] * n_hidden]
    hidden = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(width, 1))


@pytest.mark.parametrize(
    "axis",
    [
        {"network": [Module(build, n_hidden=n) for n in (1, 2)]},
        {"label_noise": [0.0, 0.5]},
        {"batch_size": [4, 8]},
    ],
    ids=str,
)
def test_cells_that_differ_in_another_axis_are_no_neighbors(axis):
    """Else points would be added between two networks, each of which succeeds at every width."""
    [(name, values)] = axis.items()
    cells = [
        a_cell(task=TASK, width=width, depth=None if name == "network" else 2, **{name: value})
        for value in values
        for width in (2, 32)
    ]
    rates = {cell.id: 0.2 if cell.declared(name) == values[0] else 0.8 for cell in cells}
    assert len(rates) == 4 and not list(crossings({c.id: c for c in cells}, rates, 0.5))
