"""The book's ``dezero.functions_conv``: convolution and pooling by the names of its classes and functions."""

from dezero.backend.im2col import col2im_array, get_conv_outsize, get_deconv_outsize, im2col_array, pair
from dezero.functions.columns import Col2im, Im2col, col2im, im2col
from dezero.functions.conv import Conv2d, Conv2DGradW, Deconv2d, conv2d, conv2d_simple, deconv2d
from dezero.functions.pool import AveragePooling, Pooling, average_pooling, pooling, pooling_simple

__all__ = ["AveragePooling", "Col2im", "Conv2DGradW", "Conv2d", "Deconv2d", "Im2col", "Pooling", "average_pooling", "col2im", "col2im_array",
           "conv2d", "conv2d_simple", "deconv2d", "get_conv_outsize", "get_deconv_outsize", "im2col", "im2col_array", "pair", "pooling",
           "pooling_simple"]
