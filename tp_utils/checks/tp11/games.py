"""Exercises 11.5 to 11.9 and 11.13: what the players of a game minimise, and what bounds a critic."""

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, compare, describe, same
from ..kit.draws import drawn, expect_default, expect_drawn
from ..kit.losses import CUT, EACH, expect_loss
from ..kit.networks import normal
from .common import SIGN, SOFTMAX_TWICE, SUM

# What is said to the reader.

# 11.5 to 11.7, 11.10, 11.13
LOGISTIC = "no sigmoid and no logarithm: a critic's scores are any real numbers, the loss is a difference of means"
PULL = "the two means are subtracted: real and generated images pull apart"
ABSOLUTE = "no absolute value: the sign says which side is higher"

# 11.8
BIASES = "some weights are still outside [−bound, bound]: clip biases too, all of critic.parameters()"
ONE_SIDE = "one side only is clipped: {} is missing, clamp_(-bound, bound)"
NOT_CLIPPED = "nothing is clipped: clamp_ changes in place, clamp makes a copy"
SCALED = "weights inside [−bound, bound] must stay what they are: clip, do not rescale"
REPLACED = "the critic's parameters were replaced by other tensors: the optimiser still holds the old ones; use clamp_"
CLIP_GRAD = "requires_grad of the weights has changed: use torch.no_grad(), and leave it alone"
NO_GRAD = "weights that learn may be changed in place under torch.no_grad() only"
LEFT_OFF = "use `with torch.no_grad():`, which ends by itself, and leave train and eval mode alone"
CLIPS_GRADIENTS = "that clips the gradients: clip the weights themselves"
BUFFERS = "running means and variances are no weights: critic.parameters(), not state_dict()"

# 11.9
ONE_SIDED = "the penalty is two-sided: norms below 1 count too, so no clamp or relu"
SQUARED_NORM = "that is (‖gradient‖² − 1)²: take the norm, not its square"
NOT_SQUARED = "the distance from 1 is squared: (‖gradient‖ − 1)²"
TO_ZERO = "the norm is compared with 1, not with 0"
WHOLE_BATCH = "that is the norm over the whole batch: one norm per image, flatten(1).norm(dim=1)"
L1 = "that is the sum of absolute values: take the Euclidean norm"
PER_CHANNEL = "that is a norm per channel or row: flatten(1) first, one norm per image"
NO_GRAPH = "the penalty must have a gradient with respect to the critic's weights: create_graph=True"
ENDS = "x̂ must lie between real and generated images: here it is {}"
ONE_SHARE = "each image has an ε of its own: torch.rand(n, 1, 1, 1, …)"
PIXEL_SHARE = "one ε per image, not one per pixel: torch.rand(n, 1, 1, 1, …)"
TOUCHED = "the critic's .grad has changed: torch.autograd.grad leaves it alone, backward() does not"
LAMBDA = "without the factor λ: the training loop multiplies"

# 11.13
MSE = "that is a mean over the features: the squared distance is their sum"
NOT_MEANS = ("mean first, then the distance: G shall match the mean features, not pair image with image, and there may "
             "be more of the one than of the other")
ROOT = "that is the distance: square it"
NO_SQUARE = "square the differences before you add them up"
SCALAR_MEAN = "one mean per feature, mean(0): not one over everything"


# ---- 11.5 to 11.7, 11.13: losses in closed form


