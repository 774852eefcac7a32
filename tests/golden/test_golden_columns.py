"""The columns that files of each version have: one that came later is not of that version.

Whoever gives a new axis or column the version of today condemns all files of it, which lack it. So
what versions that files were written with have is kept here, and none is changed. A version that is
not kept yet has the columns of one axis, or one column, so that nothing can come to it later.
"""

from __future__ import annotations

import pytest

from trainability.columns import COLUMNS, VERSION
from trainability.study.axes import AXIS

NEW = {
    0: (
        "study cell replicate task scheme width depth d_in d_out n_train need optimizer "
        "learning_rate batch_size max_steps tolerance seed status born_dead trainable active_init "
        "tentative_init permanent_init undecided_init active_final tentative_final "
        "permanent_final undecided_final n_revived initial_loss final_loss steps success "
        "loss_curve active_curve tentative_curve permanent_curve"
    ),
    1: ("activation loss penalty"),
    2: (
        "target_accuracy n_classes n_validation accuracy validation_loss best_validation_loss "
        "validation_accuracy best_validation_accuracy widths collapsed"
    ),
    3: ("variance_init living_init network layers collapsed_curve"),
    4: ("log_scale_init cosine_init"),
    5: ("label_noise"),
}
"""By version, the columns that it brought, in the order of the rows."""


@pytest.mark.parametrize("version", NEW)
def test_a_version_that_wrote_files_gets_no_further_column(version) -> None:
    brought = [column.name for column in COLUMNS if column.since == version]
    assert brought == NEW[version].split()


def test_a_version_that_is_not_kept_here_is_that_of_one_thing():
    """Of two that came at once, in one version, the columns are to be kept above."""
    axis_of = {column.name: axis.name for axis in AXIS.values() for column in axis.columns}
    for version in range(VERSION + 1):
        brought = {axis_of.get(c.name, c.name) for c in COLUMNS if c.since == version}
        assert version in NEW or len(brought) == 1, f"version {version} brings {sorted(brought)}"
