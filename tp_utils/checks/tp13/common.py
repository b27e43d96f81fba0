"""What the checks of TP 13 share."""

from ..kit.layers import expect_layers, facts

# What is said to the reader.

OF_LIST = "layers in a plain Python list are not part of the network: nn.Sequential or nn.ModuleList"
INPUT = "the first convolution is given something else than x"
GEOMETRY = "3 × 3 with padding 1; the first convolution has the stride and changes the channels"
BIAS = "bias=False: batch norm follows, which takes a bias away again"
TRAIN_MODE = "right in eval mode, not in train mode: the same happens in both, and there is no dropout"


def short(x, channels, stride, front=None):
    """Every stride-th pixel, in the middle of zeros: [N, channels, …]."""
    kept = x[:, :, ::stride, ::stride]
    front = (channels - x.shape[1]) // 2 if front is None else front
    out = x.new_zeros(len(x), channels, *kept.shape[2:])
    out[:, front:front + x.shape[1]] = kept
    return out


def expect_convolution(layer, right):
    """Raise Wrong unless a layer has these (inputs, outputs, stride), 3 × 3, padded with zeros, without bias."""
    inputs, outputs, stride = right
    expected = facts("convolution", inputs, outputs, kernel=3, stride=stride, padding=1, more="", bias=False)
    expect_layers([layer], [expected], dict.fromkeys(expected, GEOMETRY) | {"bias": BIAS})
