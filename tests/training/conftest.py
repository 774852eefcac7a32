import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Torch's threads wait for each other longer than these small networks take."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
