"""A cluster that can't work on a study is refused before anything of the study is written."""

import pytest

from trainability.errors import InputError
from trainability.launch import Options
from trainability.launch.ray_tune import RayTune
from trainability.storage import Storage

pytestmark = pytest.mark.usefixtures("ray_session")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": {"zone": "c"}}, "no node .* has the labels zone=c"),
        ({"cpus_per_trial": 99}, "asks for 99 CPU"),
        ({"gpus_per_trial": 1}, "torch .* is built without GPU support"),
    ],
)
def test_what_the_cluster_can_not_do_is_refused_and_leaves_nothing(tmp_path, options, message):
    with (
        pytest.raises(InputError, match=message),
        RayTune(Options(**options)).ready("tiny", Storage(tmp_path / "results")),
    ):
        pytest.fail("let in")
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_that_can_is_ready_and_no_token_stays(tmp_path):
    with RayTune(Options()).ready("tiny", Storage(tmp_path / "results")):
        assert list(tmp_path.iterdir()) == []
