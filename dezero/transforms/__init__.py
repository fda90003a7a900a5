"""What happens to a sample between the data set and the model: conversions and augmentation, on one sample or a whole batch."""

from dezero.transforms.base import RandomTransform, Transform
from dezero.transforms.basic import AsType, CenterCrop, Compose, Convert, Flatten, Normalize, Resize, ToArray, ToFloat, ToInt, ToPIL
from dezero.transforms.geometry import RandomCrop, RandomHorizontalFlip, RandomRotation, RandomShift, RandomVerticalFlip, RandomZoom
from dezero.transforms.mixup import Mixup
from dezero.transforms.pixels import Cutout, RandomBrightness, RandomContrast, RandomErase, RandomNoise

__all__ = ["AsType", "CenterCrop", "Compose", "Convert", "Cutout", "Flatten", "Mixup", "Normalize", "RandomBrightness", "RandomContrast",
           "RandomCrop", "RandomErase", "RandomHorizontalFlip", "RandomNoise", "RandomRotation", "RandomShift", "RandomTransform",
           "RandomVerticalFlip", "RandomZoom", "Resize", "ToArray", "ToFloat", "ToInt", "ToPIL", "Transform"]
