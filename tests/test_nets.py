"""Pretrained networks: the embedded one, the others from cache, mirror or source."""

import errno
import os
import time
from pathlib import Path

import pytest
import torch
from test_fetch import Server, digest, refused_port
from torchvision.models import get_model

from tp_utils import nets
from tp_utils.authoring.mirror import export_mirror
from tp_utils.data import samples
from tp_utils.data.fetch import FetchError, sums, write_sums

REPOSITORY = Path(__file__).resolve().parent.parent
OFFICIAL_URL = nets.official_url
TINY = "squeezenet1_0"  # a small network that is not embedded


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, no mirror, an official source that cannot be reached, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("TP_MIRROR", raising=False)
    nobody = f"http://127.0.0.1:{refused_port()}"
    monkeypatch.setattr(nets, "official_url", lambda name: nobody + "/" + Path(OFFICIAL_URL(name)).name)
    return tmp_path / "cache" / "networks"


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file of untrained weights, named by its hash as torchvision does."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(get_model(TINY, weights=None).state_dict(), path)
    return path.rename(path.with_name(f"tiny-{digest(path.read_bytes())[:8]}.pth"))


@pytest.fixture
def source(weights, monkeypatch):
    """The official source is a server that has these weights."""
    with Server(folder=str(weights.parent)) as server:
        monkeypatch.setattr(nets, "official_url", lambda name: f"{server.url}/{weights.name}")
        yield server


