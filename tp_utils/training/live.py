"""Progress with the time left, and curves that grow while a run goes on."""

import sys
import time

from tqdm import tqdm

from .. import show
from ..runtime import in_notebook

REFRESH = 2.0  # seconds between two drawings; drawing never changes what is computed


class Live:
    """A context: a progress bar, and in a notebook a figure of the run: draw(run, title), or None for no figure.

    flush brings the history of the run up to date; it is called before a drawing.
    """

    def __init__(self, run, steps, title, draw, flush):
        self.run, self.steps, self.title = run, steps, title or "training"
        self.draw = draw if in_notebook() else None
        self.flush, self.handle, self.drawn = flush, None, 0.0

    def __enter__(self):
        self.bar = tqdm(total=self.steps, initial=self.run.step, desc=self.title, file=sys.stdout, ncols=90,
                        mininterval=0.5)
        return self

    def update(self):
        """After each step."""
        self.bar.update()
        if time.monotonic() - self.drawn > REFRESH:
            self.refresh()

    def __exit__(self, *_):
        self.bar.close()
        self.refresh()

    def refresh(self):
        """Draw the run anew, if there is something to draw."""
        if not self.draw:
            return
        self.flush()
        if len(next(iter(self.run.history.values()))) < 2:
            return
        from IPython.display import display

        fig = self.draw(self.run, self.title)
        if self.handle is None:
            self.handle = display(fig, display_id=True)
        else:
            self.handle.update(fig)
        self.drawn = time.monotonic()


def curves(run, title):
    """The figure of a classifier's run: its loss; validation on a second axis where there is one."""
    fig, axis = show.figure(width=5.5, height=2.4)
    show.smoothed(axis, {"training loss": run.history["loss"]})
    axis.set(xlabel="step", ylabel="loss", title=title)
    if run.history["validation"]:
        steps, values = zip(*run.history["validation"], strict=True)
        second = axis.twinx()
        second.plot(steps, values, "--o", markersize=3, color=show.COLOURS[1])
        second.set_ylabel("validation (dashed)")
        second.grid(False)
    return fig


def game(run, title):
    """The figure of a game: both losses, D's probabilities, the last picture of the fixed latents."""
    fig, (losses, probabilities, picture) = show.figure(1, 3, 10, 2.6, width_ratios=(3, 3, 2))
    show.smoothed(losses, {curve: run.history[curve] for curve in ("discriminator loss", "generator loss")})
    losses.set(xlabel="step", ylabel="loss", title=title)
    losses.legend(frameon=False)
    show.smoothed(probabilities, {curve: run.history[curve] for curve in ("D(x)", "D(G(z))")})
    probabilities.axhline(0.5, color="grey", linewidth=0.8)
    probabilities.set(xlabel="step", ylabel="mean probability of real", ylim=(0, 1), title="D's opinion")
    probabilities.legend(frameon=False)
    picture.axis("off")
    if run.history["pictures"]:
        step, images = run.history["pictures"][-1]
        show.draw(picture, show.mosaic(images))
        picture.set_title(f"fixed latents, step {step}")
    return fig


def losses(run, title):
    """The figure of a run of several networks: all its curves."""
    fig, axis = show.figure(width=5.5, height=2.4)
    show.smoothed(axis, run.history)
    axis.set(xlabel="step", ylabel="loss", yscale="symlog", title=title)
    axis.legend(frameon=False, loc="upper right", ncols=len(run.history))
    return fig
