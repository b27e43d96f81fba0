"""The helpers of TP 9 and TP 10: the game in one dimension, walks, neighbours, directions, tables, the explorer."""

import math

import pytest
import torch
from torch import nn

from tp_utils import tp09, tp10


class Stripes(nn.Module):
    """A conditional G whose images depend on z along one direction only: brightness of row y by z · direction."""

    def __init__(self, direction):
        super().__init__()
        self.direction = nn.Parameter(direction / direction.norm())

    def forward(self, z, y):
        strength = (z.flatten(1) @ self.direction)[:, None, None, None] / 10
        rows = torch.nn.functional.one_hot(y, 10).float()[:, None, :, None].expand(-1, 1, 10, 10)
        return (rows * strength).clamp(-1, 1)


# ---- TP 9, Part 0


def test_the_game_in_one_dimension_is_the_same_each_time_and_leaves_the_global_seed_alone():
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, second = (tp09.play(6, nb_update_D=2, look_every=3, seed=1) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert [(m.step, m.turn) for m in first] == [(0, "start"), (3, "D"), (3, "G"), (6, "D"), (6, "G")]
    assert all(torch.equal(a.fake, b.fake) and a.loss_D == b.loss_D for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[-1].fake, tp09.play(6, nb_update_D=2, look_every=3, seed=2)[-1].fake)


def test_g_starts_as_the_identity_and_stays_so_without_updates():
    film = tp09.play(5, nb_update_G=0)
    assert all(torch.equal(moment.fake, tp09.FIXED_Z[:, 0]) for moment in film)


def test_the_discriminator_comes_close_to_the_best_answer():
    last = tp09.play(600, nb_update_G=0, look_every=600)[-1]
    best = tp09.best_answer(tp09.gaussian_density(tp09.GRID, 0, 1))
    seen = ~best.isnan() & (tp09.GRID.abs() < 3)
    assert (last.D - best)[seen].abs().mean() < 0.1


def test_densities_integrate_to_one():
    width = tp09.GRID[1] - tp09.GRID[0]
    assert (tp09.p_data(tp09.GRID).sum() * width).item() == pytest.approx(1, abs=1e-3)
    assert (tp09.p_G(torch.randn(500)).sum() * width).item() == pytest.approx(1, abs=1e-3)


def test_shares_count_what_is_near_each_gaussian():
    fake = torch.tensor([-2.0, -2.1, 2.0, 9.0])
    assert tp09.shares(fake).tolist() == [0.5, 0.25]


# ---- TP 9, Part 1


def test_an_arc_has_its_ends_equal_angles_and_norms_that_go_over_linearly():
    z0, z1 = torch.tensor([3.0, 0.0]).view(2, 1, 1), torch.tensor([0.0, 5.0]).view(2, 1, 1)
    arc = tp09.spherical(z0, z1, 5).flatten(1)
    torch.testing.assert_close(arc[[0, -1]], torch.tensor([[3.0, 0.0], [0.0, 5.0]]))
    torch.testing.assert_close(torch.atan2(arc[:, 1], arc[:, 0]), torch.linspace(0, math.pi / 2, 5))
    torch.testing.assert_close(arc.norm(dim=1), torch.linspace(3, 5, 5))


def test_the_nearest_image_is_found_by_the_distance_of_pixels():
    among = torch.randint(0, 256, (30, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = among[[7, 21]].clone()
    images[1, 0, 0, 0] = 255 - among[21, 0, 0, 0]
    distances, indices = tp09.nearest(images, among)
    assert indices.tolist() == [7, 21] and distances[0] == pytest.approx(0, abs=1e-3)
    assert distances[1].item() == pytest.approx(abs(255 - 2 * int(among[21, 0, 0, 0])) / 255, abs=1e-3)


def test_the_description_counts_weights_and_shows_shapes():
    G = nn.Sequential(nn.ConvTranspose2d(3, 2, 4, bias=False), nn.BatchNorm2d(2), nn.ReLU())
    D = nn.Sequential(nn.Conv2d(2, 5, 4), nn.Flatten())
    table = tp09.layers_table(G, torch.zeros(2, 3, 1, 1), D, torch.zeros(2, 2, 4, 4))
    assert table.rows == [["G", "ConvTranspose2d", "[N, 2, 4, 4]", "96"], ["G", "BatchNorm2d", "[N, 2, 4, 4]", "4"],
                          ["D", "Conv2d", "[N, 5, 1, 1]", "165"]]


def run(frechet, covered=10):
    return {"frechet": frechet, "coverage": 0.5, "diversity": 1.0, "covered": list(range(covered)), "floor": 0.4,
            "real": {"coverage": 0.9}, "read_as_asked": 0.5}


def test_the_table_of_experiments_has_means_deviations_and_the_worst_seed():
    table = tp09.experiments_table({"default": [run(3.0), run(5.0, 8)], "other": [run(2.0)]}, {"other": "bad"})
    assert [row[1:3] for row in table.rows] == [["2", "4.0 ± 1.4"], ["1", "2.0"], ["", "0.40"]]
    assert [row[5:] for row in table.rows] == [["8", "—"], ["10", "bad"], ["10", ""]]


# ---- TP 10


def test_a_row_of_the_grid_shares_its_label_and_a_column_its_latent():
    seen = []

    class Spy(Stripes):
        def forward(self, z, y):
            seen.append((z.flatten(1), y))
            return super().forward(z, y)

    figure = tp10.samples_figure(Spy(torch.ones(6)), nz=6, columns=3)
    z, y = seen[0]
    assert y.tolist() == [label for label in range(10) for _ in range(3)]
    assert all(torch.equal(z[:3], z[3 * k:3 * k + 3]) for k in range(10))
    axis = figure.axes[0]
    assert axis.get_xlabel() and axis.get_ylabel() and axis.get_title()


def test_the_first_direction_is_the_one_along_which_images_change():
    direction = torch.tensor([1.0, -2.0, 0.5, 3.0])
    found = tp10.directions(Stripes(direction), nz=4, label=6)
    torch.testing.assert_close(found @ found.T, torch.eye(2), atol=1e-4, rtol=0)
    assert abs(found[0] @ (direction / direction.norm())) > 0.99


def test_the_explorer_draws_anew_for_each_control():
    explorer = tp10.explorer(Stripes(torch.ones(5)), nz=5)
    controls, picture, problem = explorer.widget.children
    digit, first, *_, seed = controls.children
    shown = [bytes(picture.value)]
    for control, value in ((digit, 7), (first, 30), (seed, 4)):
        control.value = value
        shown.append(bytes(picture.value))
    assert problem.value == "" and len(set(shown)) == 4 and all(png.startswith(b"\x89PNG") for png in shown)


def test_the_table_of_games_reads_as_in_the_result_file():
    runs = [run(3.0) | {"read_as_asked": 0.9}, run(4.0) | {"read_as_asked": 1.0}]
    game = {"steps": 10, "batch_size": 4, "runs": runs}
    assert tp10.games_table({"cGAN": game}).rows == [["cGAN", "10 of 4", "95.0 ± 7.1 %", "3.5 ± 0.7", "1.00"],
                                               ["real images", "", "", "0.40", "1"]]
