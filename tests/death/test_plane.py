"""2-D boxes: polygons against rational arithmetic, and against the interval on every edge."""

from fractions import Fraction

import networks_by_hand as by_hand
import numpy as np
import pytest

from trainability.death import CERTIFICATES, census
from trainability.death.line import positive_on_interval
from trainability.death.plane import positive_on_polygon
from trainability.domains import Box

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def positive_exactly(network):
    """Oracle: which neurons of one network are positive somewhere on the square."""
    weights, biases = by_hand.hidden(network)
    polygons = [[[Fraction(int(x)) for x in corner] for corner in SQUARE]]
    layers = []
    for weight, bias in zip(weights, biases, strict=True):
        w = [[Fraction(float(x)) for x in row] for row in weight[0]]
        b = [Fraction(float(x)) for x in bias[0]]
        pieces = [
            [
                [sum(map(Fraction.__mul__, row, h), c) for row, c in zip(w, b, strict=True)]
                for h in p
            ]
            for p in polygons
        ]
        layers.append([any(z[j] > 0 for p in pieces for z in p) for j in range(len(b))])
        for j in range(len(b)):
            pieces = [half for p in pieces for half in halves(p, j)]
        polygons = [[[max(x, Fraction(0)) for x in z] for z in p] for p in pieces]
    return layers


def halves(polygon, j):
    """The parts of a polygon where coordinate j is >= 0, and where it is <= 0."""
    if all(z[j] >= 0 for z in polygon) or all(z[j] <= 0 for z in polygon):
        return [polygon]
    parts = []
    for side in (1, -1):
        part = []
        for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            if a[j] * side >= 0:
                part.append(a)
            if a[j] * b[j] < 0:
                t = a[j] / (a[j] - b[j])
                part.append([x + t * (y - x) for x, y in zip(a, b, strict=True)])
        parts.append(part)
    return parts


@pytest.mark.parametrize("bias_std", [0.0, 0.4])
def test_polygons_say_what_rational_arithmetic_says(bias_std):
    networks = by_hand.gaussian(25, [2, 3, 3, 3, 1], bias_std, seed=7)
    is_positive, finished = positive_on_polygon(*by_hand.hidden(networks), SQUARE, 10_000)
    assert (finished == 3).all()
    for r in range(25):
        for t, positive in enumerate(positive_exactly(networks[[r]])):
            assert is_positive[t][r].tolist() == positive, (r, t)


def test_without_biases_the_square_is_its_four_edges():
    # Homogeneous functions are positive somewhere iff they are so on the boundary.
    networks = by_hand.gaussian(300, [2, 8, 8, 8, 8, 1], seed=11)
    weights, biases = by_hand.hidden(networks)
    is_positive, _ = positive_on_polygon(weights, biases, SQUARE, 100_000)
    on_edges = [np.zeros_like(layer) for layer in is_positive]
    for a, b in zip(SQUARE, np.roll(SQUARE, -1, axis=0), strict=True):
        along = [weights[0] @ ((b - a) / 2)[:, None], *weights[1:]]
        offset = [biases[0] + weights[0] @ ((a + b) / 2), *biases[1:]]
        for layer, positive in zip(
            on_edges, positive_on_interval(along, offset, -1, 1), strict=True
        ):
            layer |= positive
    for exact, expected in zip(is_positive, on_edges, strict=True):
        np.testing.assert_array_equal(exact, expected)


def test_a_network_that_looks_at_one_input_is_dead_where_its_interval_is():
    line = by_hand.gaussian(200, [1, 5, 5, 5, 1], 0.4, seed=2)
    weights = [w.numpy() for w in line.weights]
    weights[0] = np.concatenate([np.zeros_like(weights[0]), weights[0]], axis=2)
    plane = by_hand.ensemble(weights, [b.numpy() for b in line.biases])
    expected = census(line, Box(1, 0.7))
    counted = census(plane, Box(2, (2.0, 0.7)))
    for a, b in zip(counted.status, expected.status, strict=True):
        np.testing.assert_array_equal(a, b)


def test_boxes_of_two_dimensions_are_settled_exactly():
    counted = census(by_hand.gaussian(256, [2, 10, 10, 10, 10, 1], 0.5), Box(2, 1.0))
    assert not counted.undecided.any()
    assert {CERTIFICATES[c] for c in np.unique(counted.certificate[0])} == {"closed_form"}
    for layer in counted.certificate[1:]:
        assert {CERTIFICATES[c] for c in np.unique(layer)} == {"exact"}


def test_a_network_with_too_many_polygons_is_given_up_after_the_layers_that_fit():
    networks = by_hand.gaussian(20, [2, 12, 12, 12, 1], 0.5, seed=4)
    full, _ = positive_on_polygon(*by_hand.hidden(networks), SQUARE, 100_000)
    few, finished = positive_on_polygon(*by_hand.hidden(networks), SQUARE, 400)
    assert 1 <= finished.min() < 3
    for t, (a, b) in enumerate(zip(few, full, strict=True)):
        np.testing.assert_array_equal(a[finished > t], b[finished > t])
