"""What became of launches, together, and what a user is told of cells that lack networks."""

import pytest

from trainability.errors import StudyFailed
from trainability.launch import Outcome


def test_launches_one_after_the_other_add_up_and_the_last_one_says_how_it_ended():
    first = Outcome(damaged=["a"], networks=256, n_cells=2)
    last = Outcome({"c": [1]}, {"c": "lost"}, ["b"], 512, 1, True)
    both = first.followed_by(last)
    assert (both.damaged, both.networks, both.interrupted) == (["a", "b"], 768, True)
    assert (both.missing, both.failures) == ({"c": [1]}, {"c": "lost"})
    assert first == Outcome(damaged=["a"], networks=256, n_cells=2)


def test_what_is_whole_is_not_told():
    Outcome(networks=256, n_cells=2).require_whole("results/mine")


@pytest.mark.parametrize(("interrupted", "kind"), [(False, StudyFailed), (True, KeyboardInterrupt)])
def test_cells_that_lack_networks_are_named_but_no_more_than_fit_on_a_screen(interrupted, kind):
    missing = {f"cell{number}": [0, 1] for number in range(23)}
    outcome = Outcome(
        missing, dict.fromkeys(missing, "Bug: mine"), n_cells=40, interrupted=interrupted
    )
    with pytest.raises(kind) as caught:
        outcome.require_whole("results/mine")
    first, *lines, last = str(caught.value).splitlines()
    assert first == "23 of 40 cells are incomplete" + " (interrupted)" * interrupted
    assert lines[0] == "  cell0: 2 blocks missing; Bug: mine" and len(lines) == 21
    assert lines[-1] == "  and 3 more: results/mine/failures.json"
    assert last == "the same command runs what is missing"


def test_one_cell_that_lacks_one_block_is_told_in_the_singular():
    with pytest.raises(StudyFailed, match=r"^1 of 1 cell is incomplete\n  a: 1 block missing; Bug"):
        Outcome({"a": [0]}, {"a": "Bug"}, n_cells=1).require_whole("results/mine")


def test_an_interruption_between_two_rounds_is_one():
    with pytest.raises(KeyboardInterrupt, match="^$"):
        Outcome(interrupted=True, n_cells=2).require_whole("results/mine")
