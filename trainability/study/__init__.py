"""Studies: their declaration, their cells, their JSON, and how to load one."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.study.axes import AXES, Axes
    from trainability.study.cell import Cell
    from trainability.study.declaration import Study
    from trainability.study.loading import load_module, load_study
    from trainability.study.network import Module
    from trainability.study.published import Published

__all__ = ["AXES", "Axes", "Cell", "Module", "Published", "Study", "load_module", "load_study"]

# A study that there is not is refused without what declares one.
__getattr__ = lazy.attributes(
    __name__,
    axes="AXES Axes",
    cell="Cell",
    declaration="Study",
    loading="load_module load_study",
    network="Module",
    published="Published",
)
