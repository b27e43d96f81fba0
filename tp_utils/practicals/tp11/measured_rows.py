"""What the study has measured (results/tp11.json): the table beside the report, what a choice is worth, mistakes."""

from ... import show
from ...measure import mean_sd
from ...runtime import results
from ...show import widgets
from .cases import DRAWS, draws_of

REPORTED = {  # test accuracy in the report, in per cent: best epoch, chosen with the test set in view
    "cnn": 90.12, "cnn-augmented": 95.02, "dcgan": 94.16, "dcgan-augmented": 95.47, "infogan": 87.92,
    "infogan-augmented": 94.81, "wgan": 92.84, "wgan-augmented": 95.12, "semi-supervised": 95.29,
    "self-trained": 98.74, "weighted": 99.00, "all-linear": 91.6, "all-neighbours": 95.0, "all-mlp": 98.0,
    "all-cnn": 99.7,
}
ROW_NAMES = {
    "cnn": "CNN", "cnn-augmented": "CNN, augmented",
    "untrained": "D that has not played (control)", "untrained-augmented": "D that has not played, augmented",
    "dcgan": "DCGAN's D", "dcgan-augmented": "DCGAN's D, augmented",
    "infogan": "InfoGAN's D", "infogan-augmented": "InfoGAN's D, augmented",
    "wgan": "WGAN's critic", "wgan-augmented": "WGAN's critic, augmented",
    "wgan-gp": "WGAN-GP's critic", "wgan-gp-augmented": "WGAN-GP's critic, augmented",
    "semi-supervised": "semi-supervised GAN", "self-trained": "… its sure predictions as labels",
    "weighted": "… with weighted classes", "feature-matching": "semi-supervised GAN, G matches features",
    "spread": "labels spread along a graph, CNN", "spread-twice": "… and a second CNN taught by the first",
    "all-linear": "60,000 labels: linear", "all-neighbours": "60,000 labels: 3 nearest neighbours",
    "all-mlp": "60,000 labels: MLP", "all-cnn": "60,000 labels: CNN",
}

# What is said to the reader.
NOT_MEASURED = "not measured yet"
NO_ROW = "no row is measured: `python -m tp_utils study few-labels` does it"


def study_cells():
    """The cells of results/tp11.json that belong together: those of the profile in which most were measured."""
    cells = results("tp11")["cells"]
    profiles = [one["profile"] for one in cells]
    return [one for one in cells if one["profile"] == max(set(profiles), key=profiles.count)]


def percentages(cells, row, draw, key="test_accuracy"):
    """The measured numbers of a row, in per cent, one per seed."""
    return [100 * one[key] for one in cells if (one["row"], one["draw"]) == (row, draw)]


def over_seeds(numbers):
    """Mean ± standard deviation, in words."""
    if not numbers:
        return NOT_MEASURED
    mean, sd = mean_sd(numbers)
    return f"{mean:.2f} ± {sd:.2f} ({len(numbers)} seeds)" if len(numbers) > 1 else f"{mean:.2f} (1 seed)"


def study_table(cells=None):
    """The rows of the study beside the report: mean ± standard deviation over the seeds, in per cent."""
    cells = study_cells() if cells is None else cells
    lines = []
    for row, name in ROW_NAMES.items():
        found = {draw: percentages(cells, row, draw) for draw in DRAWS}
        report = REPORTED.get(row)
        mean = mean_sd(found["random"])[0] if found["random"] else None
        gap = f"{mean - report:+.1f}" if report and mean else "—"
        both = [over_seeds(found[draw]) if draw in draws_of(row) else "—" for draw in found]
        lines.append([name, f"{report:.1f}" if report else "—", *both, gap])
    return show.Table(["row", "the report, %", "random draws, %", "10 per class, %", "random − report"], lines)


def choice_figure(cells=None, draw="random"):
    """A figure: what a row gains when its best moment on the test set is reported in place of its last."""
    cells = study_cells() if cells is None else cells
    rows = [row for row in ROW_NAMES if percentages(cells, row, draw) and any(
        one["curve"] for one in cells if one["row"] == row)]
    fig, (left, right) = show.figure(1, 2, 11, max(2.6, 0.3 * len(rows) + 1), width_ratios=(1, 1))
    for one in cells:
        if one["draw"] == draw and one["row"] in ("cnn", "cnn-augmented"):
            steps, curve = zip(*one["curve"], strict=True)
            left.plot(steps, curve, color=show.COLOURS[one["row"] == "cnn"], linewidth=1)
    left.set(xlabel="step", ylabel="test accuracy", ylim=(0.6, 1),
             title="CNN (orange) and augmented CNN (blue), one line per draw")
    for k, row in enumerate(rows):
        last, best = percentages(cells, row, draw), percentages(cells, row, draw, "best_on_test")
        right.plot(last, [k] * len(last), "o", color=show.COLOURS[0], label="last step" if k == 0 else None)
        right.plot(best, [k + 0.25] * len(best), "^", color=show.COLOURS[1],
                   label="best on the test set" if k == 0 else None)
    right.set(yticks=range(len(rows)), yticklabels=[ROW_NAMES[row] for row in rows], xlabel="test accuracy, %",
              title="What the choice is worth")
    right.legend(frameon=False)
    return fig


def explore_mistakes(digits, cells=None):
    """A widget: the surest mistakes of a row of the study on the test images of MNIST, an ImageSet."""
    cells = study_cells() if cells is None else cells
    found = {f"{ROW_NAMES[one['row']]}, {one['draw']}": one for one in cells
             if one["seed"] == 0 and one["row"] in ROW_NAMES}
    if not found:
        raise ValueError(NO_ROW)
    images, labels = digits.test_images, digits.test_labels

    def mistakes(row):
        wrong = found[row]["most_wrong"][:24]
        titles = [f"{labels[i]} read as {k}\n{p:.2f}" for i, k, p in wrong]
        return show.grid(images[[i for i, *_ in wrong]], titles, columns=12, size=0.8,
                         title=f"{row}: the surest mistakes of {found[row]['test_accuracy']:.2%} right")

    return widgets.explore(mistakes, row=list(found))


def levers_table():
    """The levers of part 5 on three draws, as measured with the text: test accuracy in per cent."""
    levers = results("tp11_notebook")["levers"]
    draws = range(len(next(iter(levers.values()))))
    return show.Table(["the baseline", *(f"draw {k}, %" for k in draws)],
                      [[name, *(f"{100 * value:.1f}" for value in values)] for name, values in levers.items()])
