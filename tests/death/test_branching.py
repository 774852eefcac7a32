"""Certified death where no exact way is known: laws, and agreement with the exact ways."""

import networks_by_hand as by_hand
import numpy as np
import pytest

from trainability.death import ACTIVE, CERTIFICATES, PERMANENT, Effort, census
from trainability.domains import Ball, Box

BOUNDS_ONLY = Effort(vertices=0, boxes=256)
SAMPLES_ONLY = Effort(vertices=0, boxes=0)
SOLVER_ONLY = Effort(vertices=0, boxes=1, solver_calls=100)
UNDECIDED = CERTIFICATES.index("undecided")


def certified_dead(counted, t):
    return (counted.status[t] != ACTIVE) & (counted.certificate[t] != UNDECIDED)


@pytest.mark.parametrize("bias_std", [0.0, 0.5])
@pytest.mark.parametrize("effort", [SAMPLES_ONLY, Effort(vertices=0, boxes=16), BOUNDS_ONLY])
def test_certified_dead_implies_dead_implies_dead_on_samples(effort, bias_std):
    networks = by_hand.gaussian(128, [2, 8, 8, 8, 8, 1], bias_std, seed=9)
    exact, counted = census(networks, Box(2, 1.0)), census(networks, Box(2, 1.0), effort=effort)
    sampled = census(networks, Box(2, 1.0), effort=SAMPLES_ONLY)
    assert not exact.undecided.any()
    for t in range(4):
        dead = exact.status[t] != ACTIVE
        assert not (certified_dead(counted, t) & ~dead).any()
        assert not (dead & (counted.status[t] == ACTIVE)).any()
        assert not (dead & (sampled.status[t] == ACTIVE)).any()


@pytest.mark.parametrize("bias_std", [0.0, 0.5])
def test_bounds_settle_nearly_all_neurons_on_a_square(bias_std):
    networks = by_hand.gaussian(128, [2, 10, 10, 10, 10, 1], bias_std, seed=10)
    before = census(networks, Box(2, 1.0), effort=SAMPLES_ONLY).undecided.sum()
    after = census(networks, Box(2, 1.0), effort=BOUNDS_ONLY).undecided.sum()
    assert before > 0.05 * 128 * 40
    assert after < 0.01 * 128 * 40


@pytest.mark.parametrize("bias_std", [0.0, 0.5])
@pytest.mark.parametrize("domain", [Box(3, 1.0), Ball(3, 1.0)], ids=str)
def test_bounds_settle_nearly_all_neurons_in_three_dimensions(domain, bias_std):
    networks = by_hand.gaussian(64, [3, 8, 8, 8, 1], bias_std, seed=12)
    counted = census(networks, domain, effort=Effort(boxes=1024))
    assert counted.undecided.sum() < 0.01 * 64 * 24
    assert {"bound", "sample"} <= {CERTIFICATES[c] for c in np.unique(counted.certificate[2])}


