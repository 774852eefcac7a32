"""What takes long to make is made once; what is damaged, or can't be kept, is made again."""

from pathlib import Path

import pytest

from trainability.cache import cache_folder, cached


def test_the_cache_is_the_users(monkeypatch) -> None:
    monkeypatch.delenv("TRAINABILITY_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/trainability")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "trainability"


@pytest.mark.parametrize("damage", [None, b"", b"short", b"\0" * 100])
def test_it_is_made_once_for_a_key_and_again_where_it_was_damaged(damage, tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path))
    made = []

    def make():
        made.append(1)
        return b"long work"

    assert cached(["a", "b"], make, ".js") == b"long work"
    [file] = tmp_path.iterdir()
    assert file.suffix == ".js"
    if damage is not None:
        file.write_bytes(damage)
    assert cached(["a", "b"], make, ".js") == b"long work"
    assert len(made) == (1 if damage is None else 2)
    assert cached(["a", "c"], make, ".js") == b"long work" and len(list(tmp_path.iterdir())) == 2


def test_what_could_not_be_made_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        cached(["a"], lambda: bytes(1 // 0))
    assert list(tmp_path.iterdir()) == []
