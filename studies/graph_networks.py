"""Which graph networks learn as they grow deeper: at which initial scale, and with which residuals?

DeZoort & Hanin (2023, arXiv 2306.11668) follow layers relu(A X W), weights of variance C / fan_in,
at birth. The only C with which the signal neither explodes nor vanishes is 2 / lambda^2, lambda the
largest eigenvalue of A: He's 2 for a normalized A, and .08 for sums over these neighborhoods. With
every C nodes become alike, which is called oversmoothing, and the residual aggregation
(1 - 1/L) I + A/L holds that up. All of it is measured here, with the dead, and then the networks
are trained: a number for every node of two graphs, of what is on it and on its neighbors.

Graphs are examples of two tensors, features and adjacency, and targets are one number per node.
Those of one shape can come from a file (`Arrays`), from a `Dataset` or from tensors (`Examples`).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from trainability import Adam, Module, Study
from trainability.schemes import He, Scheme
from trainability.study import Published
from trainability.tasks import Examples

N_GRAPHS, N_NODES, N_FEATURES = 2, 20, 64


def neighborhoods():
    """The matrix of a random graph in which every node is a neighbor of its own."""
    above = np.triu(np.random.default_rng(0).random((N_NODES, N_NODES)) < 0.2, 1)
    return above + above.T + np.eye(N_NODES)


GRAPH = neighborhoods()
CRITICAL = round(2 / float(np.linalg.eigvalsh(GRAPH)[-1]) ** 2, 4)
"""The C of sums over neighborhoods."""


def signals():
    """Random features on the graph, the graph, and what is to be learned at each node."""
    features = np.random.default_rng(1).standard_normal((N_GRAPHS, N_NODES, N_FEATURES))
    near = GRAPH / np.sqrt(np.outer(GRAPH.sum(axis=0), GRAPH.sum(axis=0))) @ features
    targets = np.abs(near[:, :, 0]) - np.abs(features[:, :, 1])
    graphs = np.broadcast_to(GRAPH, (N_GRAPHS, N_NODES, N_NODES))
    return features, graphs, (targets - targets.mean()) / targets.std()


class GraphNetwork(nn.Module):
    """Layers relu(A X W) on the nodes of graphs, and a linear one that gives each a number.

    A adds up neighborhoods as they are ("sum"), or normalized to lambda = 1 ("normalized"), or
    adds a part of that to the node itself ("residual").
    """

    def __init__(self, width: int, depth: int, aggregation: str) -> None:
        super().__init__()
        sizes = [N_FEATURES, *[width] * (depth - 1)]
        self.layers = nn.ModuleList(map(nn.Linear, sizes[:-1], sizes[1:]))
        self.readout = nn.Linear(width, 1)
        self.aggregation = aggregation

    def forward(self, features: Tensor, graphs: Tensor) -> Tensor:
        a = graphs
        if self.aggregation != "sum":
            scale = a.sum(dim=2, keepdim=True).rsqrt()
            a = scale * a * scale.mT
        if self.aggregation == "residual":
            share = 1 / len(self.layers)
            a = (1 - share) * torch.eye(N_NODES, device=a.device) + share * a
        x = features
        for layer in self.layers:
            x = torch.relu(layer(a @ x))
        return self.readout(x)


@dataclass(frozen=True)
class Scaled(Scheme):
    """Weights of variance c / fan_in and biases of 0; He's c is 2."""

    c: float

    def draw(self, layer, rng):
        shape = (layer.n_networks, layer.fan_out, layer.fan_in)
        return rng.normal(0.0, (self.c / layer.fan_in) ** 0.5, shape), np.zeros(shape[:2])


def of_paper(quantity, value, aggregation, scheme, n_layers, differs=""):
    return Published(
        source="the equations of DeZoort & Hanin (2023), sampled",
        quantity=quantity,
        value=value,
        where={
            "network": Module(GraphNetwork, aggregation=aggregation),
            "scheme": scheme,
            "depth": n_layers + 1,
        },
        differs=f"theirs: width 64{differs}",
    )


def scale(mean, aggregation, scheme, n_layers):
    differs = ", the logarithm of the mean, which lies above our mean of logarithms"
    value = round(float(np.log10(mean)), 3)
    return of_paper("log_scale", value, aggregation, scheme, n_layers, differs)


STUDY = Study(
    name="graph_networks",
    question="Which aggregation, and which initial scale, let graph networks learn as they grow "
    "deeper?",
    axes={
        "network": Module.grid(GraphNetwork, aggregation=["sum", "normalized", "residual"]),
        "scheme": [He(), Scaled(CRITICAL)],
        "depth": [5, 17],
    },
    task=Examples("signals", signals()),
    width=16,
    optimizer=Adam(learning_rate=1e-2),
    max_steps=100,
    tolerance=0.3,
    replicates=256,
    seed=0,
    published=[
        scale(0.115, "normalized", He(), 4),
        scale(0.083, "normalized", He(), 16),
        scale(3.9e4, "sum", He(), 4),
        scale(2.5e21, "sum", He(), 16),
        scale(0.087, "sum", Scaled(CRITICAL), 4),
        scale(0.064, "sum", Scaled(CRITICAL), 16),
        of_paper("cosine", 0.920, "normalized", He(), 4),
        of_paper("cosine", 0.9991, "normalized", He(), 16),
        of_paper("cosine", 0.807, "residual", He(), 4),
        of_paper("cosine", 0.962, "residual", He(), 16),
    ],
)
