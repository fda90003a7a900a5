"""Layers: parts of networks that own their weights. ``Layer`` is the base; what the maths is stands in ``dezero.functions``."""

from dezero.layers.activation import (
    ELU,
    GELU,
    GLU,
    SELU,
    HardTanh,
    Identity,
    LeakyReLU,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from dezero.layers.attention import MultiHeadAttention, PositionalEmbedding, PositionalEncoding, TransformerEncoderLayer
from dezero.layers.buffer import Buffer
from dezero.layers.container import Residual, Sequential
from dezero.layers.conv import Conv1d, Conv2d, ConvTranspose2d, Deconv2d
from dezero.layers.dropout import Dropout
from dezero.layers.layer import Hook, Layer
from dezero.layers.linear import Embedding, EmbedID, Linear
from dezero.layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RMSNorm
from dezero.layers.pool import AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, Flatten, GlobalAvgPool2d, MaxPool1d, MaxPool2d, Reshape, Upsample
from dezero.layers.recurrent import GRU, LSTM, RNN

__all__ = [
    "ELU", "GELU", "GLU", "GRU", "LSTM", "RNN", "SELU", "AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "BatchNorm", "Buffer", "Conv1d", "Conv2d",
    "ConvTranspose2d", "Deconv2d", "Dropout", "EmbedID", "Embedding", "Flatten", "GlobalAvgPool2d", "GroupNorm", "HardTanh", "Hook", "Identity",
    "InstanceNorm", "Layer", "LayerNorm", "LeakyReLU", "Linear", "LogSoftmax", "MaxPool1d", "MaxPool2d", "Mish", "MultiHeadAttention", "PReLU",
    "PositionalEmbedding", "PositionalEncoding", "RMSNorm", "ReLU", "Reshape", "Residual", "Sequential", "SiLU", "Sigmoid", "Softmax", "Softplus",
    "Tanh", "TransformerEncoderLayer", "Upsample",
]
