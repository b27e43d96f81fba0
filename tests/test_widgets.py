"""The interactive figures, driven from Python as the browser would drive them."""

import io

import pytest
import torch
from PIL import Image

from tp_utils import show, widgets


def picture(png):
    return Image.open(io.BytesIO(png))


def controls(interactive):
    """{description: widget} of the menu or the play bar."""
    return {widget.description: widget for widget in interactive.widget.children[0].children}


def draw(colour, size):
    return show.grid(torch.full((1, 3, 4, 4), float(colour)), size=size)


def test_a_changed_control_draws_the_figure_anew():
    explorer = widgets.explore(draw, colour=[("black", 0), ("white", 1)], size=(1, 3, 1, 1))
    shown = explorer.widget.children[1]
    before = shown.value
    assert before == explorer.png
    controls(explorer)["colour"].value = 1
    assert shown.value != before
    small = picture(shown.value).size
    controls(explorer)["size"].value = 3
    assert picture(shown.value).size > small


def test_an_error_while_drawing_is_shown_and_goes_away_with_the_next_good_drawing():
    def fragile(n):
        if n == 2:
            raise ValueError("two is too much")
        return draw(0, 1)

    explorer = widgets.explore(fragile, n=[1, 2])
    problem = explorer.widget.children[2]
    controls(explorer)["n"].value = 2
    assert "two is too much" in problem.value
    controls(explorer)["n"].value = 1
    assert problem.value == ""


def test_an_error_in_the_first_drawing_belongs_in_the_cell():
    with pytest.raises(ZeroDivisionError):
        widgets.explore(lambda n: 1 / n, n=[0])


def test_both_carry_a_static_picture_beside_the_widget():
    frames = torch.rand(3, 3, 8, 8)
    for interactive in (widgets.explore(draw, colour=[0], size=[1]), widgets.player(frames)):
        bundle = interactive._repr_mimebundle_()
        assert {"image/png", "application/vnd.jupyter.widget-view+json"} <= set(bundle)
        assert picture(interactive.png).format == "PNG"


def test_the_player_scrubs_through_its_frames():
    frames = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    player = widgets.player(frames, label="step", scale=1)
    shown = player.widget.children[1]
    controls(player)["step"].value = 0
    assert picture(shown.value).getpixel((0, 0)) == (0, 0, 0)
    controls(player)["step"].value = 1
    assert picture(shown.value).getpixel((0, 0)) == (255, 255, 255)
