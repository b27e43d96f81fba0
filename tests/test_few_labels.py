"""TP 11's rows: what each may see of the labels, that each learns, and the study that measures them."""

import json
import os
import signal
import time
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from tp_utils import __main__ as cli
from tp_utils import runtime
from tp_utils.authoring import study
from tp_utils.data.embedded import read_mnist
from tp_utils.measure import accuracy
from tp_utils.practicals import tp11 as few_labels
from tp_utils.practicals.tp11 import (
    DRAWS,
    EXERCISES,
    ROWS,
    Case,
    Discriminator,
    Generator,
    Signed,
    distortion,
    protocol,
)
from tp_utils.practicals.tp11 import figures as tp11
from tp_utils.runtime import append_cell, cells

TOOLS = study.reference_tools()


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """An empty cache, the smoke profile, on the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.setenv("TP_PROFILE", "smoke")


@pytest.fixture
def few_digits(monkeypatch):
    """600 training and 300 test digits in place of MNIST, for what needs no more."""
    digits = read_mnist()
    some = SimpleNamespace(train_images=digits.train_images[:600], train_labels=digits.train_labels[:600],
                           test_images=digits.test_images[:300], test_labels=digits.test_labels[:300])
    monkeypatch.setattr(protocol, "mnist", lambda: some)
    protocol.pool.cache_clear()
    yield some
    protocol.pool.cache_clear()


def case(draw="random", seed=0, augmented=False, tools=TOOLS):
    return Case(few_labels.draw(draw, seed, tools), draw, seed, augmented, tools)


# ---- the rows


def test_the_tools_are_the_exercises_of_the_notebook():
    assert sorted(vars(TOOLS)) == sorted(EXERCISES)
    assert list(EXERCISES.values()) == [f"11.{k}" for k in range(1, len(EXERCISES) + 1)]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_trained_and_measured(row, few_digits):
    found = few_labels.measure(row, "balanced", 0, TOOLS)
    assert (found["row"], found["draw"], found["seed"]) == (row, "balanced", 0)
    assert 0 <= found["test_accuracy"] <= found["best_on_test"] <= 1
    matrix = torch.tensor(found["confusion"])
    count = protocol.budget()["test images"]
    assert matrix.sum() == count and matrix.diag().sum() / count == pytest.approx(found["test_accuracy"])
    assert len(found["most_wrong"]) == min(40, round(count * (1 - found["test_accuracy"])))
    for i, predicted, sure in found["most_wrong"]:
        assert predicted != few_digits.test_labels[i] and 0 < sure <= 1
    assert found["curve"] == sorted(found["curve"]) and json.dumps(found)


def test_the_same_cell_again_gives_the_same_numbers(few_digits, monkeypatch, tmp_path):
    first = few_labels.measure("semi-supervised", "random", 1, TOOLS)
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "other"))
    second = few_labels.measure("semi-supervised", "random", 1, TOOLS)
    timed = ("seconds", "cpu_seconds")
    assert all(first[key] > 0 for key in timed)
    assert {k: v for k, v in first.items() if k not in timed} == {k: v for k, v in second.items() if k not in timed}


@pytest.mark.parametrize("row", [row for row in ROWS if not row.startswith("all-")])
def test_no_row_sees_a_label_beyond_the_hundred(row, few_digits, monkeypatch, tmp_path):
    """Other labels for the rest of the pool change nothing."""
    chosen = few_labels.draw("balanced", 0, TOOLS)
    first = few_labels.ROWS[row][0](Case(chosen, "balanced", 0, row.endswith("augmented"), TOOLS))
    others = (few_digits.train_labels + 1) % 10
    others[chosen] = few_digits.train_labels[chosen]
    few_digits.train_labels = others
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "other"))
    second = few_labels.ROWS[row][0](Case(chosen, "balanced", 0, row.endswith("augmented"), TOOLS))
    assert torch.equal(first.logits(few_digits.test_images), second.logits(few_digits.test_images))


@pytest.mark.parametrize("row", ["cnn", "all-cnn", "semi-supervised", "self-trained"])
def test_the_test_labels_decide_nothing(row, few_digits, monkeypatch, tmp_path):
    first = few_labels.train(row, "balanced", 0, TOOLS).logits(few_digits.test_images)
    few_digits.test_labels = (few_digits.test_labels + 3) % 10
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "other"))
    assert torch.equal(first, few_labels.train(row, "balanced", 0, TOOLS).logits(few_digits.test_images))


def test_the_baseline_learns(few_digits, monkeypatch):
    monkeypatch.setattr(protocol, "budget", lambda: {"few": (60, 50), "test images": 300})
    made = few_labels.train("cnn", "balanced", 0, TOOLS)
    assert accuracy(made.logits(few_digits.test_images).argmax(1), few_digits.test_labels) > 0.6


def test_all_rows_of_a_seed_see_the_same_draw_and_another_seed_another():
    for draw in DRAWS:
        one, again, other = (few_labels.draw(draw, seed, TOOLS) for seed in (0, 0, 1))
        assert torch.equal(one, again) and not torch.equal(one, other) and len(one) == 100
    labels = read_mnist().train_labels
    assert torch.bincount(labels[few_labels.draw("balanced", 3, TOOLS)]).tolist() == 10 * [10]


def test_an_augmented_row_is_shown_moved_images_and_a_plain_one_is_not():
    images = read_mnist().train_images[:4]
    plain = case().prepare(images, torch.Generator().manual_seed(0))
    moved = case(augmented=True).prepare(images, torch.Generator().manual_seed(0))
    assert torch.equal(plain, images.float() / 255)
    assert moved.shape == plain.shape and not torch.equal(moved, plain)


def test_another_augmentation_of_the_student_is_another_run(few_digits):
    def flip(images, generator):
        return images.flip(2)

    tools = SimpleNamespace(**{**vars(TOOLS), "augment": flip})
    one, other = few_labels.cnn(case(augmented=True)), few_labels.cnn(case(augmented=True, tools=tools))
    assert not torch.equal(one.logits(few_digits.test_images), other.logits(few_digits.test_images))


def test_class_weights_come_from_the_labelled_images_alone(few_digits):
    seen = []
    teacher = SimpleNamespace(logits=lambda images: seen.append(images) or torch.zeros(len(images), 10))
    weights = few_labels.weights_of(teacher, case(augmented=True), copies=3)
    assert seen[0].shape == (300, 1, 28, 28) and seen[0].dtype == torch.uint8
    assert weights.argmin() == 0 and weights.mean() == pytest.approx(1)  # a teacher that says 0 is right on zeros only


# ---- the players


def test_the_players_have_the_shapes_of_the_docstrings():
    z, x = few_labels.gaussian(3, torch.Generator().manual_seed(0)), torch.randn(3, 1, 32, 32)
    assert Generator()(z).shape == (3, 1, 32, 32) and Generator()(z).abs().max() <= 1
    assert Discriminator()(x).shape == (3,) and Discriminator(10)(x).shape == (3, 10)
    assert Discriminator().features(x).shape == (3, Discriminator().last.in_features)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in Discriminator(norm=False).modules())
    assert torch.equal(Signed(nn.Identity())(torch.tensor([0.0, 1.0])), torch.tensor([-1.0, 1.0]))


def test_infogans_latents_end_with_a_code():
    z = few_labels.with_code(50, torch.Generator().manual_seed(0)).flatten(1)
    code = z[:, -10:]
    assert z.shape == (50, few_labels.NZ) and (code.sum(1) == 1).all() and set(code.unique().tolist()) == {0.0, 1.0}
    assert len(code.argmax(1).unique()) > 5


def test_the_critic_is_clipped_after_every_update(few_digits):
    game = few_labels.wgan(TOOLS, 0)
    assert max(weight.abs().max() for weight in game.D.parameters()) <= 0.01 + 1e-6
    assert max(weight.abs().max() for weight in game.G.parameters()) > 0.02


def test_infogan_trains_the_head_of_the_code(few_digits):
    torch.manual_seed(0)
    trained = few_labels.infogan(TOOLS, 0).D.code.weight
    runtime.seed(0)
    fresh = Discriminator()
    fresh.code = nn.Linear(fresh.last.in_features, 10)
    assert not torch.equal(trained, few_labels.initialised(fresh).code.weight)


# ---- the study


def fake_cell(row, draw, seed, threads):
    """In place of a training: takes no time, tells who did it."""
    time.sleep(0.05)
    return {"row": row, "draw": draw, "seed": seed, "profile": "smoke", "test_accuracy": 0.5, "seconds": 0.0,
            "process": os.getpid()}


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(study, "cell", fake_cell)


def cells_of(file):
    return [(one["row"], one["draw"], one["seed"]) for one in cells(file, study.IDENTITY)]


def test_a_study_writes_each_cell_and_goes_on_where_it_was(quick, tmp_path):
    file = tmp_path / "cells.json"
    lines = study.run(["cnn", "dcgan"], ["random", "balanced"], [0, 1], file=file)
    for count in (1, 2, 3):  # stopped after three
        next(lines)
        assert len(cells_of(file)) == count
    lines.close()
    before = cells(file, study.IDENTITY)
    rest = list(study.run(["cnn", "dcgan"], ["random", "balanced"], [0, 1], file=file))
    assert len(rest) == 5 and "0 of 5 left" in rest[-1] and "50.00%" in rest[-1]
    assert len(cells_of(file)) == len(set(cells_of(file))) == 8
    assert all(one in cells(file, study.IDENTITY) for one in before)
    assert list(study.run(["cnn"], ["random"], [0, 1], file=file)) == [study.NOTHING.format(total=2, file=file)]
    assert json.loads(file.read_text())["protocol"] == study.PROTOCOL


def test_cells_of_another_profile_are_not_taken_for_these(quick, tmp_path):
    file = tmp_path / "cells.json"
    append_cell({**fake_cell("cnn", "random", 0, 1), "profile": "cpu"}, file, study.IDENTITY)
    list(study.run(["cnn"], ["random"], [0], file=file))
    assert len(cells_of(file)) == 2


def test_a_cell_that_a_second_study_measured_as_well_is_there_once(tmp_path):
    file = tmp_path / "cells.json"
    for number in (0.5, 0.6):
        append_cell({**fake_cell("cnn", "random", 0, 1), "test_accuracy": number}, file, study.IDENTITY)
    append_cell(fake_cell("cnn", "random", 1, 1), file, study.IDENTITY)
    assert cells_of(file) == [("cnn", "random", 0), ("cnn", "random", 1)]
    assert cells(file, study.IDENTITY)[0]["test_accuracy"] == 0.6


def test_a_study_in_two_processes(tmp_path):
    """The real cells: the smallest row there is."""
    file = tmp_path / "cells.json"
    lines = list(study.run(["all-linear"], ["random"], [0, 1], jobs=2, file=file))
    assert len(lines) == 2 and sorted(cells_of(file)) == [("all-linear", "random", 0), ("all-linear", "random", 1)]
    one = cells(file, study.IDENTITY)[0]
    assert one["profile"] == "smoke" and one["versions"]["torch"] == torch.__version__ and one["hardware"]


def test_a_study_on_a_dask_cluster_survives_the_death_of_a_worker(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    file = tmp_path / "cells.json"
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            workers = list(client.run(os.getpid).values())
        lines = study.run(["all-linear"], ["random"], range(6), address=cluster.scheduler_address, file=file)
        done = [next(lines)]
        os.kill(workers[0], signal.SIGKILL)
        done += list(lines)
    assert len(done) == 6 and sorted(cells_of(file)) == [("all-linear", "random", seed) for seed in range(6)]


def test_without_solutions_the_study_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("tp_utils.checks.reference", lambda id: None)
    assert cli.main(["study", "few-labels", "--to", str(tmp_path / "cells.json")]) == 2
    assert study.NO_SOLUTIONS in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "message"), [
    (["--method", "cnn", "nothing"], "no method named nothing"), (["--seeds", "a-b"], "not 'a-b'"),
    (["--jobs", "0"], "--jobs"), ([], "smoke profile"),
])
def test_bad_input_is_one_line(arguments, message, capsys, tmp_path):
    to = ["--to", str(tmp_path / "cells.json")] if arguments else []
    assert cli.main(["study", "few-labels", *arguments, *to]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_the_command_prints_a_line_for_each_cell(quick, tmp_path, capsys):
    file = tmp_path / "cells.json"
    assert cli.main(["study", "few-labels", "--method", "cnn", "--seeds", "0,2-3", "--draw", "random", "--to",
                     str(file)]) == 0
    assert sorted(cells_of(file)) == [("cnn", "random", seed) for seed in (0, 2, 3)]
    assert capsys.readouterr().out.count("cnn, random, seed") == 3


def test_a_cluster_that_is_not_there_is_one_line(tmp_path, capsys):
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    import dask

    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        assert cli.main(["study", "few-labels", "--method", "cnn", "--dask", "tcp://127.0.0.1:9", "--to",
                         str(tmp_path / "cells.json")]) == 2
    assert "no Dask cluster at tcp://127.0.0.1:9" in capsys.readouterr().err


# ---- the helper of the notebook


def some_cells():
    return [{"row": row, "draw": draw, "seed": seed, "profile": "cpu", "test_accuracy": 0.9 + 0.01 * seed,
             "best_on_test": 0.95, "curve": [[10, 0.5], [20, 0.9]], "most_wrong": [[0, 3, 0.9], [5, 2, 0.8]]}
            for row in ("cnn", "cnn-augmented") for draw in DRAWS for seed in (0, 1)]


def test_the_table_has_every_row_and_says_what_is_missing():
    text = str(tp11.table(some_cells()))
    assert "90.50 ± 0.71 (2 seeds)" in text and "+0.4" in text and tp11.MISSING in text
    assert set(ROWS) == set(tp11.NAMES) and set(tp11.REPORT) <= set(ROWS)


def test_the_figures_are_drawn():
    cells = some_cells()
    left, right = tp11.selection(cells).axes
    assert len(left.lines) == 4 and len(right.lines) == 4
    kl, js, wasserstein = tp11.distances().axes[0].lines
    assert kl.get_ydata()[-1] == pytest.approx(200) and wasserstein.get_ydata()[-1] == 2
    assert js.get_ydata()[0] == pytest.approx(0, abs=1e-6) and js.get_ydata()[-1] == pytest.approx(0.6931, abs=1e-3)


def test_thresholds_count_the_pool():
    logits = torch.tensor([[4.0, 0], [0, 4.0], [0.2, 0], [0, 0.2]])
    kept, right = tp11.thresholds(logits, torch.tensor([0, 0, 0, 1])).axes[0].lines[:2]
    assert kept.get_ydata()[0] == 1 and right.get_ydata()[0] == 0.75
    assert kept.get_ydata()[-1] == 0 or right.get_ydata()[-1] == 0.5


def test_the_gradient_vanishes_explodes_and_stays():
    digits = read_mnist()
    lines = tp11.gradient_norms(digits.train_images[:16], digits.train_labels[:16], depth=10).axes[0].lines
    ratio = {line.get_label(): line.get_ydata()[0] / line.get_ydata()[-1] for line in lines}
    assert ratio["sigmoid"] < 1e-3 and 0.01 < ratio["ReLU and batch norm"] < 100
    assert 0.1 < ratio["ReLU, weights halved"] * 4**9 / ratio["ReLU, weights doubled"] < 10  # a factor of 4 a layer


def test_the_browser_shows_a_row_of_the_study(few_digits):
    widget = tp11.browse(some_cells())
    assert widget.png[:4] == b"\x89PNG"


def test_features_and_probe():
    digits = read_mnist()
    network = Discriminator()
    features = tp11.features_of(network, digits.train_images[:200])
    assert features.shape == (200, 2048) and not network.training
    pixels = digits.train_images[:1000].flatten(1).float() / 255
    assert tp11.probe(pixels[:500], digits.train_labels[:500], pixels[500:], digits.train_labels[500:1000]) > 0.75


def test_the_baseline_is_watched_for_a_choice_of_labels(few_digits):
    assert tp11.watch(TOOLS, steps=2).png[:4] == b"\x89PNG"


def test_a_browser_without_cells_says_what_to_do():
    with pytest.raises(ValueError, match="few-labels"):
        tp11.browse([])


def test_the_graph_finds_neighbours_that_are_moved_a_little():
    digits = read_mnist().train_images[:40]
    moved = digits.roll((1, -1), (2, 3))
    gaps, indices = distortion.nearest(torch.cat([digits, moved]))
    assert (indices[:40, 0] == torch.arange(40, 80)).double().mean() > 0.9 and (gaps.diff(dim=1) >= 0).all()
    assert indices.shape == (80, distortion.KEPT) and (indices != torch.arange(80)[:, None]).all()


def test_the_distance_is_that_of_a_plain_loop():
    outlines = distortion.outlines(read_mnist().train_images[:2])
    one, other = outlines[0].double(), torch.nn.functional.pad(outlines[1].double(), [3] * 4)
    gap = torch.full((24, 24), torch.inf, dtype=torch.double)
    for y in range(24):
        for x in range(24):
            for dy in range(-2, 3):
                for dx in range(-2, 3):
                    here = [(one[:, y + v, x + u] - other[:, y + v + dy + 3, x + u + dx + 3]).pow(2).sum()
                            for v in (-1, 0, 1) for u in (-1, 0, 1) if 0 <= y + v < 24 and 0 <= x + u < 24]
                    gap[y, x] = min(gap[y, x], sum(here) / 9)
    assert distortion.distance(outlines[:1], outlines[1:]).item() == pytest.approx(gap.sum().item(), rel=1e-4)


def test_labels_spread_along_the_graph():
    """Two chains of images, and one label in each."""
    indices = torch.tensor([[k ^ 2, k ^ 4] for k in range(40)])[:, :2].clamp(max=39)
    gaps = torch.ones(40, 2)
    found = distortion.spread([gaps, indices], torch.tensor([0, 1]), torch.tensor([3, 7]), neighbours=2)
    reached = found.max(1).values > 0.5
    assert torch.equal(found[:2].argmax(1), torch.tensor([3, 7])) and torch.allclose(found.sum(1), torch.ones(40))
    assert all(found[k].argmax() == (3 if k % 2 == 0 else 7) for k in range(8)) and reached[:8].all()


def test_spreading_on_digits_beats_the_nearest_labelled_image():
    digits, labels = read_mnist().train_images[:1500], read_mnist().train_labels[:1500]
    graph = distortion.nearest(digits)
    found = distortion.spread(graph, torch.arange(100), labels[:100]).argmax(1)
    gaps = torch.cdist(digits.flatten(1).float(), digits[:100].flatten(1).float())
    assert (found == labels)[100:].double().mean() > 0.9 > (labels[gaps.argmin(1)] == labels)[100:].double().mean()
