"""Whole networks: the base ``Model``, networks for tables, images and text, and those whose published weights can be loaded."""

from dezero.models.autoencoder import VAE, AutoEncoder
from dezero.models.gan import Discriminator, Generator
from dezero.models.lenet import CNN, LeNet
from dezero.models.model import MLP, Model, Sequential
from dezero.models.resnet import (
    BasicBlock,
    BottleneckA,
    BottleneckB,
    BuildingBlock,
    ResNet,
    ResNet18,
    ResNet34,
    ResNet50,
    ResNet101,
    ResNet152,
    Stage,
)
from dezero.models.squeezenet import Fire, SqueezeNet
from dezero.models.text import GPT, CharLSTM, text_loss
from dezero.models.vgg import VGG16

__all__ = ["CNN", "GPT", "MLP", "VAE", "VGG16", "AutoEncoder", "BasicBlock", "BottleneckA", "BottleneckB", "BuildingBlock", "CharLSTM",
           "Discriminator", "Fire", "Generator", "LeNet", "Model", "ResNet", "ResNet18", "ResNet34", "ResNet50", "ResNet101", "ResNet152",
           "Sequential", "SqueezeNet", "Stage", "text_loss"]
