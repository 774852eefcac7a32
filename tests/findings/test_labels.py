"""Short names of what tells strategies apart."""

import pytest

from trainability.findings.labels import short


@pytest.mark.parametrize("name", ["bias", "use_bias"])
def test_a_setting_that_is_on_or_off_is_named_or_denied(name):
    assert list(short([f"A({name}=True)", f"A({name}=False)"]).values()) == ["bias", "no bias"]


def test_a_setting_that_denies_is_not_denied_twice():
    assert list(short(["A(no_bias=True)", "A(no_bias=False)"]).values()) == ["no bias", "bias"]


def test_what_is_at_its_defaults_has_a_name_beside_another_of_its_kind():
    assert short(["He()", "He(bias_std=1.0)"]) == {
        "He()": "He", "He(bias_std=1.0)": "He(bias_std=1)"
    }  # fmt: skip
