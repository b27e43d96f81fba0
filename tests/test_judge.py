"""The judge: the embedded file, what it says of digits, the augmentation, and its training."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from tp_utils import __main__ as cli
from tp_utils import data, judge
from tp_utils.data.fetch import FetchError, sums
from tp_utils.data.imageset import resized

REPOSITORY = Path(__file__).resolve().parent.parent
SEEN = 2000  # test images


@pytest.fixture(autouse=True)
def on_the_cpu(tmp_path, monkeypatch):
    """An empty cache, the CPU; a judge that a test loads is forgotten again."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    for name in ("TP_PROFILE", "TP_RESULTS"):
        monkeypatch.delenv(name, raising=False)
    judge.mnist_judge.cache_clear()
    yield
    judge.mnist_judge.cache_clear()


@pytest.fixture(scope="module")
def digits():
    return data.mnist()


@pytest.fixture(scope="module")
def opinion(digits):
    """(features, probabilities) of the first test images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TP_DEVICE", "cpu")
        return judge.opinion(digits.test_images[:SEEN])


# ---- the file


def test_the_judge_is_right_about_at_least_99_percent_of_the_test_images(opinion, digits):
    features, probabilities = opinion
    assert (probabilities.argmax(1) == digits.test_labels[:SEEN]).float().mean() >= 0.99
    assert features.shape == (SEEN, 64) and features.dtype == torch.float32 and features.isfinite().all()
    assert probabilities.shape == (SEEN, 10) and probabilities.dtype == torch.float32
    torch.testing.assert_close(probabilities.sum(1), torch.ones(SEEN))
    assert not features.requires_grad and not probabilities.requires_grad


def test_the_result_says_what_the_embedded_file_gives(opinion, digits):
    """On all 10,000 test images; the first ones are known."""
    saved = json.loads((REPOSITORY / "results" / "judge.json").read_text())
    rest = judge.opinion(digits.test_images[SEEN:])[1]
    predictions = torch.cat([opinion[1], rest]).argmax(1)
    right = int((predictions == digits.test_labels).sum())
    assert right >= 9930
    assert abs(saved["test_accuracy"] - right / 10_000) <= 1e-4  # another processor may round one image otherwise
    assert saved["parameters"] == sum(p.numel() for p in judge.Judge().parameters())
    assert saved["profile"] != "smoke" and saved["steps"] >= 1000


def test_the_file_is_small():
    assert judge.FILE == REPOSITORY / "data" / "mnist_judge.safetensors"
    assert judge.FILE.stat().st_size < 1_000_000


def test_the_judge_is_frozen_in_eval_mode_and_loaded_once():
    network = judge.mnist_judge()
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert judge.mnist_judge() is network


@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
def test_a_damaged_judge_is_one_clear_error(damage, tmp_path, monkeypatch):
    content = bytearray(judge.FILE.read_bytes())
    content[-1] ^= 1
    file = tmp_path / judge.FILE.name
    if damage != "missing":
        file.write_bytes(content if damage == "changed" else content[:-100])
    shutil.copy(REPOSITORY / "data" / "SHA256SUMS", tmp_path)
    monkeypatch.setattr(judge, "FILE", file)
    with pytest.raises(FetchError, match=r"mnist_judge\.safetensors (is damaged|cannot be read).*a fresh copy"):
        judge.opinion(torch.zeros(1, 1, 32, 32, dtype=torch.uint8))


# ---- its opinion


def test_other_sizes_are_resized(digits, opinion):
    images = digits.test_images[:40]
    assert images.shape[-1] == 28
    for again in (resized(images, 32), images):
        features, probabilities = judge.opinion(again)
        torch.testing.assert_close(features, opinion[0][:40], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(probabilities, opinion[1][:40], rtol=1e-3, atol=1e-3)
    assert judge.opinion(torch.zeros(3, 1, 64, 48, dtype=torch.uint8))[1].shape == (3, 10)


def test_an_opinion_does_not_depend_on_the_other_images(digits, opinion):
    order = torch.randperm(600, generator=torch.Generator().manual_seed(0))
    features, probabilities = judge.opinion(digits.test_images[:600][order])  # more than one part
    torch.testing.assert_close(features, opinion[0][:600][order], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(probabilities, opinion[1][:600][order], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("images", [
    torch.zeros(2, 1, 32, 32), torch.zeros(2, 3, 32, 32, dtype=torch.uint8), torch.zeros(2, 32, 32, dtype=torch.uint8),
    torch.zeros(1, 32, 32, dtype=torch.uint8), torch.zeros(2, 1, 32, 32, dtype=torch.int64)])
def test_what_is_no_digit_is_refused_with_dtype_and_shape(images):
    with pytest.raises(ValueError) as caught:
        judge.opinion(images)
    assert str(caught.value) == ("the judge reads digits, uint8 [N, 1, H, W], "
                                 f"not {images.dtype} {list(images.shape)}")


def test_the_opinion_of_another_network_can_be_asked(digits):
    torch.manual_seed(0)
    network = judge.Judge().eval()
    nn.init.zeros_(network.last.weight)
    nn.init.constant_(network.last.bias, 0)
    torch.testing.assert_close(judge.opinion(digits.test_images[:5], network)[1], torch.full((5, 10), 0.1))


# ---- the augmentation


def test_shaken_digits_keep_their_shape_and_range_and_are_not_what_they_were(digits):
    images = resized(digits.train_images[:200], 32)
    before = images.clone()
    shaken = judge.shaken(images, torch.Generator().manual_seed(0))
    assert torch.equal(images, before)
    assert shaken.shape == images.shape and shaken.dtype == torch.float32
    assert shaken.min() >= 0 and shaken.max() <= 1 and shaken.max() > 0.9
    assert ((shaken - images / 255).abs().mean((1, 2, 3)) > 0.005).all()


def test_shaking_depends_on_the_generator_alone(digits):
    images = resized(digits.train_images[:8], 32)
    expected = judge.shaken(images, torch.Generator().manual_seed(3))
    state = torch.get_rng_state()
    torch.rand(5)
    assert torch.equal(judge.shaken(images, torch.Generator().manual_seed(3)), expected)
    torch.set_rng_state(state)
    judge.shaken(images, torch.Generator().manual_seed(3))
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(judge.shaken(images, torch.Generator().manual_seed(4)), expected)


def test_each_digit_is_shaken_in_its_own_way_and_by_little():
    square = torch.zeros(200, 1, 32, 32, dtype=torch.uint8)
    square[:, :, 12:20, 12:20] = 255
    shaken = judge.shaken(square, torch.Generator().manual_seed(0))
    assert len(shaken.flatten(1).unique(dim=0)) == 200
    black = shaken[(shaken[:, 0, :4] == 0).all((1, 2))]  # those that keep their black and white: 3 in 10
    assert 30 < len(black) < 90
    mass = black.sum((1, 2, 3))
    for axis in (2, 3):
        centres = (black.sum((1, 5 - axis)) * torch.arange(32.0)).sum(1) / mass
        assert 1.5 < (centres - 15.5).abs().max() < 3  # two pixels, and what turning about the middle adds
    assert 0.5 < (mass / 64).min() < 0.9 and 1.1 < (mass / 64).max() < 1.5


# ---- its training


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A repository whose data folder has a judge of its own: two steps, and a few images."""
    root = tmp_path / "repository"
    shutil.copytree(REPOSITORY / "data" / "mnist", root / "data" / "mnist")
    for name in ("SHA256SUMS", "squeezenet1_1.safetensors"):
        shutil.copy(REPOSITORY / "data" / name, root / "data" / name)
    (root / "data" / judge.FILE.name).write_bytes(b"the old judge")
    monkeypatch.setattr(judge, "pick", lambda **_: 2)  # steps
    monkeypatch.setattr(judge, "FILE", root / "data" / judge.FILE.name)
    monkeypatch.setattr(cli, "ROOT", root)
    monkeypatch.setattr("tp_utils.runtime.measurements.ROOT", root)
    few = data.mnist()
    few.train_images, few.train_labels = few.train_images[:500], few.train_labels[:500]
    few.test_images, few.test_labels = few.test_images[:100], few.test_labels[:100]
    monkeypatch.setattr(judge, "read_mnist", lambda: few)
    return root / "data"


