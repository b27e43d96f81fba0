"""A quiz that needs no Python once it is shown: two pictures, one is real. Plays in JupyterLab and in any browser."""

import base64
import html
import io
import json
from pathlib import Path

import torch

from ...runtime import fingerprint
from ...runtime.expect import described

PAGE = Path(__file__).with_name("quiz.html")
NOT_PAIRS = "as many real as generated images are needed, uint8 [N, C, S, S] with N > 0, not {real} and {generated}"


class Quiz:
    """Pairs of a real and a generated picture. `page` is the whole quiz as HTML; in a notebook it shows itself.

    real, generated: uint8 [N, C, S, S]. Raises ValueError if they are no pairs.

    The answers are kept by the browser, for these pictures only; sides and order are drawn anew for each person.
    """

    def __init__(self, real, generated):
        kinds = {real.dtype, generated.dtype}
        if real.shape != generated.shape or real.ndim != 4 or not len(real) or kinds != {torch.uint8}:
            raise ValueError(NOT_PAIRS.format(real=described(real), generated=described(generated)))
        pairs = [[data_url(image) for image in pair] for pair in zip(real, generated, strict=True)]
        values = {"PAIRS": json.dumps(pairs), "KEY": f"quiz-{fingerprint(real, generated)}"}
        self.pairs, self.page = len(real), PAGE.read_text(encoding="utf-8")
        for name, value in values.items():
            self.page = self.page.replace(f"__{name}__", str(value))

    def __repr__(self):
        return f"a quiz of {self.pairs} pairs: which picture is real?"

    def _repr_html_(self):
        return (f'<iframe title="Which cat is real?" srcdoc="{html.escape(self.page)}" '
                'style="width:100%;max-width:720px;height:470px;border:1px solid #ccc"></iframe>')


def data_url(image):
    """An image uint8 [C, H, W] as the data URL of a PNG."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image.expand(3, -1, -1).permute(1, 2, 0).numpy()).save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
