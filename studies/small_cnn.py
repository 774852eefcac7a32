"""Which initialization trains a small convolutional network, and what batch normalization changes.

One module, thousands of copies: two convolutions with pooling and a linear layer, on the bundled
digits as pictures of 1 x 8 x 8 pixels. A network has succeeded when it names 90 % of the training
digits. Networks with and without normalization are compared pair by pair: by one scheme they start
from the same weights and see the same minibatches.
"""

from torch import Tensor, nn

from trainability import SGD, Module, Study
from trainability.losses import CrossEntropy
from trainability.schemes import DataDependent, He, TorchOwn
from trainability.tasks import Digits


class SmallCNN(nn.Module):
    """Two 3 x 3 convolutions, each with pooling, and a linear layer."""

    def __init__(self, channels: int, batch_norm: bool) -> None:
        super().__init__()

        def block(n_in: int) -> list[nn.Module]:
            normalization = [nn.BatchNorm2d(channels)] if batch_norm else []
            convolution = nn.Conv2d(n_in, channels, 3, padding=1)
            return [convolution, *normalization, nn.ReLU(), nn.MaxPool2d(2)]

        self.features = nn.Sequential(*block(1), *block(channels), nn.Flatten())
        self.classes = nn.Linear(4 * channels, 10)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.classes(self.features(pictures))


STUDY = Study(
    name="small_cnn",
    question="Which initialization trains a small convolutional network on digits, by how much, "
    "and does batch normalization make the choice matter less?",
    task=Digits(n_pictures=260, n_validation=60),
    axes={
        "scheme": [He(), DataDependent(), TorchOwn()],
        "network": Module.grid(SmallCNN, channels=4, batch_norm=[False, True]),
    },
    optimizer=SGD(learning_rate=0.1),
    loss=CrossEntropy(),
    batch_size=50,
    max_steps=100,
    target_accuracy=0.9,
    replicates=256,
    seed=0,
)
