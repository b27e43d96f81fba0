"""The heavy steps, timed side by side in one run: python -m benchmarks.bench (or `make bench`).

Prints a table and writes results/bench.json. Numbers of two runs compare only on one machine; the rows of one
run always do: they take turns. Each row: the median of REPEAT rounds after one that warms up.
"""

import contextlib
import gzip
import io
import os
import statistics
import time

import torch
from torch import nn

from tp_utils import data, nets, runtime
from tp_utils.checks import solutions
from tp_utils.data.embedded import EMBEDDED
from tp_utils.show import Table
from tp_utils.training import fit, train, update

REPEAT = 5
IMAGES, BATCH = 128, 32  # of the ImageNet networks
STEPS = 10  # of a game in a round; of a classifier five times as many
COMMAND = "python -m benchmarks.bench"


def mnist():
    """MNIST read, verified, as tensors"""
    return quiet_mnist, 1, "ms"


def features_channels_last():
    """SqueezeNet features, channels last"""
    return features(torch.channels_last)


def features_contiguous():
    """SqueezeNet features, contiguous"""
    return features(torch.contiguous_format)


def saliency():
    """SqueezeNet saliency: the gradient of a score"""
    network, images = squeezenet(torch.channels_last), random_images()

    def step():
        for batch in images.split(BATCH):
            x = nets.to_input(batch).requires_grad_()
            best = network(x).amax(1).sum()
            (gradient,) = torch.autograd.grad(best, x)
            gradient.abs().amax(1).cpu()
    return step, IMAGES, "ms per image"


def game():
    """DCGAN of TP 9, batch 128: a step of Algorithm 1, the notebook's own, in tp.train"""
    D, G, optimisers, solution = players()
    images = data.resized(quiet_mnist().train_images, 32)

    def one_step(x, generator):
        losses = solution["9.10"](D, G, optimisers["D"], optimisers["G"], batch=lambda: x,
                                  latent=lambda: latents(len(x), generator))
        return dict(zip(("D", "G"), losses, strict=True))

    def step():
        with quiet():
            train(one_step, {"G": G, "D": D}, optimisers, images, STEPS, batch_size=128, live=False)
        wait()
    return step, STEPS, "ms per step"


def usual_game():
    """The same players, batch 128: a step of the usual loop (DataLoader, two passes of G, .item())"""
    D, G, optimisers, solution = players()
    D.to(runtime.device())
    G.to(runtime.device())
    batches = iter(usual_loader())

    def step():
        for _ in range(STEPS):
            x = next(batches)[0].to(runtime.device())
            loss = solution["9.5"](D(x), D(G(latents(len(x))).detach()))
            update(optimisers["D"], loss)
            loss.item()
            loss = solution["9.6"](D(G(latents(len(x)))))
            update(optimisers["G"], loss)
            loss.item()
    return step, STEPS, "ms per step"


def fitted():
    """A small CNN on MNIST, batch 128: a step of fit"""
    network, optimiser, images, labels = classifier()

    def step():
        with quiet():
            fit(network, images, labels, optimiser, 5 * STEPS, batch_size=128, live=False)
        wait()
    return step, 5 * STEPS, "ms per step"


def plain_loop():
    """The same CNN, batch 128: a step of a plain loop over images in memory"""
    network, optimiser, images, labels = classifier()
    network.to(runtime.device(), memory_format=torch.channels_last).train()
    images, labels = images.to(runtime.device()), labels.to(runtime.device())

    def step():
        order, losses = torch.randperm(len(images), device=images.device), []
        for chosen in order[:5 * STEPS * 128].split(128):
            x = (images[chosen].float() / 255).contiguous(memory_format=torch.channels_last)
            loss = nn.functional.cross_entropy(network(x), labels[chosen])
            update(optimiser, loss)
            losses.append(loss.detach())
        torch.stack(losses).tolist()
    return step, 5 * STEPS, "ms per step"


