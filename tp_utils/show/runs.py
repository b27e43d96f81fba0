"""The figure of a training run, also while it goes on."""

from .figures import draw, figure, mosaic, smoothed

OPINIONS = ("D(x)", "D(G(z))")  # curves that are probabilities
ON_THE_SIDE = ("validation", "pictures")  # what a history holds besides curves: [(step, …)]


def run_figure(run, title):
    """The figure of a run: its curves; where there are some, validation, D's opinions, the last picture."""
    history = run.history
    losses = {curve: values for curve, values in history.items() if curve not in (*OPINIONS, *ON_THE_SIDE)}
    panels = [lambda axis: draw_losses(axis, losses, title)]
    if history.get("validation"):
        panels.append(lambda axis: draw_validation(axis, history["validation"]))
    if OPINIONS[0] in history:
        panels.append(lambda axis: draw_opinions(axis, history))
    if history.get("pictures"):
        panels.append(lambda axis: draw_picture(axis, *history["pictures"][-1]))
    fig, axes = figure(1, len(panels), 5.5 if len(panels) == 1 else 3.5 * len(panels), 2.6, squeeze=False)
    for panel, axis in zip(panels, axes[0], strict=True):
        panel(axis)
    return fig


def draw_losses(axis, losses, title):
    smoothed(axis, losses)
    axis.set(xlabel="step", ylabel="loss", title=title)
    if len(losses) > 1:
        axis.legend(frameon=False)


def draw_validation(axis, validation):
    axis.plot(*zip(*validation, strict=True), "-o", markersize=3)
    axis.set(xlabel="step", ylabel="validation", title="Validation")


def draw_opinions(axis, history):
    smoothed(axis, {curve: history[curve] for curve in OPINIONS})
    axis.axhline(0.5, color="grey", linewidth=0.8)
    axis.set(xlabel="step", ylabel="mean probability of real", ylim=(0, 1), title="D's opinion")
    axis.legend(frameon=False)


def draw_picture(axis, step, images):
    draw(axis, mosaic(images))
    axis.axis("off")
    axis.set_title(f"fixed latents, step {step}")