def check_11_5(answer):
    """F.cross_entropy(code_logits, codes): it takes the logarithm of the softmax itself"""
    logits, codes = (3 * normal(7, 5)).requires_grad_(), torch.tensor([0, 1, 2, 3, 4, 1, 1]).to(device())
    logs, places = logits.detach().cpu().double().log_softmax(1), codes.cpu()  # float64 on the CPU: mps has none
    chosen = logs.gather(1, places[:, None]).flatten()
    soft = logs.exp()
    entropy = (soft * soft.log()).sum(1)
    twice = soft.log_softmax(1).gather(1, places[:, None]).mean()
    mistakes = [(chosen.mean(), SIGN + "the loss is minimised, the probability of the code shall grow"),
                (-chosen.sum(), SUM), (-twice, SOFTMAX_TWICE),
                (-soft.gather(1, places[:, None]).mean(), "the logarithm is missing: −mean ln Q(code | x̃)"),
                (-logits.detach().gather(1, codes[:, None]).mean(), "the softmax is missing: ln Q is a log_softmax"),
                (-entropy.mean(), "that is the entropy of Q: the code that was drawn must come in"),
                (entropy.mean(), "that is the entropy of Q: the code that was drawn must come in"),
                (F.binary_cross_entropy_with_logits(logits.detach(), F.one_hot(codes, 5).float()),
                 "that is a sigmoid for each code: one of K codes was drawn, take the softmax"),
                (F.mse_loss(logits.detach().softmax(1), F.one_hot(codes, 5).float()), "the logarithm is missing")]
    (gradient,) = expect_loss(answer, (logits, codes), -chosen.mean(), mistakes)
    expected = (soft - F.one_hot(places, 5)) / 7
    if gradient is None or not same(gradient, expected):
        raise Wrong("the gradient of cross-entropy", describe(gradient), CUT)


def check_11_6(answer):
    """fake_scores.mean() - real_scores.mean(): the critic wants high scores for real images"""
    real, fake = (normal(5) + 2).requires_grad_(), (3 * normal(8, seed=1) - 1).requires_grad_()
    r, f = real.detach().cpu().double(), fake.detach().cpu().double()
    gap = (r.mean() - f.mean()).abs()
    swapped = answer(fake, real)  # the other way round the loss changes its sign; an absolute value does not
    if isinstance(swapped, torch.Tensor) and same(swapped, answer(real, fake)) and same(swapped.abs(), gap):
        raise Wrong("another sign for the other order", describe(swapped), ABSOLUTE)
    mistakes = [(r.mean() - f.mean(), SIGN + "the critic minimises, and wants high scores for real images"),
                (f.sum() - r.sum(), SUM), (f.mean() + r.mean(), PULL),
                (-r.mean(), "the generated images are missing"), (f.mean(), "the real images are missing"),
                ((f.mean() - r.mean()) / 2, "without a factor 1/2"),
                (f.sigmoid().mean() - r.sigmoid().mean(), LOGISTIC),
                (F.softplus(-r).mean() + F.softplus(f).mean(), LOGISTIC),
                ((f.mean() - r.mean()) ** 2, "no square")]
    gradients = expect_loss(answer, (real, fake), f.mean() - r.mean(), mistakes)
    for gradient, expected in zip(gradients, (-torch.ones(5) / 5, torch.ones(8) / 8), strict=True):
        if gradient is None or not same(gradient, expected):
            raise Wrong("a gradient for all scores", describe(gradient), CUT)


def check_11_7(answer):
    """-fake_scores.mean(): G wants high scores for its images"""
    for shift in (2, -2):
        fake = (normal(8, seed=1) + shift).requires_grad_()
        f = fake.detach().cpu().double()
        mistakes = [(f.mean(), SIGN + "G minimises, and wants high scores for its images"), (-f.sum(), SUM),
                    (-f.sigmoid().mean(), LOGISTIC), (F.softplus(-f).mean(), LOGISTIC),
                    ((1 - f).mean(), "no 1: −mean of the scores"), (f.abs().mean(), ABSOLUTE),
                    (-f.mean().abs(), ABSOLUTE), (f.mean().abs(), ABSOLUTE), (f.pow(2).mean(), "no square")]
        (gradient,) = expect_loss(answer, (fake,), -f.mean(), mistakes)
        if gradient is None or not same(gradient, -torch.ones(8) / 8):
            raise Wrong("a gradient of −1/n for each score", describe(gradient), CUT)


