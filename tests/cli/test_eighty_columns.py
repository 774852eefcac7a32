"""What `census` and `theory` say fits a terminal of 80 columns, and says what it is about."""

import pytest
from storage.in_process import call

from trainability.domains import Ball, Box, Points


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def longest(text):
    return max(map(len, text.splitlines()))


def test_a_census_says_of_what_networks_it_is_in_lines_that_fit():
    heard = call("census", "He", "--networks", 512)
    assert heard.code == 0, heard
    assert "He(): 512 networks at birth\ndepth 3, width 8, inputs in [-sqrt 3, sqrt 3]" in heard.out
    assert "networks born dead: 0 % (95 % interval 0 to 0.7 %, n = 512)" in heard.out
    assert "by theory: 0.00457 % (closed form)" in heard.out
    assert heard.out.count("1e-06") == 1
    assert longest(heard.out) <= 80


def test_who_waits_for_a_census_is_told_what_is_done():
    heard = call("census", "He", "--networks", 512, "--width", "3,2", "--ball", 2, "--d", 2)
    told = " ".join(heard.text.removeprefix(heard.out).split())
    first, second, third = (
        told.find(part)
        for part in (
            "drawing 512 networks of He(): depth 3, width (3, 2), inputs in the ball of radius 2",
            "counting their dead neurons",
            "asking theory",
        )
    )
    assert 0 <= first < second < third


def test_sampled_theory_is_shown_to_the_digit_of_its_error():
    heard = call("census", "TorchDefault", "--networks", 512, "--width", 2, "--depth", 4)
    assert heard.code == 0, heard
    said = next(line for line in heard.out.splitlines() if line.startswith("by theory: "))
    value, _, error = said.split()[2:5]
    assert "one standard error" in said
    assert len(value.partition(".")[2]) == len(error.partition(".")[2]) >= 1


def test_what_theory_does_not_bound_is_said_in_lines_that_fit():
    heard = call(
        "theory", "--scheme", "RandomizedAsymmetric", "--widths", 2, "--depth", 3, "--restarts", 2
    )
    assert heard.code == 0, heard
    assert "depth 3, need 1, inputs in [-sqrt 3, sqrt 3]\n" in heard.out
    assert heard.out.count("no bound") == 1
    assert "no bound (at least, at most): it needs i.i.d. symmetric weights" in heard.out
    assert longest(heard.out) <= 80


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        (Box(1, 3**0.5), "[-sqrt 3, sqrt 3]"),
        (Box(2, 0.5), "[-0.5, 0.5]^2"),
        (Box(2, (1.0, 2.0), (1.0, 0.0)), "[0, 2] x [-2, 2]"),
        (Box(64, 1.0, (1.0,) * 64), "a box in R^64"),
        (Ball(1, 2.0), "[-2, 2]"),
        (Ball(3, 1.0), "the ball of radius 1 in R^3"),
        (Points([[0.0, 1.0]]), "1 point of 2 inputs"),
    ],
)
def test_where_inputs_live_in_words(domain, words):
    assert domain.described == words
