"""A cluster that is reached and can work on a study, before anything of the study is written."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

from trainability.launch.cluster import connected, find_nodes, require_same_everywhere
from trainability.launch.options import Options
from trainability.launch.token import launch_token
from trainability.storage import Storage


@contextlib.contextmanager
def ready(study: str, storage: Storage, options: Options) -> Iterator[None]:
    """A connection to Ray that launches inside use.

    Args:
        study: The study's name.
        storage: Where its rows will be.
        options: Runtime options.

    Raises:
        InputError: If the cluster can't be reached or started, has no node that a trial fits on, or
            has one that can't work on this study.
    """
    with contextlib.ExitStack() as connection:
        with contextlib.redirect_stdout(io.StringIO()):  # Ray tells of itself there
            connection.enter_context(connected(options))
        nodes = find_nodes(options)
        with launch_token(study, storage) as token:
            require_same_everywhere(nodes, storage, token, options.torch_device)
        yield
