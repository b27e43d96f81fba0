"""TP 11's rows: classifiers of MNIST that see a hundred labels, and how each is trained and measured.

A row is a function of a Case that returns a Classifier. The pieces that are exercises of TP 11 come with the case: the
notebook hands in those that `tp.check` returned, the study (tp_utils/study.py) those of the solution notebook.

Budgets are fixed beforehand and the last weights count. The test images are looked at on the way, for the curves, and
decide nothing.
"""

import math
import time
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from filelock import FileLock
from torch import nn
from torch.nn import functional as F

from . import data, distortion
from .data.imageset import resized
from .measure import accuracy, confusion
from .runtime import cache_dir, device, pick, seed
from .training import fit, train_gan
from .training.fit import pixels

CLASSES, GAN_SIZE, NZ = 10, 32, 64
DRAWS = {"random": {"n": 100}, "balanced": {"per_class": 10}}
EVALUATIONS = 12  # points of a curve on the test images

EXERCISES = {
    "draw_labels": "11.1", "augment": "11.2", "FewLabelCNN": "11.3", "classifier_from": "11.4",
    "mutual_information_loss": "11.5", "critic_loss": "11.6", "critic_generator_loss": "11.7", "clip_weights": "11.8",
    "gradient_penalty": "11.9", "semi_supervised_loss": "11.10", "select_pseudo_labels": "11.11",
    "class_weights": "11.12", "feature_matching_loss": "11.13",
}


@lru_cache
def mnist():
    """The digits: read once."""
    return data.mnist()


def test_set():
    """(images, labels) of the 10,000 test digits; of a few in the smoke profile."""
    count = budget()["test images"]
    return mnist().test_images[:count], mnist().test_labels[:count]


def budget():
    """Steps and batch sizes, by profile."""
    return {
        "steps": pick(smoke=4, cpu=600, full=1500), "batch": pick(smoke=8, cpu=50, full=50),
        "game steps": pick(smoke=2, cpu=2000, full=8000), "game batch": pick(smoke=8, cpu=64, full=128),
        "critic steps": pick(smoke=2, cpu=1000, full=8000),
        "rounds": pick(smoke=2, cpu=3, full=5), "round steps": pick(smoke=2, cpu=500, full=1500),
        "round batch": pick(smoke=8, cpu=100, full=128), "all steps": pick(smoke=4, cpu=1500, full=4000),
        "student steps": pick(smoke=2, cpu=3500, full=10000), "student batch": pick(smoke=16, cpu=256, full=256),
        "test images": pick(smoke=200, cpu=10000, full=10000), "all images": pick(smoke=500, cpu=60000, full=60000),
    }


@dataclass
class Case:
    """What a row gets: the images whose labels it may see (int64 [n]), the draw's name, a seed, augmentation, tools.

    tools: an object with the functions and classes named in EXERCISES
    """

    chosen: torch.Tensor
    draw: str
    seed: int
    augmented: bool
    tools: object

    @property
    def labelled(self):
        """(images uint8 [n, 1, 28, 28], labels int64 [n]): all that is known of the labels."""
        digits = mnist()
        return digits.train_images[self.chosen], digits.train_labels[self.chosen]

    @property
    def prepare(self):
        """From a batch to the network's input float32 in [0, 1], augmented if this row is."""
        augment = self.tools.augment

        def augmented(images, generator):
            return augment(pixels(images, generator), generator)

        return augmented if self.augmented else pixels

    def name(self, row):
        """That of a checkpoint."""
        return f"tp11-{row}{'-augmented' if self.augmented else ''}-{self.draw}-{self.seed}"


@dataclass
class Classifier:
    """A network, the side of the images that it takes, and its test accuracies on the way [(step, accuracy)]."""

    network: nn.Module
    side: int
    curve: list

    @torch.no_grad()
    def logits(self, images):
        """float32 [N, K] of digits uint8 [N, 1, H, W], in eval mode, on the CPU."""
        self.network.eval()
        return torch.cat([self.network(pixels(resized(part, self.side).to(device()), None)).cpu()
                          for part in images.split(100)])