def test_the_command_trains_a_judge_that_can_be_read_again(copy, capsys):
    before = sums(str(copy))
    assert cli.main(["judge"]) == 0
    said = capsys.readouterr().out
    assert "data/mnist_judge.safetensors: " in said and "% of the test images right" in said
    after = sums(str(copy))
    assert after.pop(judge.FILE.name) == hashlib.sha256(judge.FILE.read_bytes()).hexdigest()
    before.pop(judge.FILE.name)
    assert after == before
    assert not (copy.parent / "results").exists() and "Results not saved: " in said
    judge.mnist_judge.cache_clear()
    share = float(said.split("safetensors: ")[1].split("%")[0]) / 100
    few = judge.read_mnist()
    found = (judge.opinion(few.test_images)[1].argmax(1) == few.test_labels).double().mean().item()
    assert found == pytest.approx(share, abs=1e-9)


def test_after_training_the_new_judge_is_asked(copy):
    shutil.copy(REPOSITORY / "data" / judge.FILE.name, judge.FILE)
    old = judge.mnist_judge()
    judge.train_judge()
    assert judge.mnist_judge() is not old


def test_the_smoke_profile_leaves_the_judge_as_it_is(copy, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("TP_PROFILE", "smoke")
    before = judge.FILE.read_bytes()
    with pytest.raises(ValueError, match="set TP_PROFILE=cpu or full"):
        judge.train_judge()
    assert judge.FILE.read_bytes() == before
