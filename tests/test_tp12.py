"""The helper of TP 12 and its quiz: judges, nearest neighbours, tables; the quiz played in a browser."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from tp_utils import checks, data, nets, tp12
from tp_utils.measure import frechet
from tp_utils.practicals.tp12 import quiz

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """An empty cache, the smoke profile, no mirror."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.setenv("TP_PROFILE", "smoke")


def pictures(count, seed=0, size=8):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, size, size), generator=generator, dtype=torch.uint8)


class Tiny(nn.Module):
    """A judge with one map of four features, whose scores are 1000 of their mixtures."""

    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(3, 4, 8, 8)
        self.scores = nn.Linear(4, 1000)

    def forward(self, x):
        return self.scores(self.features(x).mean((2, 3)))


@pytest.fixture
def judge():
    torch.manual_seed(0)
    return Tiny().eval()


# ---- players and judges


@pytest.mark.parametrize("size", [32, 64])
def test_the_fully_connected_players_fit_the_images_and_each_other(size):
    G, D = tp12.connected(size)
    images = G(torch.randn(3, 100, 1, 1))
    assert images.shape == (3, 3, size, size) and images.abs().max() <= 1
    assert D(images).shape == (3,) and not any(isinstance(m, nn.Conv2d) for m in [*G.modules(), *D.modules()])


def test_features_are_those_of_the_last_map_at_224(judge):
    images = pictures(3)
    expected = judge.features(nets.to_input(data.resized(images, 224))).mean((2, 3))
    torch.testing.assert_close(tp12.pooled_features(judge, images), expected)
    torch.testing.assert_close(tp12.pooled_features(judge, images), expected)  # now from the cache


def test_an_opinion_compares_with_the_first_half_and_the_floor_with_the_second(judge):
    generated, real = pictures(30, 1), pictures(70, 2)
    found = tp12.cat_numbers(judge, generated, real, lambda network, images: len(images) / 100,
                         lambda a, b: torch.tensor(float(a.mean() - b.mean())))
    seen, first, second = (tp12.pooled_features(judge, images) for images in (generated, real[:30], real[30:60]))
    assert found["cat_rate"] == 0.3
    assert found["frechet"] == pytest.approx(frechet(first, seen))
    assert found["floor"] == pytest.approx(frechet(first, second))
    assert found["kernel"] == pytest.approx((first.mean() - seen.mean()).item())
    assert found["kernel_floor"] == pytest.approx((first.mean() - second.mean()).item())


def test_the_kernel_distance_of_the_solution_is_the_librarys():
    from torchmetrics.image.kid import poly_mmd

    real, generated = torch.randn(40, 6, dtype=torch.double), 0.5 * torch.randn(40, 6, dtype=torch.double) + 0.3
    found = checks.reference("12.5")(real, generated)
    torch.testing.assert_close(found, poly_mmd(real, generated), check_dtype=False)


def test_the_kernel_distance_has_no_bias_and_sees_a_shift():
    distance, generator = checks.reference("12.5"), torch.Generator().manual_seed(0)
    pairs = [torch.randn(2, 20, 5, generator=generator) for _ in range(300)]
    values = torch.stack([distance(*pair) for pair in pairs])
    assert values.mean().abs() < 3 * values.std() / 300**0.5 and (values < 0).any()
    assert torch.stack([distance(a, b + 1) for a, b in pairs]).mean() > 10 * values.std()


# ---- the nearest neighbour


def test_the_nearest_is_the_copy_and_distances_are_in_grey_levels():
    among = pictures(300, 1, size=16)
    copies = among[[7, 250, 3]]
    distances, indices = tp12.nearest_images(copies, among, batch_size=2)
    assert indices.tolist() == [7, 250, 3] and distances.max() < 0.1
    black, grey = torch.zeros(1, 3, 32, 32, dtype=torch.uint8), torch.full((1, 3, 32, 32), 10, dtype=torch.uint8)
    assert tp12.nearest_images(black, grey)[0].item() == pytest.approx(10)


def test_the_surest_cats_come_first(judge):
    images = pictures(9)
    found, probability = tp12.surest_cats(judge, images, count=4)
    every = judge(nets.to_input(data.resized(images, 224))).softmax(1)[:, 281:286].sum(1)
    torch.testing.assert_close(probability, every.sort(descending=True).values[:4])
    assert torch.equal(found, images[every.argsort(descending=True)[:4]])


def test_dogs_are_dogs_and_no_stand_in(monkeypatch):
    labels = torch.tensor([0, 1, 0, 1, 1])
    images = data.ImageSet.from_arrays("cifar10", {
        "train_images": pictures(5, size=32).permute(0, 2, 3, 1).numpy(), "train_labels": labels.numpy(),
        "test_images": pictures(1, size=32).permute(0, 2, 3, 1).numpy(), "test_labels": labels[:1].numpy(),
        "classes": ["cat", "dog"], "source": "a test", "licence": "none"})
    monkeypatch.setattr(data, "cifar10", lambda: images)
    assert torch.equal(tp12.dogs(2, 32), images.train_images[[1, 3]])
    images.sample = True
    assert tp12.dogs(2, 32) is None


# ---- tables


def numbers(**more):
    return {"cat_rate": 0.5, "frechet": 20.0, "kernel": 4.0, "floor": 2.0, "kernel_floor": -0.1, "nearest": 30.0,
            "nearest_real": 31.0} | more


