"""The space: what depends on what, and settings as points that a Gaussian process can use."""

import itertools

import numpy as np
import optuna
import pytest

from trainability.tuning import Choice, Integers, Range, SuccessRate
from trainability.tuning.sampler import distribution, parameters, suggest
from trainability.tuning.search import Search
from trainability.tuning.space import Condition, Space
from trainability.tuning.surrogate import Surrogate

SPACE = Space(
    {
        "b.scale": Range(0.01, 1.0, log=True),
        "kind": Choice(["a", "b", "c"]),
        "width": Integers(2, 5),
        "b.deep": Choice([1, 2]),
        "b.deep.rate": Range(0.0, 1.0),
    },
    {
        "b.scale": Condition("kind", ("b",)),
        "b.deep": Condition("kind", ("b", "c")),
        "b.deep.rate": Condition("b.deep", (2,)),
    },
)
"""Chained: a rate is there where `deep` is 2, which is there where the kind is b or c."""


def random_settings(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return [SPACE.at(place) for place in rng.random((n, 5))]


def test_what_decides_comes_before_what_it_decides_of():
    order = SPACE.order
    assert order.index("kind") < order.index("b.deep") < order.index("b.deep.rate")
    assert order.index("kind") < order.index("b.scale")
    assert SPACE.children == {"kind", "b.deep"}


def test_settings_are_there_where_what_they_belong_to_is():
    assert SPACE.at([0.5, 0.1, 0.0, 0.9, 0.5]) == (None, "a", 2, None, None)
    assert SPACE.at([0.5, 0.5, 0.0, 0.9, 0.5]) == (0.1, "b", 2, 2, 0.5)
    assert SPACE.at([0.5, 0.9, 1.0, 0.1, 0.5]) == (None, "c", 5, 1, None)
    for settings in random_settings():
        active = SPACE.active(settings)
        assert SPACE.settings(active) == settings
        assert SPACE.holds(dict(zip(SPACE.names, settings, strict=True)))
        assert ("b.scale" in active) == (active["kind"] == "b")
        assert ("b.deep.rate" in active) == (active.get("b.deep") == 2)


def test_records_hold_data_and_give_the_settings_back():
    for settings in random_settings():
        data = SPACE.to_data(settings)
        assert all(entry is None or isinstance(entry, int | float) for entry in data)
        assert SPACE.from_data(dict(zip(SPACE.names, data, strict=True))) == settings


@pytest.mark.parametrize(
    "data", [(None, 5, 2, None, None), (None, 0, 9, None, None), (None, 1, 2, 1, 0.5)]
)
def test_a_record_of_no_settings_is_refused(data):
    with pytest.raises(ValueError, match="is n"):
        SPACE.from_data(dict(zip(SPACE.names, data, strict=True)))


def test_equal_settings_are_equal_points_and_others_are_not():
    settings = list(dict.fromkeys(random_settings()))
    features = SPACE.features(settings)
    assert len(np.unique(features, axis=0)) == len(settings)
    places = np.random.default_rng(1).random((50, 5))
    snapped = SPACE.snapped(places)
    assert [SPACE.at(row) for row in np.clip(snapped, 0, 1)] == [SPACE.at(row) for row in places]
    np.testing.assert_array_equal(SPACE.snapped(np.clip(snapped, 0, 1)), snapped)


def test_any_two_categories_are_as_far_apart_as_the_ends_of_a_range():
    one, two, three = SPACE.features(
        [(None, "a", 2, None, None), (None, "c", 2, 1, None), (0.01, "b", 2, 1, None)]
    )
    gaps = SPACE.gaps(np.array([one, two, three]), np.array([one, two, three]))
    assert gaps.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


def test_the_order_of_categories_does_not_matter_to_the_surrogate():
    """Scores by category, the categories numbered in any of six ways."""
    rng = np.random.default_rng(2)
    kind, share = rng.integers(3, size=40), rng.random(40)
    score = np.array([0.3, 1.2, 0.5])[kind] + 0.4 * share + rng.normal(0, 0.01, 40)
    means = []
    for numbers in itertools.permutations([0.1, 0.5, 0.7]):
        x = np.column_stack([share, np.array(numbers)[kind]])
        model = Surrogate(x, score, np.full(40, 1e-4), np.array([False, True]))
        at = np.column_stack([np.full(3, 0.5), numbers])
        means.append(model.mean(at))
    np.testing.assert_allclose(means, [means[0]] * 6, rtol=1e-9)
    np.testing.assert_allclose(means[0], [0.5, 1.4, 0.7], atol=0.05)


def test_optuna_asks_only_for_what_is_there_and_gives_what_was_chosen():
    for settings in random_settings(60):
        values, space = parameters(SPACE, settings)
        assert values.keys() == SPACE.active(settings).keys()
        trial = optuna.trial.create_trial(params=values, distributions=space, value=0.0)
        assert suggest(SPACE, trial) == settings  # type: ignore[arg-type]


@pytest.mark.parametrize("part", [*SPACE.dimensions.values(), Range(0, 1, step=0.25)], ids=str)
def test_optunas_distributions_hold_exactly_these_values(part):
    made = distribution(part)
    for value in part.grid(20):
        external = value if part.is_ordered else part.text(value)
        assert made._contains(made.to_internal_repr(external))
    if part.is_ordered:
        assert not made._contains(part.ends[1] + 1)


def conduct(space, rate, n_evaluations=60, seed=0):
    search = Search(
        space=space,
        objectives=(SuccessRate(),),
        n_evaluations=n_evaluations,
        max_steps=1,
        seed=seed,
        theory=lambda _: (1.0,),
    )
    rng = np.random.default_rng(seed)
    measured: dict = {}
    index = 0
    while (batch := search.next_round(index, measured)).blocks:
        for settings, blocks in batch.blocks.items():
            before = measured.get(settings, {None: np.empty(0)})[None]
            won = rng.random(blocks * 256 - len(before)) < rate(settings)
            measured[settings] = {None: np.r_[before, np.where(won, 1.0, np.inf)]}
        index += 1
    return search, measured


def rate(settings):
    """Best, .95, for kind b at scale .1, rate .5 and width 5; kind c has at most .75."""
    scale, kind, width, deep, value = settings
    best = {"a": 0.5, "b": 0.8, "c": 0.6}[kind] + 0.03 * width
    if kind == "b":
        best -= 0.15 * abs(np.log10(scale) + 1) + (0.1 if deep == 1 else 0.15 * abs(value - 0.5))
    return float(np.clip(best, 0.01, 0.99))


def test_a_search_finds_the_best_category_integer_and_number():
    search, measured = conduct(SPACE, rate)
    best = max(search.standings(measured), key=lambda entry: entry.expected[0]).settings
    # A third of a decade costs .05.
    assert rate(best) > 0.9
    assert sum(len(outcomes[None]) for outcomes in measured.values()) == 60 * 256
    assert list(conduct(SPACE, rate)[1]) == list(measured)


def test_a_space_of_a_few_values_is_searched_to_its_end():
    """Six candidates and sixty blocks: the best gets most of them, and none is made up."""
    space = Space({"kind": Choice(["a", "b", "c"]), "width": Integers(1, 2)})
    _, measured = conduct(
        space, lambda settings: 0.3 + 0.2 * "abc".index(settings[0]) + 0.1 * settings[1]
    )
    counts = {settings: len(outcomes[None]) // 256 for settings, outcomes in measured.items()}
    assert set(counts) <= set(itertools.product("abc", (1, 2)))
    assert sum(counts.values()) == 60
    assert counts["c", 2] == max(counts.values()) > 20
