"""Figures that open, tables that escape, numbers that agree with NumPy and scikit-learn."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import sklearn.metrics
import torch
from matplotlib.figure import Figure
from PIL import Image

from tp_utils import measure, show

NASTY = "a|b <i>&\nc"


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    assert plt.get_fignums() == []


def opened(fig):
    """The PNG of a figure, as an image; closed figures can still be drawn."""
    assert isinstance(fig, Figure)
    return Image.open(io.BytesIO(show.png(fig)))


def panels(fig):
    """The arrays that imshow drew, with their limits."""
    return [(np.asarray(axis.images[0].get_array()), axis.images[0].get_clim()) for axis in fig.axes if axis.images]


# ---- tables


def test_a_table_as_text_is_aligned():
    table = show.Table(["set", "n"], [["scenes", 15], ["x", 1.5]], caption="Sets")
    assert str(table).splitlines() == ["Sets", "set     n", "scenes  15", "x       1.5"]


def test_a_table_as_html_escapes_what_it_holds():
    page = show.Table([NASTY], [[NASTY]], caption="<b>")._repr_html_()
    assert page.count("a|b &lt;i&gt;&amp;\nc") == 2
    assert "&lt;b&gt;" in page
    assert not re.search("<[ib]>", page)


def test_a_table_as_markdown_keeps_its_cells_apart():
    lines = show.Table([NASTY, "n"], [["x", 1], [NASTY, 2]])._repr_markdown_().splitlines()
    assert lines == [r"| a\|b &lt;i&gt;&amp;<br>c | n |", "| --- | --- |", "| x | 1 |",
                     r"| a\|b &lt;i&gt;&amp;<br>c | 2 |"]


# ---- figures


@pytest.mark.parametrize("images", [
    torch.zeros(5, 3, 6, 7, dtype=torch.uint8), torch.rand(5, 1, 6, 7), torch.rand(5, 6, 7),
    [torch.rand(3, 6, 7, requires_grad=True), torch.zeros(6, 7)]])
def test_a_grid_draws_every_image(images):
    fig = show.grid(images, [f"{i}\nline" for i in range(len(images))], columns=2, title="Title")
    assert len(panels(fig)) == len(images)
    assert opened(fig).width > 100


def test_grey_images_keep_their_brightness_and_maps_fill_the_scale():
    dark = torch.full((1, 4, 4), 10, dtype=torch.uint8)
    fig = show.grid([dark, dark / 255, torch.arange(4.0).view(2, 2)])
    assert [limits for _, limits in panels(fig)] == [(0, 255), (0, 1), (0, 3)]
    assert panels(show.grid(torch.rand(1, 2, 2), limits=(-1, 2)))[0][1] == (-1, 2)


def test_a_table_of_images_has_a_panel_for_each_row_and_column():
    fig = show.table_of_images(["r1", "r2"], ["a", "b", "c"], lambda i, j: (torch.full((2, 2), i * 3.0 + j), f"{i}{j}"),
                               title="Title")
    assert [array[0, 0] for array, _ in panels(fig)] == [0, 1, 2, 3, 4, 5]
    assert [axis.get_xlabel() for axis in fig.axes] == ["00", "01", "02", "10", "11", "12"]
    opened(fig)


def test_a_confusion_figure_says_its_counts_and_is_labelled():
    fig = show.confusion_figure(torch.tensor([[3, 1], [0, 0]]), ["cat", "dog"], "Cats and dogs")
    (axis,) = fig.axes
    assert [text.get_text() for text in axis.texts] == ["3", "1"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted class", "true class")
    assert axis.get_title() == "Cats and dogs"
    assert not np.isnan(panels(fig)[0][0]).any()  # a class without images
    opened(fig)


def test_curves_are_labelled_and_have_a_legend_and_a_band_where_needed():
    fig = show.curves([1, 10], {"a": [1, 2], "b": ([1, 2], [0.1, 0.2])}, "x", "y", "Title", log=True)
    (axis,) = fig.axes
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_title()) == ("x", "y", "Title")
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b"]
    assert len(axis.collections) == 1
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "10"]
    opened(fig)
    assert show.curves([1], {"a": [1]}, "x", "y", "Title").axes[0].get_legend() is None


@pytest.mark.parametrize("count", [1, 10, 49, 50, 1000])
def test_smoothed_curves_show_every_step_and_their_moving_average(count):
    values = {"a": np.random.default_rng(0).normal(size=count).tolist(), "b": [2.0] * count}
    fig, axis = show.figure()
    show.smoothed(axis, values)
    window = max(1, count // 25)
    for number, (label, series) in enumerate(values.items()):
        pale, average = axis.lines[2 * number:2 * number + 2]
        assert pale.get_xdata().tolist() == list(range(1, count + 1)) and pale.get_ydata().tolist() == series
        assert average.get_label() == label and pale.get_label() not in values
        assert average.get_color() == pale.get_color() and pale.get_alpha() < 1
        assert average.get_xdata().tolist() == list(range(window, count + 1))
        expected = [np.mean(series[end - window:end]) for end in range(window, count + 1)]
        np.testing.assert_allclose(average.get_ydata(), expected)
    assert axis.lines[0].get_color() != axis.lines[2].get_color()
    opened(fig)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("count", "columns", "rows", "across"),
                         [(6, 3, 2, 3), (7, 3, 3, 3), (2, 8, 1, 2), (8, 8, 1, 8)])
def test_a_mosaic_has_every_image_in_its_place(count, columns, rows, across, channels):
    images = torch.randint(1, 256, (count, channels, 4, 5), dtype=torch.uint8)
    image = show.mosaic(images, columns)
    assert image.dtype == torch.uint8 and image.shape == (channels, rows * 5 + 1, across * 6 + 1)
    for number in range(count):
        top, left = 5 * (number // columns) + 1, 6 * (number % columns) + 1
        assert torch.equal(image[:, top:top + 4, left:left + 5], images[number])
    assert not image[:, 0].any() and not image[:, :, 0].any()  # gaps
    assert int((image > 0).all(0).sum()) <= count * 20


def test_a_mosaic_of_one_image_and_with_another_gap():
    image = torch.rand(1, 1, 4, 5)
    assert torch.equal(show.mosaic(image), image[0])
    assert show.mosaic(torch.rand(4, 1, 4, 5), 2, gap=3).shape == (1, 2 * 7 + 3, 2 * 8 + 3)


def test_curves_on_a_given_axis_return_no_figure():
    _, axis = show.figure()
    assert show.curves([1], {"a": [1]}, "x", "y", "Title", axis=axis) is None
    assert len(axis.lines) == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_a_film_is_an_animation_that_opens(channels):
    frames = torch.stack([torch.full((channels, 4, 5), value) for value in (-0.05, 0.5, 1.05)]).requires_grad_()
    film = show.Film(frames, milliseconds=50, scale=2)
    image = Image.open(io.BytesIO(film.webp()))
    assert (image.n_frames, image.size) == (3, (10, 8))
    data = re.search('base64,([^"]+)"', film._repr_html_())[1]
    assert base64.b64decode(data) == film.webp()
    assert [picture.getpixel((0, 0))[0] for picture in film.pictures()] == [0, 128, 255]
    assert str(film) == f"film of 3 frames, {channels} × 4 × 5"


def test_stretched_maps_run_from_0_to_1_whatever_their_outliers():
    maps = torch.rand(2, 20, 20)
    maps[0, 0, 0] = 1000
    maps = torch.cat([maps, torch.full((1, 20, 20), 5.0)])
    result = show.stretched(maps)
    assert result.shape == maps.shape
    assert (result.amin((1, 2)) == 0).all()
    assert result.amax((1, 2)).tolist() == [1, 1, 0]
    assert 0.4 < result[0].median() < 0.6
    low, high = maps[1].min().item(), np.quantile(maps[1].numpy(), 0.99)
    assert torch.allclose(result[1], ((maps[1] - low) / (high - low)).clamp(max=1), atol=1e-5)


# ---- numbers


@pytest.fixture
def predictions():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(4, (200,), generator=generator), torch.randint(4, (200,), generator=generator)


def test_accuracy_is_scikit_learns(predictions):
    predicted, labels = predictions
    assert measure.accuracy(predicted, labels) == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted))
    assert measure.accuracy(predicted.numpy(), labels) == measure.accuracy(predicted, labels)


def test_the_confusion_matrix_is_scikit_learns_also_with_a_class_that_never_occurs(predictions):
    predicted, labels = predictions
    expected = sklearn.metrics.confusion_matrix(labels, predicted, labels=range(5))
    assert measure.confusion(predicted, labels, 5).tolist() == expected.tolist()


def test_the_most_confused_classes_come_first_and_right_answers_never():
    matrix = torch.tensor([[9, 1, 0], [4, 9, 0], [0, 2, 9]])
    assert measure.most_confused(matrix, 2) == [(1, 0, 4), (2, 1, 2)]
    assert measure.most_confused(matrix, 100) == [(1, 0, 4), (2, 1, 2), (0, 1, 1)]
    assert matrix[0, 0] == 9  # untouched


def test_mean_and_deviation_are_numpys():
    values = [0.1, 0.4, 0.35]
    assert measure.mean_sd(values) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert measure.mean_sd([0.5]) == (0.5, 0.0)


@pytest.mark.parametrize(("values", "text"), [
    ([0.87, 0.88], "87.5 ± 0.7 %"), ([0.875], "87.5 %"), (0.875, "87.5 %"), (1.0, "100.0 %")])
def test_percent(values, text):
    assert measure.percent(values) == text


def test_duplicates_are_groups_of_identical_images():
    images = torch.randint(256, (6, 3, 4, 4), dtype=torch.uint8)
    images[3] = images[5] = images[0]
    images[4] = images[1]
    assert measure.duplicates(images) == [[0, 3, 5], [1, 4]]
    assert measure.duplicates(images.permute(0, 1, 3, 2)) == [[0, 3, 5], [1, 4]]
    assert measure.duplicates(images[:3]) == []
