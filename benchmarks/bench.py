"""The heavy steps, timed side by side in one run: python -m benchmarks.bench (or `make bench`).

Prints a table and writes results/bench.json. Numbers of two runs compare only on one machine; the rows of one
run always do. Each row: the median of REPEAT repetitions after one that warms up.
"""

import contextlib
import gzip
import os
import statistics
import time

import torch
from torch import nn

from tp_utils import data, nets, runtime
from tp_utils.checks import solutions
from tp_utils.data.embedded import EMBEDDED
from tp_utils.show import Table
from tp_utils.training import train_gan

REPEAT = 5
IMAGES, BATCH = 128, 32  # of the ImageNet networks
STEPS = 10  # of a game in a repetition
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
    """DCGAN of TP 9, batch 128: a step of train_gan"""
    D, G, options = players()
    images = data.resized(quiet_mnist().train_images, 32)

    def step():
        with contextlib.redirect_stdout(None):
            train_gan(G, D, images, STEPS, latent=latent, batch_size=128, picture_every=0, live=False, **options)
        if runtime.device().type == "cuda":
            torch.cuda.synchronize()
    return step, STEPS, "ms per step"


def usual_game():
    """The same players, batch 128: a step of the usual loop (DataLoader, two passes of G, .item())"""
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    raw = runtime.cache_dir("bench", "MNIST", "raw")
    for packed in (EMBEDDED / "mnist").glob("*.gz"):
        (raw / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    prepare = transforms.Compose([transforms.Resize(32), transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
    loader = DataLoader(datasets.MNIST(raw.parent.parent, transform=prepare), 128, shuffle=True, num_workers=2)
    D, G, options = players()
    D.to(runtime.device()), G.to(runtime.device())
    batches = iter(loader)

    def step():
        for _ in range(STEPS):
            x = next(batches)[0].to(runtime.device())
            z = torch.randn(len(x), 100, 1, 1, device=runtime.device())
            loss = options["loss_D"](D(x), D(G(z).detach()))
            options["optimiser_D"].zero_grad()
            loss.backward()
            options["optimiser_D"].step()
            loss.item()
            loss = options["loss_G"](D(G(z)))
            options["optimiser_G"].zero_grad()
            loss.backward()
            options["optimiser_G"].step()
            loss.item()
    return step, STEPS, "ms per step"


# A benchmark returns (step, how many things a step does, unit); its docstring is its label. Add yours here.
BENCHMARKS = [mnist, features_channels_last, features_contiguous, saliency, game, usual_game]


def players():
    """The solution's D and G of TP 9 with the handout's settings, and what train_gan needs to know of them."""
    torch.manual_seed(0)
    solution = solutions(9)
    D, G = solution["9.3"](solution["9.1"]()), solution["9.3"](solution["9.2"]())
    return D, G, {"loss_D": solution["9.5"], "loss_G": solution["9.6"],
                  "optimiser_D": torch.optim.Adam(D.parameters(), 2e-4, betas=(0.5, 0.999)),
                  "optimiser_G": torch.optim.Adam(G.parameters(), 2e-4, betas=(0.5, 0.999))}


def latent(n, generator):
    return torch.randn(n, 100, 1, 1, generator=generator)


def quiet_mnist():
    with contextlib.redirect_stdout(None):  # it says where it was found
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


def milliseconds(step):
    """The times of REPEAT repetitions; each step ends with its result on the CPU, which waits for a GPU."""
    times = []
    for _ in range(REPEAT + 1):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return times[1:]


def main():
    os.environ["TP_RESULTS"] = "1"
    numbers = {}
    for benchmark in BENCHMARKS:
        step, count, unit = benchmark()
        times = [total / count for total in milliseconds(step)]
        numbers[benchmark.__name__] = {
            "what": benchmark.__doc__, "unit": unit, "median": round(statistics.median(times), 3),
            "times": [round(value, 3) for value in times]}
    rows = [[n["what"], f"{n['median']:.1f}", f"{min(n['times']):.1f} to {max(n['times']):.1f}", n["unit"]]
            for n in numbers.values()]
    print(Table(["what", "median", "range", "unit"], rows,
                caption=f"{runtime.device()}, {torch.get_num_threads()} threads, median of {REPEAT}"))
    runtime.save_results("bench", {"threads": torch.get_num_threads(), "benchmarks": numbers}, COMMAND)


if __name__ == "__main__":
    main()
