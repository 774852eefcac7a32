import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Torch's threads wait for each other longer than these small networks take."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope="session")
def shared_cache(tmp_path_factory):
    """Compiled kernels of these tests, out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAINABILITY_CACHE", str(tmp_path_factory.mktemp("kernels")))
        yield
