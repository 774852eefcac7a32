"""Docstrings are plain prose with code in single backticks; Sphinx reads reStructuredText."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_NAME = re.compile(r"[A-Za-z_][\w.]*")
_MARKUP = re.compile(r"[\\*|]|_(?=\W|$)")


def as_restructured_text(lines: list[str]) -> list[str]:
    r"""The same text, in which only what is between backticks is code.

    A name between backticks is a link where it leads somewhere. Examples are left as they are.

    >>> as_restructured_text(["The loss of |x| is `loss_of(x)` or `Loss`, not 2*3.", ">>> a*b"])
    ['The loss of \\|x\\| is ``loss_of(x)`` or :py:obj:`Loss`, not 2\\*3.', '>>> a*b']
    """
    results: list[str] = []
    is_example = is_code = False
    for line in lines:
        is_example = line.lstrip().startswith(">>>") or (is_example and bool(line.strip()))
        if is_example:
            results.append(line)
            continue
        parts = line.split("`")
        text = ""
        for index, part in enumerate(parts):
            if index:
                # Code may go on from one line to the next, where no link can.
                is_code = not is_code
            if not is_code:
                text += _MARKUP.sub(lambda match: "\\" + match[0], part)
            elif index == len(parts) - 1 or index == 0:
                indent = part[: len(part) - len(part.lstrip())] if index == 0 else ""
                text += f"{indent}``{part.strip()}``" if part.strip() else indent
            elif _NAME.fullmatch(part):
                text += f":py:obj:`{part}`"
            else:
                text += f"``{part.strip()}``"
            if is_code and index < len(parts) - 1 and re.match(r"\w", parts[index + 1]):
                text += "\\ "
        results.append(text)
    return results


def convert(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Change the lines of a docstring in their place."""
    lines[:] = as_restructured_text(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Convert before sections are read, which is done at the usual priority of 500."""
    app.connect("autodoc-process-docstring", convert, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
