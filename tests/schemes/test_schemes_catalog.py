import subprocess
import sys

import numpy as np
import pytest

from trainability.errors import InputError
from trainability.schemes import (
    DataDependent,
    He,
    Orthogonal,
    Scheme,
    SignFlipped,
    TorchDefault,
    scheme_from_text,
    scheme_types,
)
from trainability.schemes.base import describe


def test_every_scheme_is_known_by_its_name():
    names = set(scheme_types())
    assert names >= {
        "DataDependent", "Glorot", "He", "LeCun", "Orthogonal", "RandomizedAsymmetric",
        "SignFlipped", "TorchDefault", "TorchOwn", "UnitSphere",
    }  # fmt: skip
    assert "Scheme" not in names


def test_a_file_dropped_into_the_folder_is_known(tmp_path):
    """In a process of its own, with a second folder on the package's path."""
    (tmp_path / "constant.py").write_text(
        "from dataclasses import dataclass\n"
        "from trainability.schemes.base import Scheme\n"
        "@dataclass(frozen=True)\n"
        "class Dropped(Scheme):\n"
        "    value: float = 0.5\n"
        "    def draw(self, layer, rng): ...\n"
    )
    code = (
        "import sys, trainability.schemes as s; s.__path__.append(sys.argv[1]);"
        "print(s.scheme_from_text('Dropped(0.25)'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "Dropped(value=0.25)"


def test_a_scheme_of_a_study_file_is_known_and_its_latest_definition_counts():
    def load() -> type[Scheme]:
        class OfAStudy(Scheme):
            def draw(self, layer, rng):
                return np.zeros(0), np.zeros(0)

        return OfAStudy

    first, second = load(), load()
    assert scheme_types()["OfAStudy"] is second is not first


def test_a_study_can_not_take_the_name_of_a_packaged_scheme():
    code = (
        "import trainability.schemes as s\n"
        "He = type('He', (s.Scheme,), {'draw': lambda self, layer, rng: None})\n"
        "s.scheme_types()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "defines He, which is the name of trainability.schemes.he.He" in done.stderr


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("He", He()),
        (" He() ", He()),
        ("He('uniform', bias_std=1)", He("uniform", bias_std=1.0)),
        ("SignFlipped(He(bias_std=1.0))", SignFlipped(He(bias_std=1.0))),
        ("SignFlipped(scheme=TorchDefault)", SignFlipped(TorchDefault())),
        ("DataDependent(sigma_in=None)", DataDependent()),
        ("Orthogonal(2, 1e-3)", Orthogonal(gain=2.0, bias_std=1e-3)),
    ],
)
def test_text_becomes_the_scheme_that_it_says(text, scheme):
    assert scheme_from_text(text) == scheme


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hee()", r"there is no scheme Hee \(did you mean He\?\); there are .*UnitSphere"),
        ("he", r"there is no scheme he \(did you mean He\?\)"),
        ("He(bias_sd=1)", r"He has no setting bias_sd \(did you mean bias_std\?\)"),
        ("He(1, 2, 3)", "gives He 3 settings; He has distribution, bias_std"),
        ("He('normal', distribution='uniform')", "gives He the setting distribution twice"),
        ("TorchDefault(3)", "TorchDefault has no settings"),
        ("SignFlipped()", "SignFlipped wants the setting scheme"),
        ("SignFlipped(3)", "SignFlipped scheme must be a scheme, such as SignFlipped"),
        ("He(bias_std=-1)", "He bias_std must be a finite number >= 0, got -1"),
        ("He(**{'bias_std': 1})", r"He has no setting \*\*"),
        ("He(", "can't read 'He\\(' as a scheme"),
        ("", "can't read '' as a scheme"),
        ("3", "'3' is not a scheme"),
        ("__import__('os').getcwd()", "is not a scheme"),
        ("He(bias_std=1 + open('x'))", "is not a plain value"),
        ("He(bias_std=[y for y in 'ab'])", "is not a plain value"),
    ],
)
def test_text_that_is_no_scheme_is_refused_with_a_way_out(text, message):
    with pytest.raises(InputError, match=message):
        scheme_from_text(text)


def test_all_problems_of_a_scheme_are_told_at_once():
    with pytest.raises(InputError, match=r"(?s)2 problems:.*distribution must be.*bias_std must"):
        He("gaussian", bias_std=-1)


def test_equal_settings_are_written_alike():
    """The text is part of a cell's identity."""
    assert str(He(bias_std=1)) == str(He(bias_std=np.float64(1))) == "He(bias_std=1.0)"
    assert str(He(bias_std=-0.0)) == "He()"
    assert str(SignFlipped(He(bias_std=1))) == "SignFlipped(scheme=He(bias_std=1.0))"
    assert describe(TorchDefault()) == "TorchDefault()"
