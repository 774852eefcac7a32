"""`trainability ui`: MLflow's pages, opened where a study is shown."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from trainability.addresses import shown
from trainability.cli.app import StorageOption, TrackingOption, app, err, examples, out
from trainability.commands import printable
from trainability.errors import InputError
from trainability.storage import Storage


@app.command(rich_help_panel="Results", epilog=examples("ui", "ui --port 5001", "ui --no-browser"))
def ui(
    storage: StorageOption = "results",
    tracking_uri: TrackingOption = None,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; with another than this machine's own, whoever reaches it "
            "can read and change what MLflow holds."
        ),
    ] = "127.0.0.1",
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the newest study in a browser.")
    ] = True,
) -> None:
    """Open MLflow's pages on the storage in a browser; for this machine only (127.0.0.1)."""
    from trainability import tracking

    if not 1 <= port <= 65535:
        raise InputError(f"--port must be from 1 to 65535, got {port}")
    uri = tracking.tracking_uri(tracking_uri, Storage(storage))
    tracking.require_store(uri)
    if uri.startswith(("http://", "https://")):
        address = shown(uri.rstrip("/"))
        first = _print_pages(uri, address)
        if browser:
            tracking.open_browser(first or address)
        return
    tracking.require_free_port(port, host)
    address = tracking.server_address(host, port)
    if not tracking.is_loopback(host):
        err.print(
            f"listening on {host}: whoever reaches this port can read and change what MLflow holds"
        )
    with tracking.running_server(uri, host, port) as server:
        # While the server starts.
        first = _print_pages(uri, address)
        server.wait_until_ready()
        out.print(f"MLflow on {address} (Ctrl-C ends it)")
        if browser:
            tracking.open_browser(first or address)
        server.wait()


def _print_pages(uri: str, address: str) -> str | None:
    """Print the page of every study; that of the newest."""
    from trainability import tracking

    pages = tracking.study_pages(uri, address)
    for name, page in pages.items():
        # As it is: a page of MLflow is named behind the #.
        out.print(Text(printable(f"{name}:  {page}")), soft_wrap=True)
    return next(iter(pages.values()), None)