@pytest.fixture
def mirror(weights, monkeypatch, tmp_path):
    """A mirror folder that has these weights; the official source cannot be reached."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / weights.name).write_bytes(weights.read_bytes())
    write_sums(folder, [weights.name])
    monkeypatch.setenv("TP_MIRROR", str(folder))
    nobody = f"http://127.0.0.1:{refused_port()}"
    monkeypatch.setattr(nets, "official_url", lambda name: f"{nobody}/{weights.name}")
    return folder


def said(capsys):
    return capsys.readouterr().out.splitlines()


def has_these(network, weights):
    return all(torch.equal(value, network.state_dict()[key])
               for key, value in torch.load(weights, weights_only=True).items())


# ---- the embedded network


def test_squeezenet_is_embedded_frozen_in_eval_mode_and_channels_last(capsys):
    network = nets.pretrained("squeezenet1_1")
    assert said(capsys) == ["squeezenet1_1: pretrained on ImageNet, embedded."]
    assert network.name == "squeezenet1_1"
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    kernels = [p for p in network.parameters() if p.ndim == 4 and p.shape[1] > 1 and p.shape[2] > 1]
    assert kernels and all(k.is_contiguous(memory_format=torch.channels_last) for k in kernels)
    images = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8)
    scores = network(nets.to_input(images))
    assert scores.shape == (2, 1000) and scores.dtype == torch.float32 and scores.isfinite().all()


def test_squeezenet_sees_an_espresso_in_the_photograph_of_a_coffee():
    coffee = torch.from_numpy(samples.shrunk(samples.square(samples.photograph("coffee")), 224).copy())
    network = nets.pretrained("squeezenet1_1")
    scores = network(nets.to_input(coffee.permute(2, 0, 1)[None]))
    assert nets.categories()[scores.argmax()] == "espresso"
    assert len(nets.categories()) == 1000


def test_channels_last_changes_no_score():
    torch.manual_seed(0)
    inputs = torch.randn(2, 3, 224, 224)
    plain = nets.uninitialised("squeezenet1_1").eval()
    plain.load_state_dict(nets.state_dict("squeezenet1_1")[0])
    torch.testing.assert_close(nets.pretrained("squeezenet1_1")(inputs), plain(inputs), rtol=1e-4, atol=1e-4)


def test_damaged_embedded_weights_are_one_error_not_a_recursion(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "squeezenet1_1.safetensors").write_bytes(b"damaged")
    (tmp_path / "data" / "SHA256SUMS").write_bytes((REPOSITORY / "data" / "SHA256SUMS").read_bytes())
    monkeypatch.setattr(nets, "ROOT", tmp_path)
    with pytest.raises(FetchError, match=r"squeezenet1_1\.safetensors is damaged"):
        nets.pretrained("squeezenet1_1")


# ---- what goes in


def test_to_pixels_undoes_to_input():
    images = torch.arange(256, dtype=torch.uint8).repeat(3).view(1, 3, 16, 16)
    inputs = nets.to_input(images)
    assert inputs.dtype == torch.float32 and inputs.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal((nets.to_pixels(inputs) * 255).round().byte(), images)
    pixels = torch.rand(2, 3, 5, 7)
    torch.testing.assert_close(nets.to_pixels(nets.to_input(pixels)), pixels)
    torch.testing.assert_close(nets.to_input(images / 255), inputs)


def test_to_input_normalises_as_torchvision_does():
    from torchvision.transforms.v2.functional import normalize

    pixels = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(nets.to_input(pixels), normalize(pixels, list(nets.MEAN), list(nets.STD)))


def test_to_pixels_clamps_and_detaches():
    inputs = torch.full((1, 3, 2, 2), 100.0, requires_grad=True)
    pixels = nets.to_pixels(inputs)
    assert not pixels.requires_grad and pixels.max() == 1


# ---- the other networks: cache, mirror, official source, or SqueezeNet in their place


def test_weights_come_from_the_official_source_once_then_from_the_cache(source, weights, cache, capsys):
    for _ in range(2):
        network = nets.pretrained(TINY)
        assert network.name == TINY and has_these(network, weights)
    assert said(capsys) == [f"{TINY}: pretrained on ImageNet, from the official source.",
                            f"{TINY}: pretrained on ImageNet, kept before (cache)."]
    assert len(source.asked) == 1 and [p.name for p in cache.iterdir()] == [weights.name]


def test_weights_come_from_a_mirror_folder(mirror, weights, cache, capsys):
    assert has_these(nets.pretrained(TINY, fallback=False), weights)
    assert said(capsys) == [f"{TINY}: pretrained on ImageNet, from the classroom mirror."]
    assert not cache.exists()  # read in place


def test_weights_come_from_a_mirror_at_an_address(mirror, weights, cache, monkeypatch, capsys):
    with Server(folder=str(mirror)) as server:
        monkeypatch.setenv("TP_MIRROR", server.url)
        assert has_these(nets.pretrained(TINY, fallback=False), weights)
    assert said(capsys) == [f"{TINY}: pretrained on ImageNet, from the classroom mirror."]
    assert [p.name for p in cache.iterdir()] == [weights.name]


def test_without_its_weights_squeezenet_takes_a_networks_place_and_says_so(cache, capsys):
    start = time.perf_counter()
    network = nets.pretrained("vgg16")
    assert time.perf_counter() - start < 2
    absent, found = said(capsys)
    assert network.name == "squeezenet1_1" and "pretrained on ImageNet, embedded" in found
    assert absent.startswith("vgg16: its weights are not to be had here (127.0.0.1")
    assert "SqueezeNet 1.1 (embedded) takes its place" in absent and "no network?" in absent
    assert list(cache.iterdir()) == []


def test_without_its_weights_and_without_fallback_it_is_an_error():
    with pytest.raises(FetchError, match=r"cannot be reached.*TP_MIRROR"):
        nets.pretrained("vgg16", fallback=False)


@pytest.mark.parametrize("name", ["resnet", "fcn_resnet50", "vit_h_14", ""])
def test_a_name_that_torchvision_has_not_is_named_with_the_courses(name, monkeypatch):
    monkeypatch.setattr(nets, "official_url", OFFICIAL_URL)
    with pytest.raises(ValueError, match=f"'{name}' is not an ImageNet classifier.*vgg16"):
        nets.pretrained(name)


def test_every_network_of_the_course_has_an_address_that_ends_in_its_hash():
    for name in nets.NAMES:
        digits = OFFICIAL_URL(name).rpartition("-")[2].removesuffix(".pth")
        assert len(digits) >= 8 and int(digits, 16) >= 0


def test_a_damaged_mirror_is_said_and_the_official_source_serves(mirror, weights, source, capsys):
    (mirror / weights.name).write_bytes(b"damaged")
    assert has_these(nets.pretrained(TINY), weights)
    problem, found = said(capsys)
    assert problem.startswith(f"{TINY}: nothing from the classroom mirror (") and "is damaged" in problem
    assert found.endswith("from the official source.")


def test_a_damaged_mirror_and_no_network_is_one_line_with_both_reasons(mirror, weights, capsys):
    (mirror / weights.name).write_bytes(b"damaged")
    assert nets.pretrained(TINY).name == nets.EMBEDDED
    absent, _ = said(capsys)
    assert "is damaged" in absent and "cannot be reached" in absent


def test_other_weights_under_the_same_name_are_refused(mirror, weights, capsys):
    (mirror / weights.name).write_bytes(b"other weights")
    write_sums(mirror, [weights.name])
    with pytest.raises(FetchError, match="not the official file"):
        nets.pretrained(TINY, fallback=False)


def test_damaged_kept_weights_are_replaced_by_the_mirrors(mirror, weights, cache, capsys):
    cache.mkdir(parents=True)
    (cache / weights.name).write_bytes(b"damaged")
    assert has_these(nets.pretrained(TINY), weights)
    problem, found = said(capsys)
    assert problem.startswith(f"{TINY}: nothing from the cache (") and found.endswith("classroom mirror.")


def test_weights_that_run_code_are_not_unpickled(monkeypatch, tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    path = tmp_path / "trap.pth"
    torch.save({"weight": Trap()}, path)
    path = path.rename(tmp_path / f"trap-{digest(path.read_bytes())[:8]}.pth")
    write_sums(tmp_path, [path.name])
    monkeypatch.setenv("TP_MIRROR", str(tmp_path))
    monkeypatch.setattr(nets, "official_url", lambda name: f"http://127.0.0.1/{path.name}")
    with pytest.raises(Exception, match="Weights only load failed"):
        nets.pretrained(TINY)
    assert not (tmp_path / "sprung").exists()


def test_a_cache_that_cannot_be_written_leaves_squeezenet(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "file" / "cache"))
    assert nets.pretrained("vgg16").name == nets.EMBEDDED
    assert os.strerror(errno.ENOTDIR) in said(capsys)[0]


def test_where_names_the_first_place_without_fetching(mirror, weights, cache, monkeypatch):
    assert nets.weights_place("squeezenet1_1") == "embedded"
    assert nets.weights_place(TINY) == "from the classroom mirror"
    with Server(folder=str(mirror)) as server:
        monkeypatch.setenv("TP_MIRROR", server.url)
        assert nets.weights_place(TINY) == "from the classroom mirror"
        assert server.asked == ["/SHA256SUMS"]
    for nothing in ("", f"http://127.0.0.1:{refused_port()}", str(mirror / "missing")):
        monkeypatch.setenv("TP_MIRROR", nothing)
        assert nets.weights_place(TINY) == "from the official source, or else SqueezeNet 1.1"
    assert not cache.exists() or list(cache.iterdir()) == []
    cache.mkdir(parents=True, exist_ok=True)
    (cache / weights.name).write_bytes(weights.read_bytes())
    assert nets.weights_place(TINY) == "kept before (cache)"


def test_available_lists_what_is_to_be_had_and_says_what_is_not(capsys):
    assert nets.available(("squeezenet1_1", "vgg16", "alexnet")) == ["squeezenet1_1"]
    (line,) = said(capsys)
    assert line.startswith("Left out, for want of their weights: vgg16, alexnet (127.0.0.1")


@pytest.mark.parametrize("place", ["source", "mirror"])
def test_export_writes_weights_that_a_mirror_then_serves(
        place, request, weights, tmp_path, monkeypatch, capsys):
    request.getfixturevalue(place)

    monkeypatch.setattr(nets, "NAMES", (nets.EMBEDDED, TINY))
    assert export_mirror(tmp_path / "new", []) == [weights.name]
    assert sums(str(tmp_path / "new")) == {weights.name: digest(weights.read_bytes())}
    monkeypatch.setenv("TP_MIRROR", str(tmp_path / "new"))
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "another cache"))
    assert has_these(nets.pretrained(TINY, fallback=False), weights)
    assert said(capsys)[-1].endswith("from the classroom mirror.")