# A benchmark returns (step, how many things a step does, unit); its docstring is its label. Add yours here.
BENCHMARKS = [mnist, features_channels_last, features_contiguous, saliency, game, usual_game, fitted, plain_loop]


def players():
    """The solution's D and G of TP 9 with the handout's settings, their optimisers, the solution."""
    torch.manual_seed(0)
    solution = solutions(9)
    D, G = solution["9.3"](solution["9.1"]()), solution["9.3"](solution["9.2"]())
    optimisers = {name: torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.999))
                  for name, network in (("D", D), ("G", G))}
    return D, G, optimisers, solution


def classifier():
    """A small CNN, its optimiser, MNIST."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
                            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1600, 10))
    mnist = quiet_mnist()
    return network, torch.optim.Adam(network.parameters(), 1e-3), mnist.train_images, mnist.train_labels


def usual_loader():
    """A DataLoader as tutorials have it: 128 images of MNIST, resized and converted one by one by two workers."""
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    raw = runtime.cache_dir("bench", "MNIST", "raw")
    for packed in (EMBEDDED / "mnist").glob("*.gz"):
        (raw / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    prepare = transforms.Compose([transforms.Resize(32), transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
    return DataLoader(datasets.MNIST(raw.parent.parent, transform=prepare), 128, shuffle=True, num_workers=2)


def wait():
    """Until a GPU has done what it was told."""
    if runtime.device().type == "cuda":
        torch.cuda.synchronize()


def latents(n, generator=None):
    return torch.randn(n, 100, 1, 1, generator=generator).to(runtime.device())


def quiet():
    """Within it nothing is said, and no progress bar drawn."""
    return contextlib.redirect_stdout(io.StringIO())


def quiet_mnist():
    with quiet():  # it says where it was found
        return data.mnist()


def features(layout):
    network, images = squeezenet(layout).features, random_images()

    def step():
        with torch.no_grad():
            for batch in images.split(BATCH):
                network(nets.to_input(batch).contiguous(memory_format=layout)).mean((2, 3)).cpu()
    return step, IMAGES, "ms per image"


def squeezenet(layout) -> nn.Module:
    return nets.pretrained(nets.EMBEDDED).to(memory_format=layout)


def random_images():
    """uint8 [IMAGES, 3, 224, 224]: what an image shows does not change the time."""
    return torch.randint(0, 256, (IMAGES, 3, 224, 224), dtype=torch.uint8, generator=runtime.seed(0))


def milliseconds(steps):
    """{name: its times in REPEAT rounds}, after a round that warms up. steps: {name: function}

    Side by side, so that whatever slows the machine down for a while slows all of them down. Each step ends with its
    result on the CPU, which waits for a GPU.
    """
    times = {name: [] for name in steps}
    for _ in range(REPEAT + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: values[1:] for name, values in times.items()}


def main():
    os.environ["TP_RESULTS"] = "1"
    made = {benchmark.__name__: (benchmark.__doc__, *benchmark()) for benchmark in BENCHMARKS}
    numbers = {}
    for name, totals in milliseconds({name: step for name, (_, step, *_) in made.items()}).items():
        what, _, count, unit = made[name]
        times = [total / count for total in totals]
        numbers[name] = {"what": what, "unit": unit, "median": round(statistics.median(times), 3),
                         "times": [round(value, 3) for value in times]}
    rows = [[n["what"], f"{n['median']:.1f}", f"{min(n['times']):.1f} to {max(n['times']):.1f}", n["unit"]]
            for n in numbers.values()]
    print(Table(["what", "median", "range", "unit"], rows,
                caption=f"{runtime.device()}, {torch.get_num_threads()} threads, median of {REPEAT}"))
    runtime.save_results("bench", {"threads": torch.get_num_threads(), "benchmarks": numbers}, COMMAND)


if __name__ == "__main__":
    main()
