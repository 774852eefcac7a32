"""Every ReLU is attributed to its layers' neurons, or listed as not looked at."""

import pytest
import torch
import torch.nn.functional as F
from modules_by_hand import images, linear, points
from torch import nn

from trainability.errors import InputError
from trainability.modules import inspect

CODES = [2, 0, 0, 2]


class Shaped(nn.Module):
    """Channels, or neurons, 0 and 3 of 4 are dead; what lies before the ReLU differs."""

    def __init__(self, between, image):
        super().__init__()
        self.layer = nn.Conv2d(2, 4, 3) if image else nn.Linear(2, 4)
        self.norm = nn.BatchNorm2d(4)
        self.between = between
        with torch.no_grad():
            self.layer.bias.copy_(torch.tensor([-99.0, 3.0, 3.0, -99.0]))

    def forward(self, x):
        return self.between(self.layer(x), self)


IMAGE = {
    "max pooling": lambda h, m: F.relu(F.max_pool2d(h, 2)),
    "padded pooling": lambda h, m: F.relu(F.max_pool2d(h, 3, 2, 1)),
    "adaptive pooling": lambda h, m: F.relu(F.adaptive_max_pool2d(h, 1)),
    "flatten": lambda h, m: F.relu(h.flatten(1)),
    "permute": lambda h, m: F.relu(h.permute(0, 2, 3, 1)),
    "tokens": lambda h, m: F.relu(h.flatten(2).transpose(1, 2)),
    "split": lambda h, m: torch.cat([F.relu(p) for p in h.split([1, 3], 1)], 1),
    "shuffled": lambda h, m: F.relu(F.channel_shuffle(h, 2)),
    "pixels": lambda h, m: F.relu(F.pixel_shuffle(h.repeat_interleave(4, 1), 2)),
    "unfolded": lambda h, m: F.relu(F.unfold(h, 2)),
    "padded": lambda h, m: F.relu(F.pad(h, (1, 1, 1, 1))),
    "resized": lambda h, m: F.relu(F.interpolate(h, scale_factor=2)),
    "amax": lambda h, m: F.relu(h.amax((2, 3))),
    "roll": lambda h, m: F.relu(h.roll(1, 1)),
    "out of order": lambda h, m: F.relu(h[:, [3, 1, 0, 2]]),
    "written": lambda h, m: F.relu(torch.zeros_like(h).copy_(h)),
    "channels last": lambda h, m: F.relu(h.to(memory_format=torch.channels_last)),
}
FLAT = {
    "unsqueeze": lambda h, m: F.relu(h[:, :, None]),
    "stack": lambda h, m: F.relu(torch.stack([h, h], 1)),
    "chunk": lambda h, m: [F.relu(part) for part in h.chunk(2, 1)],
    "unbind": lambda h, m: [F.relu(part) for part in h.unbind(1)],
    "transposed": lambda h, m: F.relu(h.T),
    "view": lambda h, m: F.relu(h.view(-1, 2, 2)),
    "expand": lambda h, m: F.relu(h[None].expand(3, -1, -1)),
    "twice": lambda h, m: F.relu(F.relu(h)),
    "mask": lambda h, m: torch.cat([F.relu(h[:, i : i + 1]) for i in range(4)], 1),
}


@pytest.mark.parametrize(("name", "image"), [(n, True) for n in IMAGE] + [(n, False) for n in FLAT])
def test_what_moves_the_neurons_loses_none(name, image):
    module = Shaped((IMAGE if image else FLAT)[name], image)
    inspection = inspect(module, images() if image else points(12, 2))
    assert inspection.status["layer"].tolist() == CODES
    assert not inspection.not_looked_at


def test_normalization_sums_and_averages_keep_the_name_but_prove_nothing():
    for between in (
        lambda h, m: F.relu(m.norm(h)),
        lambda h, m: F.relu(m.norm(h.flatten(1).view(len(h), 4, 4, 4))),
        lambda h, m: F.relu(h + 0.1),
        lambda h, m: F.relu(F.avg_pool2d(h, 2)),
        lambda h, m: F.relu(h.mean((2, 3))),
    ):
        inspection = inspect(Shaped(between, True), images())
        assert inspection.status["layer"].tolist() == [1, 0, 0, 1]
        assert not inspection.not_looked_at


def test_one_relu_behind_several_layers_gives_a_row_to_each():
    class Several(nn.Module):
        def __init__(self, combine):
            super().__init__()
            self.a, self.b = linear([[1.0], [1.0]], [-9.0, 0.5]), linear([[1.0]], [-9.0])
            self.combine = combine

        def forward(self, x):
            return self.combine(self.a(x), self.b(x), x)

    x = torch.linspace(-1, 1, 9)[:, None]
    both = inspect(Several(lambda a, b, x: F.relu(torch.cat([a, b], 1))), x)
    assert {k: v.tolist() for k, v in both.status.items()} == {"a": [2, 0], "b": [2]}
    with_data = inspect(Several(lambda a, b, x: F.relu(torch.cat([b, x, a], 1))), x)
    assert {k: v.tolist() for k, v in with_data.status.items()} == {"b": [2], "a": [2, 0]}
    part = inspect(Several(lambda a, b, x: F.relu(a[:, 1:]) * a[:, :1] + b), x)
    assert {k: v.tolist() for k, v in part.status.items()} == {"a[1:2]": [0]}


@pytest.mark.parametrize(
    "act",
    [
        lambda h: torch.where(h > 0, h, 0.0),
        lambda h: h * (h > 0),
        lambda h: h * (h > 0).float(),
        lambda h: torch.maximum(torch.zeros_like(h), h),
        lambda h: torch.fmax(h, h.new_zeros(())),
        lambda h: F.leaky_relu(h, 0.0),
        lambda h: h.clip(0),
        lambda h: F.hardtanh(h, 0, 9),
        lambda h: torch.clamp(h, min=0, max=6),
        nn.ReLU(inplace=True),
        nn.Threshold(0, 0),
    ],
)
def test_other_ways_to_write_a_relu_are_seen(act):
    inspection = inspect(Shaped(lambda h, m: act(h), False), points(12, 2))
    assert (inspection.status["layer"] > 0).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("between", "reason"),
    [
        (lambda h, m: F.relu(h @ torch.ones(4, 2)), "is not the output of layers"),
        (lambda h, m: F.relu(torch.tanh(h)), "is not the output of layers"),
        (lambda h, m: F.relu(h.mean(1)), "is not the output of layers"),
        (lambda h, m: F.relu(h.softmax(1) - 0.2), "is not the output of layers"),
        (lambda h, m: F.relu(torch.einsum("ni,nj->nij", h, h)), "is not the output of layers"),
    ],
)
def test_what_can_not_be_followed_is_listed(between, reason):
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), Shaped(between, False))
    inspection = inspect(module, points(12, 2))
    assert list(inspection.status) == ["0"]
    ((place, why),) = inspection.not_looked_at.items()
    assert place == "2 (Shaped, relu)" and reason in why
    assert "Not looked at: the ReLU in 2 (Shaped, relu)" in str(inspection)
    with pytest.raises(InputError, match=r"no ReLU in Shaped that can be followed"):
        inspect(module[2], points(12, 2))


def test_a_relu_on_the_data_is_listed():
    inspection = inspect(nn.Sequential(nn.ReLU(), nn.Linear(2, 2), nn.ReLU()), points(12, 2))
    assert list(inspection.status) == ["1"] and list(inspection.not_looked_at) == ["0 (ReLU, relu)"]
