"""Pages that stand elsewhere in the repository, with their links made to fit the site."""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = {
    "extending": ".github/CONTRIBUTING.md",
    "changelog": ".github/CHANGELOG.md",
    "cluster": "cluster/README.md",
    "what_decides_success": "studies/what_decides_success.md",
}
"""Names of pages and the files that they show."""


def adopt(source: Path, folder: Path, root: Path = ROOT) -> str:
    """The text of a file, with links that lead where they did, from a page in another folder.

    Links to files that are pages here become links to the pages; other files of the repository can
    be downloaded from the page; folders become code.
    """
    pages = {(root / path).resolve(): name for name, path in PAGES.items()}

    def link(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not path:
            return match[0]
        file = (source.parent / path).resolve()
        if file in pages:
            return f"[{text}]({pages[file]}.md{'#' * bool(anchor)}{anchor})"
        if file.is_dir() or file == (root / "README.md").resolve():
            return f"`{text.strip('`')}`"
        return f"[{text}]({os.path.relpath(file, folder)})"

    return re.sub(r"\[([^\]]*)\]\(([^)\s]+)\)", link, source.read_text(encoding="utf-8"))


def write_adopted(folder: Path) -> None:
    """Write all of them."""
    for name, path in PAGES.items():
        (folder / f"{name}.md").write_text(adopt(ROOT / path, folder), encoding="utf-8")
