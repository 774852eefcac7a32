"""Writes the pages that follow from the package itself, before Sphinx looks for its sources."""

from __future__ import annotations

import shutil
from pathlib import Path

from adopted import write_adopted
from api import write_reference
from columns import write_columns
from commands_page import write_commands
from docutils import nodes
from galleries import GALLERIES, write_gallery
from sphinx import addnodes
from sphinx.application import Sphinx
from studies_page import write_studies


def write_pages(app: Sphinx) -> None:
    """Write all of them anew."""
    folder = Path(app.srcdir) / "generated"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for gallery in GALLERIES:
        write_gallery(gallery, folder)
    write_studies(folder)
    write_reference(folder)
    write_commands(folder)
    write_columns(folder)
    write_adopted(folder)


def keep_headings_alone(app: Sphinx, doctree: nodes.document) -> None:
    """Leave the classes of a gallery out of its contents, where each has a heading already."""
    if app.env.docname in {f"generated/{gallery.name}" for gallery in GALLERIES}:
        for signature in doctree.findall(addnodes.desc_signature):
            signature["_toc_name"] = ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Write pages as soon as the builder is there."""
    app.connect("builder-inited", write_pages)
    app.connect("doctree-read", keep_headings_alone, priority=100)  # before contents are taken
    return {"parallel_read_safe": True, "parallel_write_safe": True}
