"""How the documentation is made: `sphinx-build -W --keep-going .github/docs build/docs`.

Nothing is asked of the network, neither when it is built nor when it is read. Pages in `generated/`
are written anew by each build, from the package itself.
"""

import sys
from pathlib import Path

from trainability import __version__

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "trainability"
version = release = __version__
copyright = ""
html_show_copyright = False
html_show_sphinx = False

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
    "mathml",
    "docstrings",
    "generate",
]
exclude_patterns = ["extensions", "**/README.md"]
html_theme = "furo"
html_title = f"trainability {__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
templates_path: list[str] = []

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence", "attrs_block"]
myst_heading_anchors = 4

# Tutorials are stored without results: each build runs them, in folders of their own.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_output_stderr = "remove"  # how far a run is

autodoc_default_options = {"show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Source", "notes_style")]
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
python_display_short_literal_types = True
toc_object_entries_show_parents = "hide"

# What a page refers to by hand must exist; names in signatures and docstrings are links where they
# lead somewhere.
nitpicky = True
nitpick_ignore_regex = [(r"py:(?!func|mod$).*", ".*")]
