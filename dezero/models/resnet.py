"""Residual networks (He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2016)."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero.core import Variable
from dezero.layers.state import LoadReport
from dezero.models.images import prepared
from dezero.models.model import Model
from dezero.models.weights import AFFINE, NORM, PUBLISHED, check_flag, fetch, load_published, renamed

# How many blocks each of the four stages has.
STAGES = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
CAFFE, TORCHVISION = "caffe", "torchvision"


def conv(channels: int, kernel_size: int, stride: int = 1, pad: int = 0, nobias: bool = True, in_channels: int | None = None) -> L.Conv2d:
    """A convolution for ReLU."""
    return L.Conv2d(channels, kernel_size, stride, pad, nobias, in_channels=in_channels, initializer="he")


class BottleneckA(L.Layer):
    """1x1, 3x3 and 1x1 convolutions around which a 1x1 convolution leads: the first block of a stage.

    Args:
        in_size: channels of the input; None sizes the weights that depend on it at the first call.
        mid_size: channels between.
        out_size: channels of the output.
        stride: of the block.
        downsample_fb: the 3x3 convolution strides; otherwise the first 1x1 one does, as in the paper.
        eps: of the batch norms.

    Examples:
        >>> import numpy as np
        >>> from dezero.models.resnet import BottleneckA
        >>> BottleneckA(8, 4, 16, stride=2)(np.ones((1, 8, 6, 6), np.float32)).shape
        (1, 16, 3, 3)
    """

    def __init__(self, in_size: int | None, mid_size: int, out_size: int, stride: int = 2, downsample_fb: bool = False, eps: float = 2e-5) -> None:
        super().__init__()
        first, second = (1, stride) if downsample_fb else (stride, 1)
        self.conv1, self.bn1 = conv(mid_size, 1, first, in_channels=in_size), L.BatchNorm(eps=eps)
        self.conv2, self.bn2 = conv(mid_size, 3, second, 1), L.BatchNorm(eps=eps)
        self.conv3, self.bn3 = conv(out_size, 1), L.BatchNorm(eps=eps)
        self.conv4, self.bn4 = conv(out_size, 1, stride, in_channels=in_size), L.BatchNorm(eps=eps)

    def forward(self, x: Any) -> Variable:
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.relu(self.bn2(self.conv2(h)))
        return F.relu(self.bn3(self.conv3(h)) + self.bn4(self.conv4(x)))


class BottleneckB(L.Layer):
    """1x1, 3x3 and 1x1 convolutions around which the input itself leads: the later blocks of a stage.

    Args:
        in_size: channels of the input and the output.
        mid_size: channels between.
        eps: of the batch norms.

    Examples:
        >>> import numpy as np
        >>> from dezero.models.resnet import BottleneckB
        >>> BottleneckB(8, 4)(np.ones((1, 8, 6, 6), np.float32)).shape
        (1, 8, 6, 6)
    """

    def __init__(self, in_size: int, mid_size: int, eps: float = 2e-5) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(mid_size, 1), L.BatchNorm(eps=eps)
        self.conv2, self.bn2 = conv(mid_size, 3, 1, 1), L.BatchNorm(eps=eps)
        self.conv3, self.bn3 = conv(in_size, 1), L.BatchNorm(eps=eps)

    def forward(self, x: Any) -> Variable:
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.relu(self.bn2(self.conv2(h)))
        return F.relu(self.bn3(self.conv3(h)) + x)


class BasicBlock(L.Layer):
    """Two 3x3 convolutions: the block of the networks with 18 and 34 layers.

    Args:
        channels: of the output.
        stride: of the first convolution.
        project: lead a 1x1 convolution around them instead of the input itself.
        eps: of the batch norms.

    Examples:
        >>> import numpy as np
        >>> from dezero.models.resnet import BasicBlock
        >>> BasicBlock(8, stride=2, project=True)(np.ones((1, 4, 6, 6), np.float32)).shape
        (1, 8, 3, 3)
    """

    def __init__(self, channels: int, stride: int = 1, project: bool = False, eps: float = 1e-5) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(channels, 3, stride, 1), L.BatchNorm(eps=eps)
        self.conv2, self.bn2 = conv(channels, 3, 1, 1), L.BatchNorm(eps=eps)
        if project:
            self.conv4, self.bn4 = conv(channels, 1, stride), L.BatchNorm(eps=eps)
        self.project = project

    def forward(self, x: Any) -> Variable:
        h = F.relu(self.bn1(self.conv1(x)))
        h = self.bn2(self.conv2(h))
        return F.relu(h + (self.bn4(self.conv4(x)) if self.project else x))


class Stage(L.Layer):
    """Blocks in a row: ``a``, which may stride, and ``b1``, ``b2`` ... after it.

    Args:
        blocks: the blocks in order.

    Examples:
        >>> from dezero.models.resnet import BasicBlock, Stage
        >>> [path for path, _ in Stage(BasicBlock(4), BasicBlock(4)).named_layers()][1::5]
        ['a', 'b1']
    """

    def __init__(self, *blocks: L.Layer) -> None:
        super().__init__()
        self.names = ["a", *(f"b{i}" for i in range(1, len(blocks)))]
        for name, block in zip(self.names, blocks, strict=True):
            setattr(self, name, block)

    def forward(self, x: Any) -> Any:
        for name in self.names:
            x = getattr(self, name)(x)
        return x


class BuildingBlock(Stage):
    """A stage of bottlenecks: a :class:`BottleneckA`, and :class:`BottleneckB` for the others.

    Args:
        n_layers: how many blocks.
        in_size, mid_size, out_size, stride, downsample_fb, eps: as in :class:`BottleneckA`.

    Examples:
        >>> import numpy as np
        >>> from dezero.models.resnet import BuildingBlock
        >>> stage = BuildingBlock(3, 8, 4, 16, stride=2)
        >>> stage(np.ones((1, 8, 6, 6), np.float32)).shape, stage.names
        ((1, 16, 3, 3), ['a', 'b1', 'b2'])
    """

    def __init__(self, n_layers: int, in_size: int | None, mid_size: int, out_size: int, stride: int, downsample_fb: bool = False,
                 eps: float = 2e-5) -> None:
        super().__init__(BottleneckA(in_size, mid_size, out_size, stride, downsample_fb, eps),
                         *(BottleneckB(out_size, mid_size, eps) for _ in range(n_layers - 1)))


class ResNet(Model):
    """A residual network for images (N, 3, H, W).

    Args:
        n_layers: 18, 34, 50, 101 or 152.
        pretrained: load the published weights, which are fetched once; for 50, 101 and 152 layers in the style "caffe".
        num_classes: length of the output.
        style: "caffe" as in the book: the first convolution has a bias, a stage strides in its first 1x1 convolution, and the
            first pooling has no padding; "torchvision": no bias, the 3x3 convolution strides, padding 1, eps 1e-5, as in
            torchvision's networks, whose weights :meth:`load_weights` reads. None for "caffe"; 18 and 34 layers are there in the
            style "torchvision" alone.

    Attributes:
        conv1, bn1: the first layers.
        res2, res3, res4, res5: the stages, each a :class:`Stage`.
        fc6: the last layer.

    Raises:
        ValueError: another number of layers, a style that it does not have, or pretrained weights that nobody has published.
        TypeError: ``pretrained`` is a number: of classes, perhaps.

    Examples:
        >>> from dezero.models import ResNet
        >>> [name for name, _ in ResNet(50).named_params()][:5]
        ['conv1.W', 'conv1.b', 'bn1.gamma', 'bn1.beta', 'res2.a.conv1.W']
    """

    def __init__(self, n_layers: int = 152, pretrained: bool = False, num_classes: int = 1000, style: str | None = None) -> None:
        super().__init__()
        check_flag("ResNet", pretrained)
        if n_layers not in STAGES:
            raise ValueError(f"ResNet: n_layers is {n_layers!r}: one of {', '.join(map(str, STAGES))} is expected")
        self.n_layers, self.style = n_layers, style or (CAFFE if n_layers >= 50 else TORCHVISION)
        if self.style not in (CAFFE, TORCHVISION) or n_layers < 50 and self.style == CAFFE:
            known = f"{CAFFE!r} or {TORCHVISION!r}" if n_layers >= 50 else repr(TORCHVISION)
            raise ValueError(f"ResNet: style is {style!r}: {known} is expected for {n_layers} layers")
        caffe = self.style == CAFFE
        eps = 2e-5 if caffe else 1e-5
        self.conv1, self.bn1 = conv(64, 7, 2, 3, nobias=not caffe), L.BatchNorm(eps=eps)
        for i, count in enumerate(STAGES[n_layers]):
            setattr(self, f"res{i + 2}", self._stage(i, count, eps))
        self.fc6 = L.Linear(num_classes, initializer="he")
        if pretrained:
            self._load_published()

    def _stage(self, i: int, count: int, eps: float) -> Stage:
        channels, stride = 64 << i, 1 if i == 0 else 2
        if self.n_layers < 50:
            return Stage(BasicBlock(channels, stride, project=i > 0, eps=eps), *(BasicBlock(channels, eps=eps) for _ in range(count - 1)))
        # Without in_size, so that nothing is drawn that pretrained weights would replace.
        return BuildingBlock(count, None, channels, 4 * channels, stride, downsample_fb=self.style == TORCHVISION, eps=eps)

    def _load_published(self) -> None:
        name = f"resnet{self.n_layers}"
        if name not in PUBLISHED or self.style != CAFFE:
            raise ValueError(f"ResNet: no weights are published for {self.n_layers} layers in the style {self.style!r}: "
                             "load a safetensors file with torchvision's names by load_weights(path)")
        self.load_weights(fetch(PUBLISHED[name]))

    def forward(self, x: Any) -> Variable:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.pooling(x, 3, 2, 0 if self.style == CAFFE else 1)
        for i in range(2, 6):
            x = getattr(self, f"res{i}")(x)
        y: Variable = self.fc6(F.global_average_pool2d(x))
        return y

    def load_weights(self, path: Any, strict: bool = True) -> LoadReport:
        """Load weights: the published npz file, one of our own, or a file with torchvision's names.

        Torchvision's weights expect images from ``preprocess(image, style="torchvision")``.

        Raises:
            ValueError: torchvision's weights for a network of the style "caffe".
            StateError: names or shapes differ; nothing was loaded then, and the message is a table of what differs.
        """
        return load_published(self, path, self._torchvision_names, strict)

    def _torchvision_names(self) -> dict[str, str]:
        if self.style != TORCHVISION:
            raise ValueError(f"ResNet: torchvision's weights do not fit the style {self.style!r}: "
                             f"make the network by ResNet({self.n_layers}, style={TORCHVISION!r})")
        names = renamed("conv1", "conv1", AFFINE) | renamed("bn1", "bn1", NORM) | renamed("fc", "fc6", AFFINE)
        for stage, count in enumerate(STAGES[self.n_layers], 1):
            for i in range(count):
                theirs, ours = f"layer{stage}.{i}", f"res{stage + 1}.{f'b{i}' if i else 'a'}"
                for k in (1, 2, 3):
                    names |= renamed(f"{theirs}.conv{k}", f"{ours}.conv{k}", AFFINE) | renamed(f"{theirs}.bn{k}", f"{ours}.bn{k}", NORM)
                names |= renamed(f"{theirs}.downsample.0", f"{ours}.conv4", AFFINE) | renamed(f"{theirs}.downsample.1", f"{ours}.bn4", NORM)
        return names

    @staticmethod
    def preprocess(image: Any, size: tuple[int, int] | None = (224, 224), dtype: Any = np.float32, style: str = CAFFE) -> Any:
        """An image as the network expects it; see :meth:`VGG16.preprocess`.

        Examples:
            >>> import numpy as np
            >>> from dezero.models import ResNet
            >>> ResNet.preprocess(np.zeros((8, 6, 3), np.uint8)).shape
            (3, 224, 224)
        """
        return prepared(image, size, dtype, style)


def ResNet18(num_classes: int = 1000) -> ResNet:
    """:class:`ResNet` of 18 layers, in the style "torchvision".

    Examples:
        >>> from dezero.models import ResNet18
        >>> ResNet18(num_classes=10).n_layers
        18
    """
    return ResNet(18, num_classes=num_classes)


def ResNet34(num_classes: int = 1000) -> ResNet:
    """:class:`ResNet` of 34 layers, in the style "torchvision".

    Examples:
        >>> from dezero.models import ResNet34
        >>> ResNet34(num_classes=10).n_layers
        34
    """
    return ResNet(34, num_classes=num_classes)


def ResNet50(pretrained: bool = False, num_classes: int = 1000, style: str | None = None) -> ResNet:
    """:class:`ResNet` of 50 layers.

    Examples:
        >>> from dezero.models import ResNet50
        >>> ResNet50(num_classes=10).n_layers
        50
    """
    return ResNet(50, pretrained, num_classes, style)


def ResNet101(pretrained: bool = False, num_classes: int = 1000, style: str | None = None) -> ResNet:
    """:class:`ResNet` of 101 layers.

    Examples:
        >>> from dezero.models import ResNet101
        >>> ResNet101(num_classes=10).n_layers
        101
    """
    return ResNet(101, pretrained, num_classes, style)


def ResNet152(pretrained: bool = False, num_classes: int = 1000, style: str | None = None) -> ResNet:
    """:class:`ResNet` of 152 layers.

    Examples:
        >>> from dezero.models import ResNet152
        >>> ResNet152(num_classes=10).n_layers
        152
    """
    return ResNet(152, pretrained, num_classes, style)


__all__ = ["BasicBlock", "BottleneckA", "BottleneckB", "BuildingBlock", "ResNet", "ResNet18", "ResNet34", "ResNet50", "ResNet101", "ResNet152",
           "Stage"]
