"""What the values of images mean: converted where there is no doubt, refused in one sentence elsewhere."""

import numpy as np
import pytest
import torch
from torchvision.transforms.functional import normalize

from tp_utils import data, nets, show

BYTES = torch.randint(256, (4, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
BYTES[:, :, 0, 0], BYTES[:, :, 0, 1] = 0, 255
UNIT = BYTES / 255

MEANT = {  # the same images, written in other ways
    "uint8": BYTES, "int64": BYTES.long(), "int32": BYTES.int(), "floats to 255": BYTES.float(),
    "floats between": BYTES.double().clamp(0.3, 254.7), "tanh": UNIT * 2 - 1, "float64": UNIT.double(),
    "float16": UNIT.half(), "a little outside": UNIT * 1.02 - 0.01,
}
DOUBTFUL = {
    "normalised": nets.to_input(BYTES), "too far below": UNIT - 0.3, "too far above": UNIT * 1.5,
    "above 255": BYTES.long() + 1, "negative": BYTES.long() - 128, "no numbers": UNIT / 0,
    "of 16 bits": BYTES.float() * 257,
}


def refused(call):
    with pytest.raises(ValueError, match="images") as error:
        call()
    assert "\n" not in str(error.value)
    return str(error.value)


def drawn(fig):
    return [np.asarray(axis.images[0].get_array()) for axis in fig.axes if axis.images]


# ---- to the networks


@pytest.mark.parametrize("images", MEANT.values(), ids=MEANT)
def test_to_input_takes_what_is_meant(images):
    expected = normalize(UNIT, list(nets.MEAN), list(nets.STD))
    assert (nets.to_input(images).cpu().float() - expected).abs().max() < 0.06


def test_to_input_of_whole_numbers_is_that_of_bytes():
    for images in (BYTES.long(), BYTES.numpy(), BYTES.float()):
        assert torch.equal(nets.to_input(images), nets.to_input(BYTES))


@pytest.mark.parametrize("images", DOUBTFUL.values(), ids=DOUBTFUL)
def test_to_input_refuses_what_may_mean_anything(images):
    assert "0 to 255" in refused(lambda: nets.to_input(images))


@pytest.mark.parametrize("images", [BYTES[0], BYTES.permute(0, 2, 3, 1), None, "a.jpg", BYTES[0, 0]])
def test_to_input_refuses_other_shapes(images):
    assert "[N, C, H, W]" in refused(lambda: nets.to_input(images))


def test_a_gradient_goes_through_to_input():
    pixels = UNIT.clone().requires_grad_()
    nets.to_input(pixels).sum().backward()
    assert torch.allclose(pixels.grad, (1 / torch.tensor(nets.STD))[:, None, None].expand_as(UNIT))


# ---- other sizes


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (255, 0), (2, -1)])
def test_floats_keep_their_range_and_their_kind(dtype, scale, shift):
    images = (UNIT * scale + shift).to(dtype)
    found = data.resized(images, 4)
    assert found.dtype == dtype and found.shape == (4, 3, 4, 4)
    expected = data.resized(BYTES, 4) / 255 * scale + shift
    assert (found.float() - expected).abs().max() < 0.005 * scale
    assert data.resized(images, 8) is images


def test_resized_whole_numbers_become_bytes():
    assert torch.equal(data.resized(BYTES.long(), 5), data.resized(BYTES, 5))
    assert torch.equal(data.resized(BYTES.numpy(), 5), data.resized(BYTES, 5))
    assert torch.equal(data.resized(BYTES.int(), 8), BYTES)


def test_no_images_have_another_size_too():
    assert data.resized(BYTES[:0], 4).shape == (0, 3, 4, 4)


@pytest.mark.parametrize("images", [BYTES.long() + 1, BYTES > 99, BYTES[0], BYTES.permute(0, 2, 3, 1), [1, 2]])
def test_resized_refuses_what_are_no_images(images):
    refused(lambda: data.resized(images, 4))


@pytest.mark.parametrize("size", [0, -3, 2.5, "64", (8, 8)])
def test_a_size_is_a_whole_number(size):
    with pytest.raises(ValueError, match="size must be a whole number"):
        data.resized(BYTES, size)


# ---- figures


@pytest.mark.parametrize("images", MEANT.values(), ids=MEANT)
def test_a_grid_draws_what_is_meant(images):
    for array, image in zip(drawn(show.grid(images)), UNIT, strict=True):
        brought = array / 255 if array.dtype == np.uint8 else array
        assert abs(brought - image.permute(1, 2, 0).numpy()).max() < 0.02


@pytest.mark.parametrize("images", DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_grid_refuses_what_may_mean_anything(images):
    assert "0 to 255" in refused(lambda: show.grid(images))
    refused(lambda: show.Film(images).pictures())


def test_images_of_one_grid_are_judged_together():
    dark = torch.full((1, 4, 4), -0.2)  # by itself it would be in doubt
    bright = torch.tensor([[-1.0, 1.0]]).expand(4, 2).reshape(1, 4, 2)
    first, second = drawn(show.grid([dark, bright]))
    assert first.max() == pytest.approx(0.4) and (second.min(), second.max()) == (0, 1)
    with pytest.raises(ValueError, match=r"images are float32 from -0\.2"):
        show.grid([dark])


def test_masks_are_black_and_white_and_maps_stay_as_they_are():
    mask = torch.eye(4)[None]
    for image in (mask, mask.bool(), mask.long()):
        (array,) = drawn(show.grid([image]))
        assert array.tolist() == torch.eye(4).tolist()
    heat = torch.linspace(-7, 900, 16).view(4, 4)
    assert drawn(show.grid([heat, BYTES[0]]))[0].max() == 900
    assert drawn(show.grid(torch.randn(1, 1, 4, 4), limits=(-3, 3)))[0].min() < 0


@pytest.mark.parametrize("images", [torch.rand(3, 2, 4, 4), torch.rand(2, 4), [None], [np.zeros((4, 4))]])
def test_a_grid_refuses_what_are_neither_images_nor_maps(images):
    with pytest.raises(ValueError, match="an image is"):
        show.grid(images)


def test_each_image_of_a_grid_has_its_title_or_none_has():
    with pytest.raises(ValueError, match="2 titles for 4 images"):
        show.grid(BYTES, ["a", "b"])


def test_a_table_of_images_draws_what_is_meant():
    fig = show.table_of_images(["r"], ["a", "b"], lambda i, j: [BYTES.float()[0], UNIT[0] * 2 - 1][j])
    for array in drawn(fig):
        assert abs(array - UNIT[0].permute(1, 2, 0).numpy()).max() < 1e-6


@pytest.mark.parametrize("kind", ["uint8", "int64", "floats to 255", "tanh"])
def test_a_film_shows_what_is_meant(kind):
    expected = [np.asarray(picture) for picture in show.Film(UNIT).pictures()]
    for found, frame in zip(show.Film(MEANT[kind]).pictures(), expected, strict=True):
        assert abs(np.asarray(found).astype(int) - frame).max() <= 1


def test_a_confusion_figure_wants_a_name_for_each_class():
    draw = show.confusion_figure
    with pytest.raises(ValueError, match=r"the matrix is \[3, 3\], for 2 classes"):
        draw(torch.zeros(3, 3), ["cat", "dog"])