def classifier(row, network, case, images, labels, steps, batch_size, rate=1e-3, weights=None, side=28):
    """Train a network on labelled digits for a fixed number of steps with Adam, its rate falling to 0."""
    images, (shown, truth) = resized(images, side), test_set()
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    made = Classifier(network, side, [])
    loss = nn.CrossEntropyLoss(weight=None if weights is None else weights.to(device()))

    def test():
        return accuracy(made.logits(shown).argmax(1), truth)

    run = fit(network, images, labels, optimiser, steps, batch_size=batch_size, prepare=case.prepare, loss=loss,
              schedule=schedule, validate=test, validate_every=max(1, steps // EVALUATIONS),
              name=case.name(row), seed=case.seed, live=False)
    made.curve = run.history["validation"]
    return made


# ---- the players, as in TP 9, on 32 × 32


class Generator(nn.Module):
    """z [N, nz, 1, 1] → x̃ [N, 1, 32, 32] in [−1, 1]."""

    def __init__(self, nz=NZ, width=32):
        super().__init__()

        def block(inputs, outputs, *shape):
            return [nn.ConvTranspose2d(inputs, outputs, 4, *shape, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

        self.layers = nn.Sequential(*block(nz, 4 * width), *block(4 * width, 2 * width, 2, 1),
                                    *block(2 * width, width, 2, 1), nn.ConvTranspose2d(width, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.layers(z)


class Discriminator(nn.Module):
    """x [N, 1, 32, 32] → logits [N], or [N, outputs] for more than one output.

    features: x → [N, 64 width], what it judges by;  last: nn.Linear from there to the logits.
    """

    def __init__(self, outputs=1, width=32, norm=True):
        super().__init__()

        def block(inputs, outputs):
            return [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not norm),
                    nn.BatchNorm2d(outputs) if norm else nn.Identity(), nn.LeakyReLU(0.2)]

        self.features = nn.Sequential(*block(1, width), *block(width, 2 * width), *block(2 * width, 4 * width),
                                      nn.Flatten())
        self.last = nn.Linear(64 * width, outputs)

    def forward(self, x):
        logits = self.last(self.features(x))
        return logits.flatten() if logits.shape[1] == 1 else logits


def initialised(network):
    """DCGAN's first weights: N(0, 0.02), of batch norms N(1, 0.02), biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.BatchNorm2d):
            nn.init.normal_(module.weight, float(isinstance(module, nn.BatchNorm2d)), 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def gaussian(n, generator):
    """Latents of DCGAN."""
    return torch.randn(n, NZ, 1, 1, generator=generator)


def with_code(n, generator):
    """Latents of InfoGAN: the last ten numbers are a one-hot code, a class drawn at random."""
    code = F.one_hot(torch.randint(CLASSES, (n,), generator=generator), CLASSES).float()
    return torch.cat([torch.randn(n, NZ - CLASSES, generator=generator), code], 1).view(n, NZ, 1, 1)


def adversarial_D(real_logits, fake_logits):
    """−mean ln D(x) − mean ln(1 − D(x̃)), as in TP 9."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def adversarial_G(fake_logits):
    """−mean ln D(x̃), as in TP 9."""
    return F.softplus(-fake_logits).mean()


@lru_cache
def pool():
    """All training digits without their labels, uint8 [60000, 1, 32, 32]."""
    return resized(mnist().train_images, GAN_SIZE)


def play(name, seed_, D, loss_D=adversarial_D, loss_G=adversarial_G, latent=gaussian, optimiser=None, steps=None,
         **more):
    """A game on the pool; of two processes that want the same game, one waits."""
    G = initialised(Generator())
    optimiser = optimiser or partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    with FileLock(cache_dir("locks") / f"{name}.lock"):
        return train_gan(G, D, pool(), steps or budget()["game steps"], loss_D=loss_D, loss_G=loss_G, latent=latent,
                         optimiser_D=optimiser(D.parameters()), optimiser_G=optimiser(G.parameters()),
                         batch_size=budget()["game batch"], name=name, seed=seed_, live=False, **more)


def dcgan(tools, case_seed):
    seed(case_seed)
    return play(f"tp11-DCGAN-{case_seed}", case_seed, initialised(Discriminator()))


def infogan(tools, case_seed):
    """D has a second head, `code`, that guesses the code of generated images; D and G both want it to be right."""
    seed(case_seed)
    D, lost = Discriminator(), tools.mutual_information_loss
    D.code = nn.Linear(D.last.in_features, CLASSES)
    initialised(D)

    def information(x, fake, z):
        return lost(D.code(D.features(fake)), z.flatten(1)[:, -CLASSES:].argmax(1))

    return play(f"tp11-InfoGAN-{case_seed}", case_seed, D, latent=with_code, term_D=information, term_G=information)


def wgan(tools, case_seed):
    """Weights clipped after each update of the critic."""
    seed(case_seed)
    critic = initialised(Discriminator())

    def optimiser(weights):
        weights = list(weights)
        made = torch.optim.RMSprop(weights, lr=5e-5)
        if weights[0] is next(critic.parameters()):
            made.register_step_post_hook(lambda *_: tools.clip_weights(critic, 0.01))
        return made

    return play(f"tp11-WGAN-{case_seed}", case_seed, critic, tools.critic_loss, tools.critic_generator_loss,
                optimiser=optimiser, nb_update_D=5, steps=budget()["critic steps"])


def wgan_gp(tools, case_seed):
    """The critic's gradient held near 1; no batch norm in it, whose gradient would mix the images of a batch."""
    seed(case_seed)
    critic, gradient_penalty = Discriminator(norm=False), tools.gradient_penalty

    def penalty(x, fake, z):
        return 10 * gradient_penalty(critic, x, fake, None)

    return play(f"tp11-WGAN-GP-{case_seed}", case_seed, critic, tools.critic_loss, tools.critic_generator_loss,
                term_D=penalty, optimiser=partial(torch.optim.Adam, lr=1e-4, betas=(0.5, 0.9)), nb_update_D=5,
                steps=budget()["critic steps"])


# ---- the rows


def cnn(case, steps=None):
    """A CNN on the labelled images alone."""
    seed(case.seed)
    return classifier("CNN", case.tools.FewLabelCNN(), case, *case.labelled, steps or budget()["steps"],
                      budget()["batch"])


class Signed(nn.Module):
    """A network for images in [−1, 1], given images in [0, 1]."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(2 * x - 1)


def pretrained(game, case):
    """The discriminator of a game on the whole pool, its last layer replaced, fine-tuned on the labelled images."""
    D = game(case.tools, case.seed).D
    seed(case.seed)
    network = Signed(case.tools.classifier_from(D, CLASSES))
    return classifier(game.__name__, network, case, *case.labelled, budget()["steps"], budget()["batch"], rate=3e-4,
                      side=GAN_SIZE)


def semi_supervised(case):
    """DCGAN whose D tells ten digits from "generated", trained on labels and pool at the same time."""
    seed(case.seed)
    D, loss, prepare, batch = Discriminator(CLASSES), case.tools.semi_supervised_loss, case.prepare, budget()["batch"]
    images, labels = resized(case.labelled[0], GAN_SIZE).to(device()), case.labelled[1].to(device())

    def loss_D(real_logits, fake_logits):
        chosen = torch.randint(len(labels), (batch,)).to(device())
        x = 2 * prepare(images[chosen], torch.default_generator) - 1
        return loss(D(x), labels[chosen], real_logits, fake_logits)

    play(case.name("semi-supervised"), case.seed, initialised(D), loss_D, salimans_G)
    return Classifier(Signed(D), GAN_SIZE, [])


def salimans_G(fake_logits):
    """−mean ln D(x̃), where D(x̃) is the probability of all ten digits together."""
    return adversarial_G(fake_logits.logsumexp(1))


def self_trained(case, weighted=False):
    """The semi-supervised GAN's confident predictions as labels for a CNN, whose own are the next one's, and so on."""
    digits, teacher = mnist(), semi_supervised(case)
    for k in range(budget()["rounds"]):
        labels = torch.full((len(digits.train_labels),), -1)
        sure, predicted = case.tools.select_pseudo_labels(teacher.logits(digits.train_images), 0.70)
        labels[sure] = predicted
        labels[case.chosen] = case.labelled[1]
        kept = (labels >= 0).nonzero().flatten()
        weights = weights_of(teacher, case) if weighted else None
        seed(case.seed + k)
        teacher = classifier(f"{'weighted' if weighted else 'self-trained'} {k + 1}", case.tools.FewLabelCNN(), case,
                             digits.train_images[kept], labels[kept], budget()["round steps"], budget()["round batch"],
                             weights=weights)
    return teacher


def weights_of(teacher, case, copies=50):
    """Class weights from what the teacher makes of the labelled images, each turned and moved in 50 ways.

    The hundred labels are all we may know; on the images themselves the teacher makes no mistakes.
    """
    images, labels = (part.repeat_interleave(copies, dim=0) for part in case.labelled)
    moved = case.tools.augment(pixels(images, None), torch.Generator().manual_seed(case.seed))
    logits = teacher.logits((255 * moved).round().byte())
    return case.tools.class_weights(confusion(logits.argmax(1), labels, CLASSES))


class SmallCNN(nn.Module):
    """Digits [N, 1, 28, 28] → logits [N, K]: strides in place of pools, a fifth of the baseline's work."""

    def __init__(self):
        super().__init__()

        def block(inputs, outputs, kernel, stride):
            return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs),
                    nn.ReLU()]

        self.layers = nn.Sequential(
            *block(1, 32, 5, 2), *block(32, 64, 3, 2), *block(64, 64, 3, 1), *block(64, 64, 3, 1), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(64 * 49, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(),
            nn.Linear(128, CLASSES))

    def forward(self, x):
        return self.layers(x)


def spread_labels(case):
    """Probabilities float32 [N, K] of the whole pool: the hundred labels, spread along a graph of similar digits."""
    with FileLock(cache_dir("locks") / "tp11-graph.lock"):
        graph = distortion.nearest(mnist().train_images)
    return distortion.spread(graph, case.chosen, case.labelled[1])


def spread_and_taught(case):
    """No GAN: labels are spread along the graph, and a CNN learns from the surest 97 % of them."""
    sure, predicted = spread_labels(case).max(1)
    predicted[case.chosen] = case.labelled[1]
    kept = torch.cat([surest((predicted == k).nonzero().flatten(), sure) for k in range(CLASSES)])
    seed(case.seed)
    return classifier("spread", SmallCNN(), case, mnist().train_images[kept], predicted[kept],
                      budget()["student steps"], budget()["student batch"], rate=3e-3)


def surest(indices, sure, share=0.97):
    """Those of the images that are in the surest `share` of their class."""
    return indices[sure[indices].argsort(descending=True)[:math.ceil(share * len(indices))]]


def all_labels(row, make, case):
    """A network on all 60,000 labels: what there is to win."""
    digits = mnist()
    seed(case.seed)
    network = make(case.tools)
    return classifier(row, network, case, digits.train_images, digits.train_labels, budget()["all steps"],
                      budget()["round batch"])


def linear(tools):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, CLASSES))


def mlp(tools):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.3), nn.Linear(512, CLASSES))


