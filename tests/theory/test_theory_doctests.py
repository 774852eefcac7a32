"""The examples in the docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import trainability.theory as theory

MODULES = [module.name for module in pkgutil.walk_packages(theory.__path__, f"{theory.__name__}.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    tests = [test for name in MODULES for test in finder.find(importlib.import_module(name))]
    assert sum(bool(test.examples) for test in tests) >= 8
