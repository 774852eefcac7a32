"""Random modules: what is called permanently dead stays so in training, and no ReLU is lost.

The whole number is run with RANDOM_MODULES=5000; the tests take a part that fits in.
"""

import os

import pytest
import torch
from random_modules import random_case, train

from trainability.death import ACTIVE, PERMANENT
from trainability.modules import inspect

N_MODULES = int(os.environ.get("RANDOM_MODULES", "160"))
N_PARTS = 8


@pytest.fixture(autouse=True)
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def revived(seed):
    """Neurons called permanently dead, and what training did to them that it should not."""
    module, x = random_case(seed)
    before = inspect(module, x)
    permanent = {name: status == PERMANENT for name, status in before.status.items()}
    n_permanent = sum(int(dead.sum()) for dead in permanent.values())
    lost = [
        f"acts.{act}"
        for act in range(len(module.acts))
        if not attributed(module, act, before)
        and not any(place.startswith(f"acts.{act} ") for place in before.not_looked_at)
    ]
    strange = [note for note in before.notes if "can't be followed" in note]
    problems = [f"{seed}: {lost} lost"] * bool(lost) + [f"{seed}: {strange}"] * bool(strange)
    if not n_permanent:
        return 0, problems
    for _ in range(2):
        if not train(module, x, seed, 100):
            break
        for by_batch in (False, True):
            after = inspect(module.eval(), x, batch_statistics=by_batch)
            for name, dead in permanent.items():
                if (after.status[name][dead] == ACTIVE).any():
                    problems.append(f"{seed}: {name} revived")
    return n_permanent, problems


def attributed(module, act, inspection):
    """Whether the ReLU's layer has a row, for steps after which it must."""
    layer = next(layer for _, layer, of, _ in module.plan if of == act)
    rows = " + ".join(inspection.status)
    return f"layers.{layer}" in rows


@pytest.mark.parametrize("part", range(N_PARTS))
def test_what_is_permanently_dead_stays_so_and_no_relu_is_lost(part):
    n_permanent, problems = 0, []
    for seed in range(part, N_MODULES, N_PARTS):
        n, n_revived = revived(seed)
        n_permanent += n
        problems += n_revived
    print(f"{n_permanent} permanently dead neurons")
    assert not problems
    assert n_permanent > N_MODULES // N_PARTS / 4