def whole_cnn(tools):
    return tools.FewLabelCNN()


class Neighbours:
    """The three nearest of all training images, by scikit-learn."""

    curve = ()

    def __init__(self, images, labels):
        from sklearn.neighbors import KNeighborsClassifier

        self.found = KNeighborsClassifier(3, algorithm="brute").fit(images.flatten(1).numpy() / 255.0, labels)

    def logits(self, images):
        votes = self.found.predict_proba(images.flatten(1).numpy() / 255.0)
        return torch.from_numpy(votes).float().clamp_min(1e-6).log()


def neighbours(case):
    digits = mnist()
    return Neighbours(digits.train_images[:budget()["all images"]], digits.train_labels[:budget()["all images"]])


ROWS = {  # name: (function of a Case, augmented)
    "cnn": (cnn, False), "cnn-augmented": (cnn, True),
    **{f"{game.__name__.replace('_', '-')}{suffix}": (partial(pretrained, game), suffix != "")
       for game in (dcgan, infogan, wgan, wgan_gp) for suffix in ("", "-augmented")},
    "semi-supervised": (semi_supervised, True),
    "self-trained": (self_trained, True), "weighted": (partial(self_trained, weighted=True), True),
    "spread": (spread_and_taught, True),
    "all-linear": (partial(all_labels, "linear", linear), False), "all-neighbours": (neighbours, False),
    "all-mlp": (partial(all_labels, "MLP", mlp), False), "all-cnn": (partial(all_labels, "CNN-all", whole_cnn), False),
}


