"""Input that does not fit is refused before the first step, in one sentence; what is meant is converted."""

import numpy as np
import pytest
import torch
from small_runs import Judge, Painter, latents, small_network, some_images
from torch import nn

import tp_utils as tp

IMAGES, LABELS = some_images()
SCHEDULES = torch.optim.lr_scheduler


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")


def sgd(network, lr=0.1):
    return torch.optim.SGD(network.parameters(), lr)


def fit(images=IMAGES, labels=LABELS, network=None, optimiser=None, steps=3, **options):
    network = small_network() if network is None else network
    optimiser = sgd(network) if optimiser is None else optimiser
    return tp.fit(network, images, labels, optimiser, steps, live=False, **options)


def nothing(x, generator):
    raise AssertionError("a step was made")


def train(step=nothing, networks=None, optimisers=None, images=IMAGES, steps=3, **options):
    networks = {"network": small_network()} if networks is None else networks
    optimisers = {"network": sgd(networks["network"])} if optimisers is None else optimisers
    return tp.train(step, networks, optimisers, images, steps, live=False, **options)


def refused(call, match):
    with pytest.raises(ValueError, match=match) as error:
        call()
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


# ---- images and labels


@pytest.mark.parametrize(("options", "match"), [
    ({"labels": LABELS[:12]}, r"^12 labels for 48 images"),
    ({"labels": LABELS[:0]}, r"^0 labels for 48 images"),
    ({"labels": torch.tensor(1)}, r"^1 labels for 48 images"),
    ({"labels": LABELS + 1}, r"^labels go from 1 to 3, but the network has 3 outputs"),
    ({"labels": LABELS - 1}, r"^labels go from -1 to 1, but no label may be below 0"),
    ({"labels": LABELS.float()}, r"^labels must be whole numbers, int64 \[N\], not float32"),
    ({"labels": LABELS.tolist()}, r"^labels must be a tensor, not list"),
    ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"^there are no images"),
    ({"images": torch.tensor(3, dtype=torch.uint8)}, r"^there are no images"),
    ({"images": IMAGES.long()}, r"^images must be uint8 \(0 to 255\) or float, not int64"),
    ({"images": IMAGES > 100}, r"not bool"),
    ({"images": IMAGES.float()}, r"^images are float32 from 0 to \d+, where 0 to 1 is expected"),
    ({"images": list(IMAGES)}, r"^images must be a tensor, not list"),
    ({"images": None}, r"^images must be a tensor, not NoneType"),
])
def test_images_and_labels(options, match):
    refused(lambda: fit(**options), match)
    if "outputs" not in match and "whole numbers" not in match and "0 to 1 " not in match:  # those are a classifier's
        refused(lambda: train(**{"labels": LABELS} | options), match)


def test_a_game_wants_pixels_or_the_range_of_tanh():
    refused(lambda: train(images=IMAGES.float()), r"where -1 to 1 is expected")
    assert train(lambda x, generator: {"low": x.min()}, images=IMAGES / 127.5 - 1).step == 3


def test_a_prepare_of_ones_own_takes_what_it_likes():
    assert fit(images=IMAGES.float(), prepare=lambda images, generator: images / 255).step == 3


def test_numpy_arrays_and_other_whole_numbers_are_converted():
    one = fit(IMAGES.numpy(), LABELS.numpy().astype(np.uint8), steps=np.int32(3), seed=np.int64(3), batch_size=4.0)
    assert one.history == fit(seed=3, batch_size=4).history


