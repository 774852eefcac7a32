"""Rows and provenance to MLflow; the only room that imports mlflow."""

from trainability.tracking.background import Mirror
from trainability.tracking.mirror import MlflowMirror, study_pages
from trainability.tracking.server import require_free_port, serve
from trainability.tracking.uri import require_store, require_usable, tracking_uri

__all__ = [
    "Mirror",
    "MlflowMirror",
    "require_free_port",
    "require_store",
    "require_usable",
    "serve",
    "study_pages",
    "tracking_uri",
]