def draw(name, seed_, tools):
    """The indices of the images whose labels may be seen, int64 [100]: "random" or "balanced"."""
    return tools.draw_labels(mnist().train_labels, **DRAWS[name], generator=torch.Generator().manual_seed(seed_))


def train(row, draw_, seed_, tools):
    """The Classifier of a row of the table."""
    function, augmented = ROWS[row]
    return function(Case(draw(draw_, seed_, tools), draw_, seed_, augmented, tools))


def measure(row, draw_, seed_, tools):
    """Train one cell of the table and look at the 10,000 test images: a dict of plain numbers and lists.

    test_accuracy is that of the last weights; best_on_test what one would have reported with the test set in view.
    most_wrong: up to 40 [test image, predicted class, its probability], the surest mistakes first
    """
    start = time.perf_counter()
    made = train(row, draw_, seed_, tools)
    seconds, (images, labels) = time.perf_counter() - start, test_set()
    sure, predicted = made.logits(images).softmax(1).max(1)
    right = predicted == labels
    wrong = (~right).nonzero().flatten()
    wrong = wrong[sure[wrong].argsort(descending=True)][:40].tolist()
    last = accuracy(predicted, labels)
    return {
        "row": row, "draw": draw_, "seed": seed_, "test_accuracy": last,
        "best_on_test": max([last, *(value for _, value in made.curve)]), "curve": list(made.curve),
        "confusion": confusion(predicted, labels, CLASSES).tolist(),
        "most_wrong": [[i, predicted[i].item(), round(sure[i].item(), 3)] for i in wrong],
        "seconds": round(seconds, 1),
    }
