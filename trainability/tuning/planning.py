"""What a tuning would do: what is stored of it, and what comes next. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from trainability.checks import counted
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study import Cell
from trainability.tuning.declaration import Tuning
from trainability.tuning.finalists import N_BEST, N_FRONT
from trainability.tuning.loop import (
    blocks_after,
    progress,
    read_outcomes,
    search_of,
    stored_rounds,
    wanted_blocks,
)
from trainability.tuning.search import ROUNDS
from trainability.tuning.wording import written


def planned(tuning: Tuning, storage: Storage) -> list[str]:
    """Sentences on what is stored and what would be trained, the candidates that are next last.

    What comes after the next round depends on its networks.
    """
    rounds = stored_rounds(tuning, storage, mend=False)
    blocks = blocks_after(rounds)
    budget = tuning.n_evaluations * BLOCK_SIZE * len(tuning.widths)
    n_asked = sum(blocks.values()) * BLOCK_SIZE * len(tuning.widths)
    n_missing = _missing(tuning, storage, *wanted_blocks(tuning, blocks))
    n_best = f"up to {N_BEST + 1}" if len(tuning.objectives) == 1 else f"up to {N_FRONT}"
    fresh = tuning.n_fresh_blocks * BLOCK_SIZE * len(tuning.widths)
    lines = [
        f"varies: {', '.join(f'{name} over {part}' for name, part in tuning.vary.items())}",
        f"strives for: {' and '.join(part.words for part in tuning.objectives)}",
        f"default: {written(tuning, None)}"
        + ("" if tuning.default else "; outside of what varies, so that only the end compares it"),
        f"search: {budget:,} networks in some {ROUNDS} rounds; "
        f"{counted(len(rounds), 'round')} with {n_asked:,} networks are written down, "
        f"{n_asked - n_missing:,} of them trained",
        f"at the end: {fresh:,} networks with fresh seeds each for {n_best} finalists and the "
        "default",
    ]
    if n_missing:
        return [*lines, f"next: {n_missing:,} networks that these rounds lack"]
    search = search_of(tuning, begins=not rounds)
    measured = read_outcomes(tuning, storage, blocks, tuning.seed)
    if measured:
        lines.append(progress(tuning, search.standings(measured), len(rounds)))
    batch = search.next_round(len(rounds), measured)
    if not batch.blocks:
        return [*lines, "next: the finalists and the default on fresh seeds, where they lack any"]
    n_next = (sum(batch.blocks.values()) - sum(blocks.get(s, 0) for s in batch.blocks)) * (
        BLOCK_SIZE * len(tuning.widths)
    )
    lines.append(f"next: round {len(rounds) + 1}, {n_next:,} networks of")
    return lines + [f"  {written(tuning, settings)}" for settings in batch.blocks]


def _missing(
    tuning: Tuning, storage: Storage, cells: Mapping[str, Cell], wanted: Mapping[str, int]
) -> int:
    files = storage.block_files(tuning.name, cells) if cells else []
    return sum(map(len, missing_blocks(wanted, files).values())) * BLOCK_SIZE
