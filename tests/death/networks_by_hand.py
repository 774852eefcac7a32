"""Ensembles for the tests of the census, drawn or written down."""

import itertools

import numpy as np
import torch

from trainability.networks import Ensemble


def gaussian(n_networks, sizes, bias_std=0.0, seed=0):
    """Weights N(0, 2 / fan_in), biases N(0, bias_std^2)."""
    rng = np.random.default_rng(seed)
    weights, biases = [], []
    for fan_in, fan_out in itertools.pairwise(sizes):
        weights.append(rng.standard_normal((n_networks, fan_out, fan_in)) * np.sqrt(2 / fan_in))
        biases.append(rng.standard_normal((n_networks, fan_out)) * bias_std)
    return ensemble(weights, biases)


def ensemble(weights, biases):
    """Arrays with the replicate axis first."""
    return Ensemble(
        tuple(torch.tensor(np.asarray(w), dtype=torch.float32) for w in weights),
        tuple(torch.tensor(np.asarray(b), dtype=torch.float32) for b in biases),
    )


def single(*layers):
    """One network from (weight, bias) pairs; an output layer of ones is added."""
    weights = [[weight] for weight, _ in layers] + [np.ones((1, 1, len(layers[-1][1])))]
    biases = [[bias] for _, bias in layers] + [np.zeros((1, 1))]
    return ensemble(weights, biases)


def hidden(networks):
    """Weights and biases of the hidden layers, float64."""
    return (
        [w.double().numpy() for w in networks.weights[:-1]],
        [b.double().numpy() for b in networks.biases[:-1]],
    )