def test_other_losses_have_other_labels():
    """Binary cross-entropy wants floats, and shares of classes are labels too."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Flatten(0))
    assert fit(labels=(LABELS > 0).float(), network=network, loss=nn.functional.binary_cross_entropy_with_logits).step
    assert fit(labels=nn.functional.one_hot(LABELS, 3).float()).step == 3


# ---- numbers


@pytest.mark.parametrize("name", ["steps", "batch_size", "save_every", "validate_every"])
@pytest.mark.parametrize("value", [0, -1, 2.5, "3", None, float("nan")])
def test_numbers(name, value):
    refused(lambda: fit(**{"validate": lambda: 0.5, name: value}), rf"^{name} must be a whole number from 1 on")
    if name != "validate_every":
        refused(lambda: train(**{name: value}), rf"^{name} must be a whole number from 1 on")


def test_the_seed_may_be_0_and_must_be_whole():
    refused(lambda: fit(seed=-1), r"^seed must be a whole number from 0 on, below 2⁴⁰, not -1")
    refused(lambda: fit(seed=0.5), r"^seed must be a whole number from 0 on, below 2⁴⁰, not 0.5")


def test_the_number_of_pictures_steps():
    refused(lambda: tp.Game(Painter(), Judge(), latents, picture_every=0), r"^picture_every must be a whole number")


# ---- networks and optimisers


def test_a_class_in_place_of_an_instance():
    refused(lambda: fit(network=nn.Linear, optimiser=sgd(small_network())), r"not the class Linear: call the class")
    refused(lambda: fit(optimiser=torch.optim.SGD), r"not the class SGD: call the class, SGD\(…\)$")
    refused(lambda: train(networks={"network": Judge}, optimisers={"network": sgd(Judge())}), r"not the class Judge")
    refused(lambda: train(step=None), r"^step must be a function, not NoneType")


def test_dictionaries_are_asked_for():
    network = small_network()
    refused(lambda: train(networks=network, optimisers={"network": sgd(network)}), r"^networks must be a dictionary")
    refused(lambda: train(networks={"network": network}, optimisers=sgd(network)), r"^optimisers must be a dictionary")
    refused(lambda: train(networks={"network": network}, optimisers={}), r"^optimisers must be a dictionary")


def test_an_optimiser_of_a_network_that_was_made_before():
    refused(lambda: fit(optimiser=sgd(small_network())), r"holds none of the weights of 'network'")
    refused(lambda: train(optimisers={"network": sgd(small_network())}), r"holds none of the weights of 'network'")
    refused(lambda: train(optimisers={"other": sgd(small_network())}), r"holds none of the weights of the networks")


def test_optimisers_that_are_exchanged():
    G, D = Painter(), Judge()
    swapped = {"G": sgd(D), "D": sgd(G)}
    refused(lambda: train(networks={"G": G, "D": D}, optimisers=swapped), r"are two optimisers exchanged\?$")
    refused(lambda: tp.Game(G, D, latents).train(nothing, swapped, IMAGES, 3), r"are two optimisers exchanged\?$")


def test_weights_that_no_checkpoint_would_hold():
    network, other = small_network(), nn.Linear(2, 2)
    both = torch.optim.SGD([*network.parameters(), *other.parameters()], 0.1)
    refused(lambda: train(networks={"network": network}, optimisers={"network": both}), r"in none of the networks")
    assert train(lambda x, generator: {"loss": 0.0}, {"network": network, "other": other}, {"both": both}).step == 3


def test_schedules_and_optimisers_that_need_more_than_a_step():
    network = small_network()
    optimiser = sgd(network)
    refused(lambda: fit(network=network, optimiser=optimiser, schedule=SCHEDULES.ReduceLROnPlateau(optimiser)),
            r"^ReduceLROnPlateau waits for a measured number")
    refused(lambda: fit(network=network, optimiser=optimiser, schedule=SCHEDULES.StepLR(sgd(network), 2)),
            r"^the schedule belongs to another optimiser")
    refused(lambda: fit(network=network, optimiser=torch.optim.LBFGS(network.parameters())), r"^LBFGS computes the")


def test_lbfgs_in_a_step_of_ones_own():
    network = small_network()
    optimiser = torch.optim.LBFGS(network.parameters(), 0.1)

    def step(x, y, generator):
        def loss():
            optimiser.zero_grad()
            value = nn.functional.cross_entropy(network(x), y)
            value.backward()
            return value

        return {"loss": optimiser.step(loss)}

    run = train(step, {"network": network}, {"network": optimiser}, labels=LABELS, steps=4, name="lbfgs")
    assert run.history["loss"][-1] < run.history["loss"][0]


# ---- what a step returns


@pytest.mark.parametrize(("returned", "match"), [
    (None, r"^step must return \{curve: number\}.*not NoneType"),
    (torch.tensor(1.0), r"^step must return \{curve: number\}.*not float32 \[\]"),
    ({}, r"^step must return"),
    ({"loss": torch.ones(3)}, r"one number for the curve 'loss', a scalar tensor, not float32 \[3\]"),
    ({"loss": None}, r"one number for the curve 'loss', a scalar tensor, not NoneType"),
])
def test_what_a_step_returns(returned, match):
    refused(lambda: train(lambda x, generator: returned), match)


def test_a_curve_that_is_missing_later():
    steps = []

    def step(x, generator):
        steps.append(1)
        return {"a": 1.0} if len(steps) > 2 else {"a": 1.0, "b": 2.0}

    refused(lambda: train(step, steps=5), r"^step has returned the curves a, and before that a, b")


def test_numbers_of_any_kind_are_curves():
    run = train(lambda x, generator: {"a": 1, "b": 0.5, "c": np.float64(2), "d": torch.ones(1, 1, dtype=torch.double)})
    assert dict(run.history) == {"a": [1.0] * 3, "b": [0.5] * 3, "c": [2.0] * 3, "d": [1.0] * 3}


def test_curves_keep_their_names_in_whatever_order_they_come():
    run = train(lambda x, generator: {"a": 1, "b": 2} if generator.initial_seed() % 2 else {"b": 2, "a": 1})
    assert dict(run.history) == {"a": [1.0] * 3, "b": [2.0] * 3}


@pytest.mark.parametrize(("options", "match"), [
    ({"loss": nn.CrossEntropyLoss}, r"^loss must be a function, not the class CrossEntropyLoss: call the class"),
    ({"prepare": None}, r"^prepare must be a function, not NoneType"),
    ({"schedule": SCHEDULES.StepLR}, r"^schedule must be one of torch.optim.lr_scheduler"),
    ({"validate": 0.5}, r"^validate must be a function, not float"),
    ({"seed": 2**62}, r"^seed must be a whole number from 0 on, below"),
])
def test_what_is_no_function(options, match):
    refused(lambda: fit(**options), match)


def test_an_after_that_is_a_class():
    refused(lambda: train(after=tp.Validation), r"^after must be a function, not the class Validation: call the class")


def test_numpy_images_of_float64():
    assert fit(IMAGES.numpy() / 255).step == 3
