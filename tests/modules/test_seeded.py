"""What modules draw from the libraries' own generators hangs on the seed alone, for ever."""

import random

import numpy as np
import torch

from trainability.networks.chance import seeded


def drawn():
    return torch.randn(3).tolist(), np.random.standard_normal(3).tolist(), random.random()


def test_each_generator_starts_as_its_library_seeds_it_and_goes_on_as_before():
    """With and without an accelerator: stored rows of modules begin with these weights."""
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    with seeded(2**40 + 5):
        ours = drawn()
    state = torch.get_rng_state(), np.random.get_state(), random.getstate()
    assert torch.equal(before[0], state[0]) and str(before[1:]) == str(state[1:])
    with torch.random.fork_rng():
        torch.manual_seed(2**40 + 5)
        np.random.seed(5)
        random.seed(2**40 + 5)
        theirs = drawn()
    np.random.set_state(before[1])
    random.setstate(before[2])
    assert ours == theirs