def check_11_13(answer):
    """(real_features.mean(0) - fake_features.mean(0)).pow(2).sum()"""
    real, fake = normal(6, 5), (normal(9, 5, seed=1) + 1).requires_grad_()
    r, f = real.cpu().double(), fake.detach().cpu().double()
    gap = r.mean(0) - f.mean(0)
    pairs = (r[:, None] - f[None]).pow(2).sum(2)
    mistakes = [(gap.pow(2).mean(), MSE), (gap.norm(), ROOT), (gap.abs().sum(), NO_SQUARE),
                (gap.abs().mean(), NO_SQUARE), (gap.sum(), NO_SQUARE),
                *((one, NOT_MEANS) for one in (pairs.mean(), pairs.sqrt().mean(), pairs.mean() / 5)),
                *((one, NOT_MEANS) for one in ((r - f[:6]).pow(2).sum(1).mean(), (r - f[:6]).pow(2).mean())),
                (gap.sum().pow(2), "square each feature's difference, then add"),
                ((r.mean() - f.mean()).pow(2), SCALAR_MEAN), ((r.sum(0) - f.sum(0)).pow(2).sum(), SUM),
                (-gap.pow(2).sum(), SIGN + "the distance shall fall")]
    try:
        (gradient,) = expect_loss(answer, (real, fake), gap.pow(2).sum(), mistakes)
    except RuntimeError as error:
        if "size of tensor a (6)" not in str(error):
            raise
        raise Wrong("a scalar for 6 real and 9 generated images", f"RuntimeError: {error}", NOT_MEANS) from None
    if gradient is None or not same(gradient, (-2 * gap / 9).expand(9, 5)):
        raise Wrong("a gradient that reaches G's images", describe(gradient), CUT)


# ---- 11.8 and 11.9


def check_11_8(answer):
    """loop over critic.parameters(), under torch.no_grad(), weight.clamp_(-bound, bound)"""
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Sequential(nn.Linear(8, 1))).to(device())
    critic[0].bias.requires_grad_(False)
    for bound in (0.1, 0.01):
        with torch.no_grad():
            for weight in critic.parameters():
                weight.copy_(0.2 * normal(*weight.shape))
        before = {name: weight.detach().clone() for name, weight in critic.named_parameters()}
        names, own, flags = list(before), list(critic.parameters()), [w.requires_grad for w in critic.parameters()]
        buffers = [buffer.clone() for buffer in critic.buffers()]
        for weight in own:
            weight.grad = torch.ones_like(weight)
        try:
            answer(critic.train(), bound)
        except RuntimeError as error:
            if "leaf Variable" not in str(error):
                raise
            raise Wrong("weights clipped in place", f"RuntimeError: {error}", NO_GRAD) from None
        enabled = torch.is_grad_enabled()
        torch.set_grad_enabled(True)
        if not enabled or not critic.training:
            raise Wrong("grad mode and train mode as they were", "one of them changed", LEFT_OFF)
        if any(not torch.equal(weight.grad, torch.ones_like(weight)) for weight in own):
            raise Wrong(f"weights in [−{bound}, {bound}]", "other gradients", CLIPS_GRADIENTS)
        if not all(map(torch.equal, buffers, critic.buffers())):
            raise Wrong("weights and biases clipped", "batch norm's running statistics too", BUFFERS)
        now = dict(critic.named_parameters())
        if [id(weight) for weight in own] != [id(now.get(name)) for name in names]:
            raise Wrong("the same parameters, clipped", "other ones", REPLACED)
        if all(torch.equal(now[name], before[name]) for name in names):
            raise Wrong(f"weights in [−{bound}, {bound}]", "weights as before", NOT_CLIPPED)
        for name in names:
            for one_side, missing in (({"max": bound}, f"−{bound}"), ({"min": -bound}, bound)):
                clipped = before[name].clamp(**one_side)
                if same(now[name], clipped, 1e-6) and not same(now[name], before[name]) and clipped.abs().max() > bound:
                    raise Wrong(f"{name} in [−{bound}, {bound}]", describe(now[name]), ONE_SIDE.format(missing))
            if now[name].abs().max() > bound * 1.0001:
                raise Wrong(f"{name} in [−{bound}, {bound}]", describe(now[name]), BIASES)
            if not same(now[name], before[name].clamp(-bound, bound)):
                raise Wrong(f"{name}, clipped", describe(now[name]), SCALED)
        if [weight.requires_grad for weight in own] != flags:
            raise Wrong("requires_grad as it was", "changed", CLIP_GRAD)


