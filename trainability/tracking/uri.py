"""MLflow's tracking URI: which one, and whether it can be used, without importing MLflow."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import urlsplit

from trainability.addresses import remember, shown
from trainability.errors import InputError
from trainability.storage import Storage

SQLITE = "sqlite:///"
_SERVERS = ("http", "https", "databricks", "databricks-uc", "uc")
_DATABASES = ("postgresql", "mysql", "mssql")
_PLUGINS = "mlflow.tracking_store"
_WANTED = (
    "wanted an SQLite file such as sqlite:////home/me/mlflow.db, or a server such as "
    "http://localhost:5000"
)


def tracking_uri(given: str | None, storage: Storage) -> str:
    """Where MLflow keeps the mirror: as given, else the environment, else beside the rows."""
    uri = given or os.environ.get("MLFLOW_TRACKING_URI")
    if uri:
        remember(uri)
        return uri
    folder = Path(storage.address) if storage.is_local else Path("results").resolve()
    return f"{SQLITE}{folder / 'mlflow.db'}"


def sqlite_path(uri: str) -> Path | None:
    """The file of an SQLite store, which may be relative; None of a store of another kind."""
    return Path(uri.removeprefix(SQLITE).partition("?")[0]) if uri.startswith(SQLITE) else None


def usable_tracking_uri(given: str | None, storage: Storage) -> str:
    """As `tracking_uri`, refused if MLflow can't use it.

    Whether a server answers is not asked: one that is away does not stop a study.

    Raises:
        InputError: Says what is wrong with it.
    """
    uri = tracking_uri(given, storage)
    _refuse_unusable(uri)
    return uri


def _refuse_unusable(uri: str) -> None:
    scheme, separator, rest = uri.partition(":")
    kind = scheme.lower().partition("+")[0]
    if (path := sqlite_path(uri)) is not None:
        _require_writable(path)
        return
    if kind in ("http", "https"):
        try:
            usable = bool(urlsplit(uri).hostname) and urlsplit(uri).port != 0
        except ValueError:
            usable = False
        if usable:
            return
    elif kind in (*_SERVERS, *_DATABASES):
        if not separator or rest.startswith("//"):
            return
    elif kind != "file" and scheme in {entry.name for entry in entry_points(group=_PLUGINS)}:
        return
    raise InputError(f"MLflow's tracking URI {shown(uri)!r} can't be used; {_WANTED}")


def _require_writable(path: Path) -> None:
    """Refuse an SQLite file that can't be made or written; writes nothing."""
    if path.name == ":memory:":
        raise InputError(f"MLflow's store {str(path)!r} would be gone with this process; {_WANTED}")
    if not path.name or path.is_dir():
        raise InputError(f"MLflow's store {str(path)!r} is a folder; {_WANTED}")
    existing = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
    if existing != path.absolute() and not existing.is_dir():
        raise InputError(f"MLflow's store {path} can't be made: {existing} is a file; {_WANTED}")
    folder = existing if existing.is_dir() else existing.parent
    if not os.access(existing, os.W_OK) or not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"MLflow's store {path} can't be written; {_WANTED}")


def require_store(uri: str) -> None:
    """Refuse a tracking URI of a local store that is not there.

    Raises:
        InputError: Says where none was found.
    """
    path = sqlite_path(uri)
    if path is not None and not path.is_file():
        raise InputError(
            f"no MLflow store at {shown(str(path))}; first run a study: trainability run STUDY"
        )
