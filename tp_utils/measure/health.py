"""Is a game going well? A panel of numbers and pictures, and one sentence of diagnosis from the numbers.

The rules, in this order (the last tenth of the steps counts; Fréchet distances are those of the judge's features):

    diverged      D's loss is above 10 (blind guessing costs 2 ln 2 = 1.39) or G's above 100, or all generated images
                  are alike to within one grey level: somebody's weights have run away
    G collapses   fewer classes are covered than the data have, or generated images of a class are on average less than
                  half as diverse as real ones
    D wins        D gives real images more than 0.95, generated ones less than 0.05, and the Fréchet distance is above
                  FAR times the floor: G's images are bad and D tells them with ease. (This rule comes before the last
                  one if the judge is less than DIGITS sure on average: the classes of what is no digit say nothing.)
    unfinished    none of these, but the Fréchet distance is above FAR times the floor
    healthy       none of these

A discriminator that is nearly always right is no illness by itself: with the non-saturating loss G still learns.
"""

from dataclasses import dataclass

import torch

from .. import show
from ..runtime import cached
from ..show import run_figure
from . import diversity, frechet, modes, neighbours
from .judge import mnist_judge, opinion

FAR = 30
DIGITS = 0.9  # the judge's mean confidence in real digits is 0.99, in noise 0.5 to 0.85
COUNT = 2000  # generated images that are measured

# What is said to the reader.
DIVERGED = "Diverged: {why}. A smaller learning rate, or one closer to the other player's, usually helps."
COLLAPSE = "G collapses: {why}."
FEW = "it draws {covered} of {classes} classes (missing: {missing})"
ALIKE = "its images of one class are {diversity:.0%} as diverse as real ones"
D_WINS = ("D wins: it gives real images {real:.2f} and generated ones {fake:.2f}, and these are {times:.0f} times as "
          "far from the data as the data from themselves.")
UNFINISHED = ("No illness, but not there yet: generated images are {times:.0f} times as far from the data as the "
              "data from themselves. Train longer, or look at what changed.")
HEALTHY = "Healthy: all {classes} classes, {times:.1f} times as far from the data as the data from themselves."
UNJUDGED = "No sign of divergence; there is no judge for these images: look at them."
EXPLODED, BLANK = "{player}'s loss is {loss:.0f}", "all generated images are alike"


@dataclass
class Health:
    """numbers: what was measured; sentence: the diagnosis; figure: the panel. Shows itself."""

    numbers: dict
    sentence: str
    figure: object

    def __str__(self):
        return f"{show.Table(['measure', 'value', 'of real images'], rows(self.numbers))}\n{self.sentence}"

    __repr__ = __str__

    def _repr_html_(self):
        import base64

        table = show.Table(["measure", "value", "of real images"], rows(self.numbers))
        picture = base64.b64encode(show.png(self.figure)).decode()
        return (f'<img alt="the course of the game" src="data:image/png;base64,{picture}">'
                f"{table._repr_html_()}<p><b>{self.sentence}</b></p>")


def report(game, real=None, count=COUNT, title="The game"):
    """The Health of a game.

    game:  a tp.Game that was trained
    real:  digits uint8 [N, 1, H, W], N ≥ 2 count: the first `count` images are the data that generated ones are
           compared with, the next `count` say how far apart real images are (the floor). None: images without a judge
    """
    numbers = of(game, real, count)
    return Health(numbers, diagnosis(numbers), run_figure(game.run, title))


def of(game, real=None, count=COUNT):
    """The numbers of the report, a dict. Those of the judge take seconds: they are kept in the cache."""
    generated, _ = game.generate(count)
    numbers = {"contrast": contrast(generated)} | course(game.history)
    if real is None:
        return numbers
    inputs = [generated, real[:2 * count], *mnist_judge().state_dict().values()]
    return numbers | cached("health", inputs, lambda: measured(generated, real))