class Quadratic(nn.Module):
    """A critic whose gradient at x is a · x: its norm is a ‖x‖."""

    def __init__(self, a=1.0):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a))

    def forward(self, x):
        return 0.5 * self.a * x.flatten(1).pow(2).sum(1)


def check_11_9(answer):
    """x̂ = share * real + (1 - share) * fake with requires_grad; torch.autograd.grad(critic(x̂).sum(), x̂,
    create_graph=True)[0]; flatten(1).norm(dim=1); mean of (norm - 1)²"""
    critic = Quadratic(0.7).to(device())
    x = normal(6, 2, 3, 3) * torch.linspace(0.1, 0.8, 6, device=device()).view(-1, 1, 1, 1)
    norms = 0.7 * x.cpu().double().flatten(1).norm(dim=1)
    found = answer(critic, x, x, drawn(0))
    expected = (norms - 1).pow(2).mean()
    flat = 0.7 * x.cpu().double()
    mistakes = [((norms - 1).clamp_min(0).pow(2).mean(), ONE_SIDED), ((norms**2 - 1).pow(2).mean(), SQUARED_NORM),
                ((norms - 1).abs().mean(), NOT_SQUARED), ((norms - 1).mean(), NOT_SQUARED),
                (norms.pow(2).mean(), TO_ZERO), (norms.mean(), TO_ZERO), ((norms - 1).pow(2).sum(), SUM),
                ((flat.norm() - 1).pow(2), WHOLE_BATCH), ((flat.abs().flatten(1).sum(1) - 1).pow(2).mean(), L1),
                ((flat.norm(dim=1) - 1).pow(2).mean(), PER_CHANNEL), (10 * expected, LAMBDA),
                ((flat.flatten(2).norm(dim=2) - 1).pow(2).mean(), PER_CHANNEL),
                ((norms.mean() - 1).pow(2), "the mean of the squares, not the square of the mean")]
    if isinstance(found, torch.Tensor) and found.numel() > 1:
        raise Wrong("a scalar", describe(found), EACH)
    compare(found, expected, mistakes)
    if critic.a.grad is not None:
        raise Wrong("gradients as they were", "a gradient in the critic's .grad", TOUCHED)
    gradient = torch.autograd.grad(found, critic.a, allow_unused=True)[0] if found.requires_grad else None
    if gradient is None or not same(gradient, (2 * (norms - 1) * norms / 0.7).mean(), 1e-3):
        raise Wrong("a gradient for the critic's weights", describe(gradient), NO_GRAPH)
    expect_between(answer)


def expect_between(answer):
    """Raise Wrong unless x̂ is uniform between real and generated images, with an ε for each."""
    class Noting(Quadratic):
        def forward(self, x):
            seen.append(torch.func.debug_unwrap(x).detach())  # the whole batch, though vmap shows one image at a time
            return super().forward(x)

    seen, n = [], 400
    real, fake = torch.full((n, 2, 4, 4), 1.0, device=device()), torch.zeros(n, 2, 4, 4, device=device())
    answer(Noting().to(device()), real, fake, drawn(1))
    share = seen[-1].reshape(n, -1)
    if share.min() < -1e-5 or share.max() > 1 + 1e-5:
        raise Wrong("x̂ between real and generated", describe(share), ENDS.format("outside"))
    if share.std(1).max() > 1e-4:
        raise Wrong("one ε per image", "different ones within an image", PIXEL_SHARE)
    each = share.mean(1)
    if each.std() < 1e-5:
        where = {0.0: "the generated image", 1.0: "the real image"}.get(round(each[0].item(), 4))
        raise Wrong("ε between 0 and 1, one per image", "the same for all",
                    ENDS.format(where) if where else ONE_SHARE)
    if abs(each.mean() - 0.5) > 0.06 or abs(each.std() - 12**-0.5) > 0.03:
        raise Wrong("ε uniform in [0, 1]", describe(each), "draw ε with torch.rand, uniform in [0, 1]")
    expect_drawn(lambda generator: answer(Quadratic().to(device()), real, fake, generator).detach())
    expect_default(lambda: answer(Quadratic().to(device()), real, fake, None).detach())
