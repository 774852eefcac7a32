"""Launching within the test's own process, with somebody who listens instead of MLflow."""

import io

from rich.console import Console

from trainability.events import Events, Failed, Finished, Started
from trainability.launch import Options, launch
from trainability.launch.in_process import InProcess
from trainability.launch.processes import Processes
from trainability.launch.ray_tune import RayTune
from trainability.running.display import Display
from trainability.storage import Storage


class Listening:
    """Stands in for the MLflow mirror and remembers what it was told."""

    def __init__(self):
        self.done, self.started, self.failed = [], [], {}

    def on_event(self, event):
        match event:
            case Started(cell=cell, at=at):
                self.cell_started(cell, at)
            case Finished(cell=cell):
                self.cell_done(cell)
            case Failed(cell=cell, is_final=True):
                self.cell_failed(cell, event.traceback or event.why)

    def cell_started(self, cell, at):
        self.started.append(cell.id)

    def cell_done(self, cell):
        self.done.append(cell.id)

    def cell_failed(self, cell, why):
        self.failed[cell.id] = why


def run(study, storage, executor=RayTune, on_event=None, **options):
    """Launch all cells of a study; the outcome, what the mirror heard, what the user saw."""
    mirror = Listening()
    text = io.StringIO()
    cells = {cell.id: cell for cell in study.cells()}
    with Display(Console(file=text, width=200)) as display:
        outcome = launch(
            study.name,
            cells,
            dict.fromkeys(cells, study.n_blocks),
            storage if isinstance(storage, Storage) else Storage(storage),
            executor(Options(**options)),
            Events(display.on_event, mirror.on_event, *([on_event] if on_event else [])),
        )
    return outcome, mirror, text.getvalue()


__all__ = ["InProcess", "Listening", "Processes", "RayTune", "run"]
