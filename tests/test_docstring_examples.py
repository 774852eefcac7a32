"""The examples in docstrings are true, in every file of the package that has some."""

import doctest
import importlib
from pathlib import Path

import pytest

import trainability

_PACKAGE = Path(trainability.__file__).parent
MODULES = sorted(
    ".".join(("trainability", *path.relative_to(_PACKAGE).with_suffix("").parts))
    for path in _PACKAGE.rglob("*.py")
    if "    >>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0 and result.failed == 0
