"""Data sets: those of the book and more, arrays and files of your own, and parts of them."""

from dezero.datasets.cache import load_cache_npz, save_cache_npz
from dezero.datasets.cifar import CIFAR10, CIFAR100
from dezero.datasets.dataset import ArrayDataset, ConcatDataset, Dataset, Subset
from dezero.datasets.digits import Digits
from dezero.datasets.files import cache_dir, cache_folder, get_file
from dezero.datasets.folder import ImageFolder, open_image
from dezero.datasets.generated import SinCurve, Spiral, get_spiral
from dezero.datasets.idx import read_idx
from dezero.datasets.imagenet import ImageNet
from dezero.datasets.mnist import MNIST, FashionMNIST
from dezero.datasets.progress import show_progress
from dezero.datasets.split import k_fold, train_test_split
from dezero.datasets.table import CSVDataset
from dezero.datasets.text import Shakespear, Shakespeare, TextCharacters

__all__ = [
    "CIFAR10", "CIFAR100", "MNIST", "ArrayDataset", "CSVDataset", "ConcatDataset", "Dataset", "Digits", "FashionMNIST", "ImageFolder", "ImageNet",
    "Shakespear", "Shakespeare", "SinCurve", "Spiral", "Subset", "TextCharacters", "cache_dir", "cache_folder", "get_file", "get_spiral", "k_fold",
    "load_cache_npz", "open_image", "read_idx", "save_cache_npz", "show_progress", "train_test_split",
]
