"""The examples in the docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import trainability.theory as theory


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(theory.__path__)])
def test_examples(name):
    result = doctest.testmod(importlib.import_module(f"trainability.theory.{name}"))
    assert result.failed == 0


def test_there_are_examples():
    modules = [m.name for m in pkgutil.iter_modules(theory.__path__)]
    found = [
        test
        for name in modules
        for test in doctest.DocTestFinder().find(
            importlib.import_module(f"trainability.theory.{name}")
        )
        if test.examples
    ]
    assert len(found) >= 8
