"""Studies: their declaration, their cells, their JSON, and how to load one."""

from trainability.study.cell import Cell
from trainability.study.declaration import AXES, Axes, Study
from trainability.study.loading import load_module, load_study
from trainability.study.network import Module
from trainability.study.published import Published

__all__ = ["AXES", "Axes", "Cell", "Module", "Published", "Study", "load_module", "load_study"]
