"""The solutions of TP 8 against captum and torchattacks, on the embedded SqueezeNet and photographs."""

from copy import deepcopy

import pytest
import torch
from captum.attr import IntegratedGradients, LayerGradCam, NoiseTunnel, Saliency
from torch.nn import functional as F
from torchattacks import FGSM, PGD

from tp_utils import nets
from tp_utils.checks import reference
from tp_utils.data import samples


class OnPixels(torch.nn.Module):
    """A network of images in [0, 1]: it normalises inside."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(nets.to_input(images))


@pytest.fixture(scope="module", autouse=True)
def on_the_cpu():
    """captum draws its noise on the device, and a GPU rounds otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TP_DEVICE", "cpu")
        yield


@pytest.fixture(scope="module")
def network():
    return nets.pretrained("squeezenet1_1")


@pytest.fixture(scope="module")
def on_pixels(network):
    return OnPixels(network).eval()


@pytest.fixture(scope="module")
def photos():
    """(pixels float32 [3, 3, 224, 224] in [0, 1], their classes): a cat, a cup of coffee, a temple."""
    found = samples.make_photos()
    pixels = torch.tensor(found["test_images"][:3]).permute(0, 3, 1, 2).float() / 255
    return pixels, torch.tensor(found["test_labels"][:3])


@pytest.fixture(scope="module")
def inputs(photos):
    return nets.to_input(photos[0])


def assert_same(found, expected, tolerance=1e-5):
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * expected.abs().max().item())


def test_saliency(network, inputs, photos):
    expected = Saliency(network).attribute(inputs.clone().requires_grad_(), target=photos[1])
    assert_same(reference("8.1")(inputs, photos[1], network), expected.amax(1))


def test_fooling_image(network, inputs):
    target = 113  # a snail
    image, steps = reference("8.2")(inputs[:1], target, network)
    assert network(image).argmax() == target
    assert 0 < steps < 100
    assert (image - inputs[:1]).norm() <= steps * 1.001
    before, fewer = reference("8.2")(inputs[:1], target, network, max_steps=steps - 1)
    assert network(before).argmax() != target and fewer == steps - 1
    assert reference("8.2")(image, target, network)[1] == 0


def test_class_visualisation_step(network, inputs, photos):
    """SGD with weight decay on minus the score makes the same step."""
    target, (rate, l2) = photos[1][0].item(), (0.5, 1e-3)
    image = inputs[:1].clone().requires_grad_()
    (-network(image)[0, target]).backward()
    torch.optim.SGD([image], lr=rate, weight_decay=2 * l2).step()
    assert_same(reference("8.3")(inputs[:1], target, network, rate, l2), image.detach())


def test_smooth_grad(network, inputs, photos):
    """With the very noise of captum's NoiseTunnel, which draws it from the global generator."""
    images, labels, noise, count = inputs[:1].contiguous(), photos[1][:1], 0.2, 8
    torch.manual_seed(3)
    expected = NoiseTunnel(Saliency(network)).attribute(
        images, nt_type="smoothgrad", nt_samples=count, stdevs=noise, target=labels, abs=False)
    torch.manual_seed(3)
    found = reference("8.4")(images, labels, network, noise, count, None)
    assert_same(found, expected.abs().amax(1).detach(), 1e-4)


def test_integrated_gradients(network, inputs, photos):
    """In double precision: elsewhere rounding decides on which side of a ReLU's kink a point lies."""
    network, images, labels, steps = deepcopy(network).double(), inputs[:1].double(), photos[1][:1], 25
    found = reference("8.5")(images, labels, network, steps)
    expected = IntegratedGradients(network).attribute(
        images, target=labels, n_steps=steps, method="riemann_middle", internal_batch_size=10)
    assert_same(found, expected)
    rise = (network(images) - network(torch.zeros_like(images))).gather(1, labels[:, None])[:, 0]
    torch.testing.assert_close(found.sum((1, 2, 3)), rise, rtol=0.1, atol=0)


def test_grad_cam(network, inputs, photos):
    layer, labels = network.features[-1], photos[1]
    images = inputs.clone().requires_grad_()
    maps = LayerGradCam(network, layer).attribute(images, labels, relu_attributions=True).detach()
    maps = F.interpolate(maps, inputs.shape[2:], mode="bilinear")[:, 0]
    assert_same(reference("8.6")(inputs, labels, network, layer), maps / maps.amax((1, 2), keepdim=True))
    assert not layer._forward_hooks


def test_fgsm(on_pixels, photos):
    images, labels = photos
    found = reference("8.7")(images, labels, on_pixels, 4 / 255)
    assert_same(found, FGSM(on_pixels, eps=4 / 255)(images, labels))
    assert F.cross_entropy(on_pixels(found), labels) > F.cross_entropy(on_pixels(images), labels)


def test_pgd(on_pixels, photos):
    images, labels = photos
    found = reference("8.8")(images, labels, on_pixels, 4 / 255, 1 / 255, 6)
    expected = PGD(on_pixels, eps=4 / 255, alpha=1 / 255, steps=6, random_start=False)(images, labels)
    assert_same(found, expected)
    assert (on_pixels(found).argmax(1) != labels).all()
    assert (found - images).abs().max() <= 4 / 255 + 1e-6