def test_the_table_gives_mean_and_deviation_and_ends_with_real_images():
    table = tp12.measures_table({"one": [numbers()], "three": [numbers(frechet=f) for f in (18.0, 20.0, 22.0)]}, 0.75)
    assert table.rows[0][1:3] == ["1", "20.0"] and table.rows[1][1:3] == ["3", "20.0 ± 2.0"]
    assert table.rows[1][3] == "4.0 ± 0.0" and table.rows[-1] == ["real images", "", "2.0", "-0.1", "75.0 %", "31.0"]


def test_the_posters_table_says_what_was_not_measured():
    table = tp12.poster_table({"DCGAN": 0.25})
    assert table.rows[2] == ["generated, 32 × 32", "52.0", "25.0 %"] and "not measured" in table.rows[3][2]


# ---- the quiz


def test_the_page_is_whole():
    page = quiz.Quiz(pictures(4), pictures(4, 1)).page
    assert not re.search("__[A-Z]+__", page) and page.count("data:image/png;base64,") == 8
    assert "<script src" not in page and not re.search(r"https?://", page)


def test_the_pictures_are_the_images_the_real_one_of_each_pair_first():
    import base64
    import io
    import json

    import numpy as np
    from PIL import Image

    real, generated = pictures(3), pictures(3, 1)
    pairs = json.loads(re.search(r"const PAIRS = (\[.*?\]\]),", quiz.Quiz(real, generated).page)[1])
    for (first, second), *images in zip(pairs, real, generated, strict=True):
        for url, image in zip((first, second), images, strict=True):
            found = np.array(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))
            assert torch.equal(torch.from_numpy(found).permute(2, 0, 1), image)


@pytest.mark.parametrize(("real", "generated"), [(pictures(3), pictures(2)), (pictures(0), pictures(0)),
                                                 (pictures(2).float(), pictures(2).float()),
                                                 (pictures(2), pictures(2).float())])
def test_what_are_no_pairs_is_an_error(real, generated):
    with pytest.raises(ValueError, match="as many real as generated"):
        quiz.Quiz(real, generated)


def test_in_a_notebook_it_is_a_frame_with_the_page_in_it():
    import html

    shown = quiz.Quiz(pictures(2), pictures(2, 1))
    frame = shown._repr_html_()
    assert html.unescape(re.search('srcdoc="([^"]*)"', frame)[1]) == shown.page and "2 pairs" in repr(shown)


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium at /usr/bin/chromium")
def test_the_real_picture_is_on_the_left_half_of_the_time_whatever_the_pair(tmp_path):
    from playwright.sync_api import sync_playwright

    path, times = tmp_path / "quiz.html", 400
    path.write_text(quiz.Quiz(pictures(4), pictures(4, 1)).page, encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(path.as_uri())
        first = page.evaluate("""times => [...Array(times)].map(() => {
            start();
            const [left, right] = [...document.querySelectorAll(".picture")].map(picture => picture.src);
            return [order[0], PAIRS[order[0]].indexOf(left), PAIRS[order[0]].indexOf(right)];
        })""", times)
        browser.close()
    assert all({left, right} == {0, 1} for _, left, right in first)  # the photograph and its generated partner
    for pair in range(4):
        sides = [left for number, left, _ in first if number == pair]
        assert times / 8 < len(sides) < times / 2 and 0.25 < sum(sides) / len(sides) < 0.75  # 5 standard deviations


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium at /usr/bin/chromium")
def test_the_quiz_in_a_browser(tmp_path):
    from playwright.sync_api import expect, sync_playwright

    black, white = (torch.full((4, 3, 8, 8), value, dtype=torch.uint8) for value in (0, 255))
    path = tmp_path / "quiz.html"
    path.write_text(f"<!DOCTYPE html><p>{quiz.Quiz(black, white)._repr_html_()}", encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(path.as_uri())
        frame = page.frame_locator("iframe")

        photograph = quiz.data_url(black[0])

        def real_is_left():
            return frame.locator(".picture").first.get_attribute("src") == photograph

        for k in range(4):  # with the keyboard: three right answers and a wrong one
            expect(frame.locator("#quiz")).to_contain_text(f"Pair {k + 1} of 4")
            frame.locator(".cat").first.focus()
            page.keyboard.press("ArrowLeft" if real_is_left() == (k < 3) else "ArrowRight")
            expect(frame.locator("#score")).to_contain_text("Right." if k < 3 else "Fooled.")
            page.keyboard.press("Enter")
        expect(frame.locator("#score")).to_contain_text("3 of 4 right: 75 %, 95 % interval 30 to 95 %")
        expect(frame.locator("table tr")).to_have_count(2)  # the head, and the pair that fooled
        expect(frame.locator("table")).to_contain_text("1 of 1")
        frame.get_by_text("Next person").click()
        for _ in range(4):  # with the mouse, all right
            frame.locator(".cat").nth(0 if real_is_left() else 1).click()
            frame.get_by_role("button", name=re.compile("Next pair|Result")).click()
        expect(frame.locator("#everybody")).to_contain_text("All 2 on this computer: 7 of 8 right")
        expect(frame.locator("table")).to_contain_text("1 of 2")
        page.reload()  # the browser has kept the answers
        for _ in range(4):
            frame.locator(".cat").nth(0 if real_is_left() else 1).click()
            frame.get_by_role("button", name=re.compile("Next pair|Result")).click()
        expect(frame.locator("#everybody")).to_contain_text("All 3 on this computer: 11 of 12 right")
        frame.get_by_text("Forget all answers").click()
        expect(frame.locator("#quiz")).to_contain_text("Pair 1 of 4")
        browser.close()
    assert not errors