def measured(generated, real):
    """Numbers of generated digits uint8 [n, 1, H, W] against real ones [N ≥ 2 n, 1, H, W], as a dict."""
    count = len(generated)
    if len(real) < 2 * count:
        raise ValueError(f"{count} generated images need {2 * count} real ones, there are {len(real)}")
    features, probabilities = opinion(generated)
    real_features, real_probabilities = opinion(real[:2 * count])
    labels, predictions = real_probabilities[:count].argmax(1), probabilities.argmax(1)
    data, others = real_features.split(count)
    classes = probabilities.shape[1]
    covered, entropy = modes(predictions, classes)
    spread = diversity(features, predictions, data, labels)
    return {
        "frechet": frechet(data, features), "floor": frechet(data, others),
        **neighbours(data, features), "real": neighbours(data, others),
        "classes": classes, "covered": covered, "entropy": entropy,
        "real_entropy": modes(labels, classes)[1],
        "diversity": spread.nanmean().item(), "confidence": probabilities.amax(1).mean().item(),
    }


def contrast(images):
    """How much images differ from one another: mean over the pixels of the standard deviation, in grey levels."""
    return images.float().std(0).mean().item()


def course(history):
    """Means over the last tenth of the steps of a game."""
    def last(curve):
        values = torch.tensor(history[curve][-max(1, len(history[curve]) // 10):])
        return values.mean().item()

    return {"loss_D": last("D"), "loss_G": last("G"),
            "D(x)": last("D(x)"), "D(G(z))": last("D(G(z))")}


def diagnosis(numbers):
    """The sentence for a dict of numbers, by the rules at the top of this module."""
    for player, limit in (("D", 10), ("G", 100)):
        if not numbers[f"loss_{player}"] < limit:
            return DIVERGED.format(why=EXPLODED.format(player=player, loss=numbers[f"loss_{player}"]))
    if not numbers["contrast"] >= 1:
        return DIVERGED.format(why=BLANK)
    if "frechet" not in numbers:
        return UNJUDGED
    times = numbers["frechet"] / numbers["floor"]
    lost = times > FAR and numbers["D(x)"] > 0.95 and numbers["D(G(z))"] < 0.05
    wins = D_WINS.format(real=numbers["D(x)"], fake=numbers["D(G(z))"], times=times)
    if lost and numbers["confidence"] < DIGITS:
        return wins
    missing = sorted(set(range(numbers["classes"])) - set(numbers["covered"]))
    if missing:
        return COLLAPSE.format(why=FEW.format(covered=len(numbers["covered"]), classes=numbers["classes"],
                                              missing=", ".join(map(str, missing))))
    if numbers["diversity"] < 0.5:
        return COLLAPSE.format(why=ALIKE.format(diversity=numbers["diversity"]))
    if lost:
        return wins
    if not times <= FAR:
        return UNFINISHED.format(times=times)
    return HEALTHY.format(classes=numbers["classes"], times=times)


def rows(numbers):
    """[measure, value, value of real images] for the table."""
    course = [
        ["D(x), D(G(z)), last tenth", f"{numbers['D(x)']:.2f}, {numbers['D(G(z))']:.2f}", "—"],
        ["loss of D, of G, last tenth", f"{numbers['loss_D']:.2f}, {numbers['loss_G']:.2f}", "—"],
    ]
    if "frechet" not in numbers:
        return course
    real = numbers["real"]
    return [
        ["Fréchet distance (judge's features)", f"{numbers['frechet']:.2f}", f"{numbers['floor']:.2f} (floor)"],
        *[[name, f"{numbers[name]:.2f}", f"{real[name]:.2f}"]
          for name in ("precision", "recall", "density", "coverage")],
        ["classes covered", f"{len(numbers['covered'])} of {numbers['classes']}", f"{numbers['classes']}"],
        ["entropy of the classes, bits", f"{numbers['entropy']:.2f}", f"{numbers['real_entropy']:.2f}"],
        ["diversity within a class", f"{numbers['diversity']:.2f}", "1"],
        *course,
    ]
