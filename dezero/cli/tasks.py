"""What the command line can train on and with: data sets, models, augmentations, optimizers and schedules by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import datasets, models, optimizers, transforms
from dezero.cli.settings import Settings, read_json, write_json
from dezero.errors import FileFormatError

T = TypeVar("T")
IMAGE, POINTS = "image", "points"
FILE = "task.json"


@dataclass
class Task:
    """A classification task.

    Attributes:
        train, test: the two parts.
        classes: names of the classes.
        shape: of one input, before it is flattened for an MLP.
        kind: IMAGE or POINTS (rows of numbers).
    """

    train: Any
    test: Any
    classes: list[str]
    shape: tuple[int, ...]
    kind: str

    def save(self, folder: Path) -> None:
        """Write what a model needs to be used without the data."""
        write_json(folder / FILE, {"classes": self.classes, "shape": self.shape, "kind": self.kind})

    @classmethod
    def load(cls, folder: Path) -> Task:
        """The task of a run without its data.

        Raises:
            OSError: the folder has no such file.
            FileFormatError: it is damaged.
        """
        task = read_json(folder / FILE, lambda d: cls(None, None, [str(c) for c in d["classes"]], tuple(map(int, d["shape"])), str(d["kind"])))
        if len(task.shape) != (3 if task.kind == IMAGE else 1):
            raise FileFormatError(f"{folder / FILE} is damaged: {task.shape} is no shape of {task.kind}")
        return task


# name -> data set, highest stored value, augmentation that suits it
_DIGITS_AUGMENT = ["shift", "rotate", "zoom"]
IMAGES: dict[str, tuple[type, float, list[str]]] = {
    "digits": (datasets.Digits, 16.0, _DIGITS_AUGMENT),
    "mnist": (datasets.MNIST, 255.0, _DIGITS_AUGMENT),
    "fashion-mnist": (datasets.FashionMNIST, 255.0, ["flip", "shift"]),
    "cifar10": (datasets.CIFAR10, 255.0, ["flip", "crop"]),
    "cifar100": (datasets.CIFAR100, 255.0, ["flip", "crop"]),
}
DATA = (*IMAGES, "spiral")


def scale(x: int, part: float) -> int:
    """At least one pixel."""
    return max(1, round(x * part))


AUGMENT: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "shift": lambda shape: transforms.RandomShift(scale(shape[-1], 0.08)),
    "rotate": lambda shape: transforms.RandomRotation(10),
    "zoom": lambda shape: transforms.RandomZoom((0.9, 1.1)),
    "flip": lambda shape: transforms.RandomHorizontalFlip(),
    "crop": lambda shape: transforms.RandomCrop(shape[-2:], pad=scale(shape[-1], 0.125)),
    "noise": lambda shape: transforms.RandomNoise(0.05),
    "erase": lambda shape: transforms.RandomErase(),
    "cutout": lambda shape: transforms.Cutout(scale(shape[-1], 0.25)),
    "brightness": lambda shape: transforms.RandomBrightness(0.2),
    "contrast": lambda shape: transforms.RandomContrast(0.2),
}


def load(settings: Settings) -> Task:
    """The data that the settings name.

    Raises:
        ValueError: an unknown name, or a setting that does not suit the data.
        DatasetError: the files are not there.
    """
    if settings.data in IMAGES:
        return _images(settings)
    if settings.augment:
        raise ValueError(f"--augment changes images, and {settings.data} has none: leave it out")
    if settings.data == "spiral":
        return Task(datasets.Spiral(train=True), datasets.Spiral(train=False), ["0", "1", "2"], (2,), POINTS)
    if settings.data.startswith("csv:"):
        return _table(settings)
    raise ValueError(f"--data {settings.data}: {', '.join(DATA)} or csv:FILE is expected")


def _images(settings: Settings) -> Task:
    maker, top, _ = IMAGES[settings.data]
    plain = [transforms.ToFloat(), transforms.Normalize(0.0, top)]
    if settings.model == "mlp":
        plain.insert(0, transforms.Flatten())
    test = maker(train=False, transform=transforms.Compose(plain))
    shape = tuple(test.data.shape[1:])
    changes = [pick(AUGMENT, "augment", name)(shape) for name in settings.augment]
    train = maker(train=True, transform=transforms.Compose([*changes, *plain]))
    names = test.labels() if hasattr(test, "labels") else {i: str(i) for i in range(10)}
    return Task(train, test, [str(names[i]) for i in range(len(names))], shape, IMAGE)


def _table(settings: Settings) -> Task:
    """A csv file: four fifths to train on; columns are scaled to mean 0 and standard deviation 1 by those."""
    table = datasets.CSVDataset(Path(settings.data.removeprefix("csv:")), target=settings.target or -1)
    if table.classes is None:
        raise ValueError(f"--data {settings.data}: the column {settings.target or 'at the end'} has numbers with fractions, which are no classes: "
                         "name the column with the classes by --target")
    train, test = datasets.train_test_split(table, 0.2, seed=settings.seed, stratify=True)
    x, t = train[:]
    mean, std = x.mean(axis=0), x.std(axis=0)
    std[std == 0] = 1
    parts = [datasets.ArrayDataset(((a - mean) / std).astype(np.float32), b) for a, b in ((x, t), test[:])]
    return Task(parts[0], parts[1], [str(c) for c in table.classes], (x.shape[1],), POINTS)


ACTIVATIONS = {"relu": F.relu, "leaky-relu": F.leaky_relu, "sigmoid": F.sigmoid, "tanh": F.tanh, "gelu": F.gelu, "elu": F.elu}


def pick(table: Mapping[str, T], setting: str, name: str) -> T:
    """What a setting names.

    Raises:
        ValueError: there is no such name; a file of settings may hold anything.
    """
    if name not in table:
        raise ValueError(f"the setting {setting} is {name!r}: {', '.join(table)} is expected")
    return table[name]


def mlp(settings: Settings, task: Task) -> models.Model:
    """Linear layers."""
    init = "he" if "relu" in settings.activation else "lecun"
    steps: list[Any] = []
    before = int(np.prod(task.shape))
    for size in settings.hidden:
        steps += [L.Linear(size, in_size=before, initializer=init), pick(ACTIVATIONS, "activation", settings.activation)]
        if settings.dropout:
            steps.append(L.Dropout(settings.dropout))
        before = size
    return models.Sequential(*steps, L.Linear(len(task.classes), in_size=before))


def cnn(settings: Settings, task: Task) -> models.Model:
    """Convolutions with batch norm; three stages for larger images."""
    channels = ((32,), (64, 64)) if task.shape[-1] < 24 else ((16,), (32, 32)) if task.shape[0] == 1 else ((32, 32), (64, 64), (128, 128))
    return models.CNN(len(task.classes), channels, settings.dropout)


MODELS: dict[str, Callable[[Settings, Task], models.Model]] = {
    "mlp": mlp,
    "cnn": cnn,
    "lenet": lambda settings, task: models.LeNet(len(task.classes)),
    "resnet18": lambda settings, task: models.ResNet18(num_classes=len(task.classes)),
    "squeezenet": lambda settings, task: models.SqueezeNet(len(task.classes)),
}


def build(settings: Settings, task: Task) -> models.Model:
    """The model that the settings name, with all its weights.

    Raises:
        ValueError: it does not suit the data.
    """
    if settings.model != "mlp" and task.kind != IMAGE:
        raise ValueError(f"--model {settings.model} works on images, and {settings.data} has none: use --model mlp")
    model = pick(MODELS, "model", settings.model)(settings, task)
    shape = (int(np.prod(task.shape)),) if settings.model == "mlp" else task.shape
    model.summary((1, *shape))  # runs it once, which sizes its weights
    return model


def _momentum(nesterov: bool) -> Callable[[float], Any]:
    return lambda rate: optimizers.MomentumSGD(rate, nesterov=nesterov)


OPTIMIZERS: dict[str, Callable[[float], Any]] = {
    "sgd": optimizers.SGD, "momentum": _momentum(False), "nesterov": _momentum(True), "adagrad": optimizers.AdaGrad,
    "adadelta": lambda rate: optimizers.AdaDelta(lr=rate), "rmsprop": optimizers.RMSprop, "adam": optimizers.Adam,
    "adamw": lambda rate: optimizers.AdamW(rate), "nadam": optimizers.NAdam, "radam": optimizers.RAdam, "lion": optimizers.Lion,
}


def optimizer(settings: Settings, model: models.Model) -> Any:
    """The optimizer, set up for the model."""
    made = pick(OPTIMIZERS, "optimizer", settings.optimizer)(settings.rate).setup(model)
    if settings.weight_decay:
        made.add_hook(optimizers.WeightDecay(settings.weight_decay))
    return made


def schedule(settings: Settings, optimizer: Any, steps_per_epoch: int) -> tuple[Any, str] | None:
    """The schedule and whether it steps by "batch" or by "epoch"; None for a fixed rate."""
    n = settings.epochs
    total = max(1, n * steps_per_epoch)
    makers: dict[str, Callable[[], tuple[Any, str]]] = {
        "step": lambda: (optimizers.StepLR(optimizer, max(1, n // 3), 0.3), "epoch"),
        "exponential": lambda: (optimizers.ExponentialLR(optimizer, 0.01 ** (1 / max(1, n))), "epoch"),
        "cosine": lambda: (optimizers.CosineLR(optimizer, total), "batch"),
        "onecycle": lambda: (optimizers.OneCycle(optimizer, settings.rate, total), "batch"),
        "warmup": lambda: (optimizers.WarmUp(optimizers.CosineLR(optimizer, max(1, total - total // 10)), max(1, total // 10)), "batch"),
        "polynomial": lambda: (optimizers.PolynomialLR(optimizer, total), "batch"),
        "plateau": lambda: (optimizers.ReduceLROnPlateau(optimizer, factor=0.3, patience=3), "epoch"),
    }
    return None if settings.schedule == "none" else pick(makers, "schedule", settings.schedule)()


SCHEDULE_NAMES = ("none", "step", "exponential", "cosine", "onecycle", "warmup", "polynomial", "plateau")
