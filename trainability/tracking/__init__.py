"""Rows and provenance to MLflow; the only room that imports mlflow."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.tracking.background import Mirror
    from trainability.tracking.mirror import MlflowMirror, study_pages
    from trainability.tracking.server import (
        is_loopback,
        open_browser,
        require_free_port,
        running_server,
        server_address,
    )
    from trainability.tracking.uri import require_store, tracking_uri, usable_tracking_uri

__all__ = [
    "Mirror",
    "MlflowMirror",
    "is_loopback",
    "open_browser",
    "require_free_port",
    "require_store",
    "running_server",
    "server_address",
    "study_pages",
    "tracking_uri",
    "usable_tracking_uri",
]

# A tracking URI that can't be used is refused without torch.
__getattr__ = lazy.attributes(
    __name__,
    background="Mirror",
    mirror="MlflowMirror study_pages",
    server="is_loopback open_browser require_free_port running_server server_address",
    uri="require_store tracking_uri usable_tracking_uri",
)
