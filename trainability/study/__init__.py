"""Studies: their declaration, their cells, their JSON, and how to load one."""

from trainability.study.cell import Cell
from trainability.study.declaration import AXES, Axes, Study
from trainability.study.loading import load_module, load_study

__all__ = ["AXES", "Axes", "Cell", "Study", "load_module", "load_study"]
