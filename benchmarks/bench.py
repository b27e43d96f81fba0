"""The heavy steps, timed side by side in one run: python -m benchmarks.bench (or `make bench`).

Prints a table and writes results/bench.json. Numbers of two runs compare only on one machine; the rows of one
run always do. Each row: the median of REPEAT repetitions after one that warms up.
"""

import contextlib
import os
import statistics
import time

import torch
from torch import nn

from tp_utils import data, nets, runtime
from tp_utils.show import Table

REPEAT = 5
IMAGES, BATCH = 128, 32
COMMAND = "python -m benchmarks.bench"


def mnist():
    """MNIST read, verified, as tensors"""
    def step():
        with contextlib.redirect_stdout(None):  # it says where it was found
            data.mnist()
    return step, 1, "ms"


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


# A benchmark returns (step, how many things a step does, unit); its docstring is its label. Add yours here.
BENCHMARKS = [mnist, features_channels_last, features_contiguous, saliency]


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
