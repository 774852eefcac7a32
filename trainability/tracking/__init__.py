"""Rows and provenance to MLflow; the only room that imports mlflow."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
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

# A tracking URI that can't be used is refused without torch.
__getattr__ = lazy.attributes(
    __name__,
    background="Mirror",
    mirror="MlflowMirror study_pages",
    server="require_free_port serve",
    uri="require_store require_usable tracking_uri",
)
