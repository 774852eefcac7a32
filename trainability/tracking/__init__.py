"""Rows and provenance to MLflow; the only room that imports mlflow."""

from trainability.tracking.background import Mirror
from trainability.tracking.mirror import MlflowMirror, require_store, study_pages, tracking_uri

__all__ = ["Mirror", "MlflowMirror", "require_store", "study_pages", "tracking_uri"]
