"""Who is active, tentatively and permanently dead, by what passes through a module have shown."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trainability.death.status import (
    ACTIVE,
    EXACT,
    PERMANENT,
    POSITIVE,
    SILENT,
    TENTATIVE,
    Verdicts,
    classify,
)
from trainability.modules.flow import ALTERED, DATA, RECTIFIED, AffineUse, Flow


def statuses(flow: Flow) -> tuple[dict[tuple[str, ...], np.ndarray], bool]:
    """The status of every neuron behind a ReLU, by group of layers, and whether it is a chain.

    A neuron is permanently dead if its ReLU passes no gradient and never will: it sees nothing
    but data; or its weights and bias are <= 0 and its inputs can't be negative, those from
    permanently dead neurons aside. In a chain, a layer that is wholly silent lets no gradient
    pass, so that all who are dead stay so.
    """
    neurons = flow.neurons
    constant = neurons.low == neurons.high
    dead = (neurons.high <= 0) | constant
    chain = is_chain(flow)
    if chain:
        by_group = _chain_statuses(flow)
    else:
        gone = _gone(flow)
        status = np.where(gone & dead, PERMANENT, np.where(dead, TENTATIVE, ACTIVE)).astype(np.int8)
        by_group = {names: status[flow.groups[names]] for names in flow.order}
    return {
        names: of[neurons.rectified[flow.groups[names]]] for names, of in by_group.items()
    }, chain


def is_chain(flow: Flow) -> bool:
    """Whether each layer feeds a ReLU and this only the next layer; the last may have none."""
    if flow.doubts or not flow.layers:
        return False
    neurons = flow.neurons
    before: np.ndarray | None = None
    for name, use in flow.layers.items():
        at = use.neurons
        if before is None:
            fed_well = use.level <= DATA
        else:
            whole = neurons.rectified[before].all() and not neurons.used_after[before].any()
            columns = use.columns
            clean = (columns >= 0).all() and (columns & RECTIFIED > 0).all()
            fed_well = whole and clean and not (columns & ALTERED).any()
            fed_well = fed_well and set(columns >> 2) <= set(before.tolist())
        behind = neurons.rectified[at]
        alone = not behind.any() or (
            behind.all() and not neurons.altered[at].any() and not neurons.used_before[at].any()
        )
        if not (fed_well and alone and flow.owns(name)) or _moving(flow, name).any():
            return False
        before = at
    return all(len(names) == 1 for names in flow.order)


def _moving(flow: Flow, name: str) -> np.ndarray:
    """Which silent neurons of a layer were seen to get a gradient."""
    at = flow.layers[name].neurons
    moves = flow.moving.get(name, np.zeros(len(at), bool))
    return moves & flow.neurons.rectified[at] & ~flow.neurons.touched[at]


def _gone(flow: Flow) -> np.ndarray:
    """Which neurons are permanently dead by their own weights and those of the dead before."""
    neurons = flow.neurons
    gone = np.zeros(len(neurons), bool)
    if flow.doubts:
        return gone
    for name, use in flow.layers.items():
        at = use.neurons
        if not flow.owns(name):
            continue
        closed = neurons.rectified[at] & ~neurons.touched[at] & ~neurons.altered[at]
        closed &= ~neurons.used_before[at] & ~_moving(flow, name)
        if use.level > DATA:
            bias = _bias(use)
            signs = np.where(neurons.strict[at], bias < 0, bias <= 0)
            if not use.non_negative:
                signs[:] = False
            dead_columns = np.array(
                [c >= 0 and c & ALTERED == 0 and c & RECTIFIED > 0 and gone[c >> 2]
                 for c in use.columns.tolist()], bool
            )  # fmt: skip
            weights = _by_column(use)
            signs &= ((weights <= 0) | dead_columns).all(axis=1)
            closed &= signs
        gone[at] = closed
    return gone


def _chain_statuses(flow: Flow) -> dict[tuple[str, ...], np.ndarray]:
    """By the rules of a census, which see what a chain alone allows."""
    neurons = flow.neurons
    uses = [flow.layers[names[0]] for names in flow.order]
    weights, biases = [], []
    verdicts = Verdicts.unknown(1, [len(use.neurons) for use in uses])
    before: np.ndarray | None = None
    for index, use in enumerate(uses):
        weights.append(_by_neuron(use, before)[None])
        # A ReLU that passes a gradient at 0 is closed below 0 only.
        bias = _bias(use)
        biases.append(np.where(neurons.strict[use.neurons] & (bias == 0), 1.0, bias)[None])
        silent = (neurons.high[use.neurons] <= 0) & ~neurons.touched[use.neurons]
        verdicts.record(index, slice(None), np.where(silent, SILENT, POSITIVE)[None], EXACT)
        before = use.neurons
    census = classify(weights, biases, verdicts)
    blocked = any(not neurons.touched[use.neurons].any() for use in uses)
    statuses = {}
    for names, use, status in zip(flow.order, uses, census.status, strict=True):
        # By what feeds it a neuron may vary, but on these points it does not.
        still = (status[0] == ACTIVE) & (neurons.low == neurons.high)[use.neurons]
        statuses[names] = np.where(still, PERMANENT if blocked else TENTATIVE, status[0])
    return statuses


def _by_neuron(use: AffineUse, before: np.ndarray | None) -> np.ndarray:
    """One number per neuron and neuron before it, shape (W, W_before).

    Positive if one of the weights between them is, 0 if all are, else negative: a channel has as
    many weights to a neuron as the kernel, or the flattened image, has places.
    """
    weights = _by_column(use)
    if before is None:
        return weights
    signs = np.zeros((len(weights), len(before)))
    source = (use.columns >> 2) - before[0]
    for index in range(len(before)):
        columns = weights[:, source == index]
        if columns.shape[1]:
            most = columns.max(axis=1)
            signs[:, index] = np.where(most > 0, most, columns.min(axis=1))
    return signs


def _by_column(use: AffineUse) -> np.ndarray:
    """One number per neuron and input column: its largest weight, or its least if none is > 0."""
    weight = use.weight.detach().to("cpu", torch.float64)
    if weight.ndim == 2:
        return weight.numpy()
    places = weight.flatten(2)
    n_seen = places.shape[1]
    signs = np.zeros((len(places), n_seen * use.groups))
    for group, rows in enumerate(np.split(np.arange(len(places)), use.groups)):
        signs[rows, group * n_seen : (group + 1) * n_seen] = _extreme(places[rows])
    return signs


def _extreme(places: Tensor) -> np.ndarray:
    most = places.amax(2)
    return torch.where(most > 0, most, places.amin(2)).numpy()


def _bias(use: AffineUse) -> np.ndarray:
    if use.bias is None:
        return np.zeros(len(use.neurons))
    return use.bias.detach().to("cpu", torch.float64).numpy()
