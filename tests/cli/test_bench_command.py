"""`bench` refuses a device that is not there before it measures anything."""

import pytest
from storage.in_process import call


@pytest.mark.parametrize(
    ("device", "n_gpus", "why"),
    [
        ("gpu", 0, "--device must be cpu, cuda or cuda:N, got 'gpu'"),
        ("cpu:0", 0, "--device must be cpu, cuda or cuda:N, got 'cpu:0'"),
        ("cuda", 0, "torch sees no GPU here"),
        ("cuda:1", 1, "torch sees 1 GPU here, of which cuda:0 is the last"),
    ],
)
def test_a_device_that_is_not_there_is_refused(device, n_gpus, why, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: n_gpus > 0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: n_gpus)
    monkeypatch.setattr("trainability.benchmark.measure.benchmark", None)
    done = call("bench", "--quick", "--device", device)
    assert done.code == 2 and why in done.text and not done.traceback
