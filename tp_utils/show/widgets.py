"""Interactive figures. Each also carries a static picture, for pages and places where widgets don't run."""

import base64

from .. import show

WHOLE_LABELS = {"description_width": "initial"}
AS_LARGE_AS_THEY_ARE = {"align_items": "flex-start"}  # pictures are not stretched to the width of the page


class Interactive:
    """A widget and the PNG that stands for it where there is no kernel."""

    def __init__(self, widget, png):
        self.widget, self.png = widget, png

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {**self.widget._repr_mimebundle_(include=include, exclude=exclude),
                "image/png": base64.b64encode(self.png).decode()}


def explore(draw, **controls):
    """A figure that is drawn anew whenever a control changes.

    draw:      a function of the controls that returns a matplotlib Figure
    controls:  name=[option, …] or name=[(label, option), …] for a menu (its first option is the first shown);
               name=(low, high, step, first) for a slider of whole numbers
    """
    import ipywidgets

    made = {name: control(ipywidgets, name, choice) for name, choice in controls.items()}
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
    problem = ipywidgets.HTML()

    def update(_=None):
        try:
            picture.value = show.png(draw(**{name: widget.value for name, widget in made.items()}))
            problem.value = ""
        except Exception as error:  # an error in a callback would vanish in the log
            problem.value = f"<pre>{type(error).__name__}: {error}</pre>"

    for widget in made.values():
        widget.observe(update, "value")
    update()
    if problem.value:  # in the first drawing it belongs in the cell
        draw(**{name: widget.value for name, widget in made.items()})
    menu = ipywidgets.HBox(list(made.values()), layout={"flex_flow": "row wrap"})
    return Interactive(ipywidgets.VBox([menu, picture, problem], layout=AS_LARGE_AS_THEY_ARE), picture.value)


def control(ipywidgets, name, choice):
    """The menu or slider for one argument of `explore`."""
    label = name.replace("_", " ")
    if isinstance(choice, list):
        return ipywidgets.Dropdown(options=choice, description=label, style=WHOLE_LABELS)
    low, high, step, first = choice
    return ipywidgets.IntSlider(first, low, high, step, description=label, style=WHOLE_LABELS,
                                continuous_update=False)


def player(frames, label="frame", milliseconds=120, scale=2):
    """A film with play, pause and a slider to scrub. frames: float [T, C, H, W] in [0, 1]."""
    import io

    import ipywidgets

    def encode(picture):
        out = io.BytesIO()
        picture.save(out, "PNG")
        return out.getvalue()

    pngs = [encode(picture) for picture in show.Film(frames, scale=scale).pictures()]
    last = len(pngs) - 1
    picture = ipywidgets.Image(value=pngs[last], format="png")
    play = ipywidgets.Play(value=last, min=0, max=last, interval=milliseconds)
    slider = ipywidgets.IntSlider(last, 0, last, description=label)
    ipywidgets.jslink((play, "value"), (slider, "value"))
    slider.observe(lambda change: setattr(picture, "value", pngs[change["new"]]), "value")
    return Interactive(ipywidgets.VBox([ipywidgets.HBox([play, slider]), picture], layout=AS_LARGE_AS_THEY_ARE),
                       pngs[last])