def test_the_solver_agrees_with_the_polygons():
    networks = by_hand.gaussian(12, [2, 6, 6, 6, 1], 0.5, seed=13)
    exact, counted = (
        census(networks, Box(2, 1.0)),
        census(networks, Box(2, 1.0), effort=SOLVER_ONLY),
    )
    assert not counted.undecided.any()
    assert any((layer == CERTIFICATES.index("solver")).any() for layer in counted.certificate)
    for a, b in zip(counted.status, exact.status, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("domain", [Box(3, 1.0), Ball(3, 1.0)], ids=str)
def test_the_solver_finds_a_spike_and_leaves_what_its_tolerance_hides(domain):
    blind = Effort(samples=2, boxes=0, solver_calls=100)
    verdicts = {
        height: CERTIFICATES[census(spike(height, 3), domain, effort=blind).certificate[1][0, 0]]
        for height in (0.01, 2.0**-30, -(2.0**-30), -0.01)
    }
    assert verdicts[0.01] == "sample"
    assert verdicts[-0.01] == "solver"
    assert verdicts[2.0**-30] in ("sample", "undecided")
    assert verdicts[-(2.0**-30)] == "undecided"


def test_the_solver_settles_what_bounds_leave_open_in_many_dimensions():
    networks = by_hand.gaussian(3, [5, 5, 5, 5, 1], 0.5, seed=14)
    for domain in (Box(5, 1.0), Ball(5, 1.0)):
        open_ = census(networks, domain, effort=Effort(boxes=1))
        counted = census(networks, domain, effort=Effort(boxes=1, solver_calls=100))
        assert counted.undecided.sum() < open_.undecided.sum()
        for a, b in zip(counted.status, open_.status, strict=True):
            assert not ((a != ACTIVE) & (b == ACTIVE)).any()


def spike(height, d):
    """The second layer's first neuron is height - |x_1 - 1/3| before its ReLU."""
    kink = np.float32(1 / 3)
    first = (np.eye(1, d) * np.array([[1.0], [-1.0]]), np.array([-kink, kink]))
    second = (np.array([[-1.0, -1.0], [1.0, 1.0]]), np.array([height, 0.0]))
    return by_hand.single(first, second)


@pytest.mark.parametrize("domain", [Box(1, 1.0), Box(2, 1.0), Ball(2, 1.0), Box(3, 1.0)], ids=str)
def test_a_hair_above_zero_is_never_certified_dead_and_a_hair_below_is(domain):
    # 2^-30 is exact in float32 and far above the rounding of float64.
    above = census(spike(2.0**-30, domain.d), domain)
    below = census(spike(-(2.0**-30), domain.d), domain)
    assert above.status[1][0].tolist() == [ACTIVE, ACTIVE]
    assert below.status[1][0].tolist() == [PERMANENT, ACTIVE]
    assert not above.undecided.any() and not below.undecided.any()


@pytest.mark.parametrize("domain", [Box(2, 1.0), Ball(2, 1.0), Box(3, 1.0), Box(1, 1.0)], ids=str)
def test_the_census_of_a_network_does_not_depend_on_its_company(domain):
    networks = by_hand.gaussian(40, [domain.d, 6, 6, 6, 1], 0.4, seed=15)
    together = census(networks, domain)
    for r in (0, 7, 39):
        alone = census(networks[[r]], domain)
        for a, b in zip(alone.status, together.status, strict=True):
            np.testing.assert_array_equal(a[0], b[r])
        for a, b in zip(alone.certificate, together.certificate, strict=True):
            np.testing.assert_array_equal(a[0], b[r])


@pytest.mark.parametrize("domain", [Box(1, 1.0), Box(2, 1.0), Ball(3, 1.0)], ids=str)
def test_permuting_neurons_changes_nothing(domain):
    networks = by_hand.gaussian(60, [domain.d, 5, 5, 5, 1], 0.4, seed=16)
    order = np.array([3, 1, 4, 0, 2])
    weights, biases = by_hand.hidden(networks)
    weights = [w[:, order] for w in weights]
    weights[1:] = [w[:, :, order] for w in weights[1:]]
    biases = [b[:, order] for b in biases]
    output = networks.weights[-1].numpy()[:, :, order]
    shuffled = by_hand.ensemble([*weights, output], [*biases, networks.biases[-1].numpy()])
    effort = Effort(boxes=4096)
    counted, expected = (
        census(shuffled, domain, effort=effort),
        census(networks, domain, effort=effort),
    )
    assert not expected.undecided.any()
    for a, b in zip(counted.status, expected.status, strict=True):
        np.testing.assert_array_equal(a, b[:, order])


def test_a_planted_dead_layer_with_positive_biases_after_it_is_seen():
    for domain in (Box(2, 1.0), Ball(2, 1.0), Box(3, 1.0)):
        networks = by_hand.gaussian(10, [domain.d, 5, 5, 5, 1], 0.4, seed=17)
        weights, biases = by_hand.hidden(networks)
        weights[1][:] = -np.abs(weights[1])
        biases[1][:] = -0.1
        biases[2][:] = 0.7
        output = networks.weights[-1].numpy(), networks.biases[-1].numpy()
        counted = census(by_hand.ensemble([*weights, output[0]], [*biases, output[1]]), domain)
        assert counted.born_dead.all()
        assert (counted.permanent[:, 1:] == 5).all()
        assert not counted.undecided[:, 1:].any()


def test_an_effort_that_is_no_count_is_refused():
    with pytest.raises(ValueError, match="Effort boxes must be an int >= 0, got -1"):
        Effort(boxes=-1)
    with pytest.raises(ValueError, match="Effort samples must be an int >= 2, got 1"):
        Effort(samples=1)
