"""Whose a file is: it decides what counts as the source of a module, and what as its data."""

import importlib
import json
import shutil
import sys
import sysconfig

import pytest
import torch

import trainability
from trainability.installed import is_installed
from trainability.modules.reading import files_read
from trainability.study import load_study


@pytest.mark.parametrize(
    "path",
    [json.__file__, torch.__file__, trainability.__file__, "/home/me/.local/lib/site-packages/a.py",
     "/usr/lib/python3/dist-packages/a/b.py"],
)  # fmt: skip
def test_code_of_python_of_packages_and_of_this_one_is_installed(path):
    assert is_installed(path)


@pytest.mark.parametrize(
    "path",
    [
        "/home/me/study.py",
        f"{sysconfig.get_paths()['stdlib']}-of-mine/study.py",
        "/home/me/site-packages.py",
    ],
)
def test_what_only_looks_like_it_is_somebodys_own(path):
    assert not is_installed(path)


def test_a_shipped_study_has_the_cells_of_the_file_that_it_is_a_copy_of(tmp_path, request):
    """It lies in an installed package, whose code counts by its name alone."""
    original = request.config.rootpath / "studies" / "small_cnn.py"
    folder = tmp_path / "site-packages" / "trainability" / "_studies"
    folder.mkdir(parents=True)
    copy = shutil.copy(original, folder)
    ids = [cell.id for cell in load_study(str(original)).cells()]
    assert [cell.id for cell in load_study(str(copy)).cells()] == ids


def test_data_of_a_user_are_seen_being_read_and_those_of_a_package_are_not(tmp_path, monkeypatch):
    prefix = tmp_path / "python"
    own = tmp_path / "python-weights" / "weights.npz"  # begins like the folder of Python
    package = tmp_path / "lib" / "site-packages" / "table.npz"
    for path in (own, package):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    reading = importlib.import_module("trainability.modules.reading")
    monkeypatch.setattr(reading, "_NOT_DATA", (str(prefix), sys.prefix))
    with files_read() as files:
        for path in (own, package):
            path.read_bytes()
    assert files == [str(own)]
