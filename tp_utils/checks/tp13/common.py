"""What the checks of TP 13 share."""

from ..kit.compare import Wrong

# What is said to the reader. First what the exercises ask for: the last hint of every mistake.
RECIPE = {
    "13.1": "f = Conv2d(inputs, outputs, 3, stride, 1, bias=False), BatchNorm2d, ReLU, Conv2d(outputs, outputs, 3, 1, "
            "1, bias=False), BatchNorm2d; return F.relu(f(x) + tp13.shortcut(x, outputs, stride))",
    "13.2": "Conv2d(inputs, outputs, 3, stride, 1, bias=False), BatchNorm2d, ReLU, Conv2d(outputs, outputs, 3, 1, 1, "
            "bias=False), BatchNorm2d, ReLU",
    "13.3": "Conv2d(3, w, 3, 1, 1, bias=False), BatchNorm2d, ReLU; for group 0, 1, 2 and k = 0 … n − 1 a block(inputs, "
            "w · 2^group, 2 if group > 0 and k == 0 else 1); .mean((2, 3)); Linear(4w, classes)",
    "13.4": "F.pad(images, [padding] * 4); top and left: torch.randint(0, 2 * padding + 1, (N, 1), "
            "generator=generator); rows = top + torch.arange(H), columns = left + torch.arange(W), flipped for half "
            "of the images; index with [N, 1, 1], [N, H, 1], [N, 1, W]",
    "13.5": "[1 - l / L * (1 - last) for l in range(1, L + 1)]",
    "13.6": "in eval mode F.relu(survival * f(x) + shortcut); in train mode F.relu(f(x) + shortcut) if "
            "torch.rand(1).item() < survival, otherwise F.relu(shortcut)",
    "13.7": "in each block total = branch(x) + shortcut(x, …); in the last one of a group total + shortcut(group's "
            "input, channels, the group's stride); in the very last one also + shortcut(what the first layers gave, "
            "4w, 4); x = F.relu(total)",
    "13.8": "right = confusion.diag().double(); precision = right / confusion.sum(0).clamp_min(1), recall = right / "
            "confusion.sum(1).clamp_min(1)",
    "13.9": "regions = positions.unique(); count = round(share * len(regions)), at least 1 and at most len − 1; held = "
            "torch.isin(positions, regions[-count:]); (~held).nonzero().flatten(), held.nonzero().flatten()",
}

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


def expect_convolution(layer, right, recipe):
    """Raise Wrong unless a layer has these (inputs, outputs, stride), 3 × 3, padded with zeros, without bias."""
    found = (layer.in_channels, layer.out_channels, layer.stride[0])
    if (found != right or layer.kernel_size != (3, 3) or layer.padding not in ((1, 1), "same")
            or layer.padding_mode != "zeros" or layer.groups != 1):
        raise Wrong("{} → {} channels, stride {}, 3 × 3, padding 1".format(*right), f"{layer}", GEOMETRY, recipe)
    if layer.bias is not None:
        raise Wrong("convolutions without bias", "a bias", BIAS, recipe)
