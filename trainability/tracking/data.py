"""A task's data as MLflow's data sets: names, digests and shapes, not the points themselves."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from trainability.findings.labels import short, without_folders
from trainability.tasks.base import Task

_DIGITS = 16
"""Hexadecimal digits of a digest; MLflow allows 36."""


def data_of(task: Task) -> list[Any]:
    """The training points of a task, and the validation points if it has any.

    Args:
        task: The task.

    Returns:
        A list of MLflow's `DatasetInput`. The digest begins a SHA-256 of shapes and bytes.
    """
    training = _input(task, "training", task.fingerprint(), *task.data())
    held_back = task.validation_fingerprint()
    if held_back is None:
        return [training]
    points = task.validation()
    assert points is not None
    return [training, _input(task, "validation", held_back, *points)]


def _input(task: Task, context: str, digest: str, inputs: Any, targets: Any) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    written = without_folders(str(task))
    arrays = {"features": np.asarray(inputs), "targets": np.asarray(targets)}
    specs = {
        name: json.dumps(
            [
                {
                    "type": "tensor",
                    "tensor-spec": {"dtype": str(array.dtype), "shape": [-1, *array.shape[1:]]},
                }
            ]
        )
        for name, array in arrays.items()
    }
    data = Dataset(
        name=f"{short([written])[written]}{'' if context == 'training' else f' {context}'}",
        digest=digest[:_DIGITS],
        source_type="code",
        source=json.dumps({"tags": {"task": written}}),
        schema=json.dumps({"mlflow_tensorspec": specs}),
        profile=json.dumps({f"{name}_shape": list(array.shape) for name, array in arrays.items()}),
    )
    return DatasetInput(data, [InputTag("mlflow.data.context", context)])
