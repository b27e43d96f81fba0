"""An animation that needs no kernel."""

import base64
import io

from ..runtime.pixels import batch, unit


class Film:
    """Frames [T, C, H, W], uint8 or floats in [0, 1], as an animation that also plays in a saved page."""

    def __init__(self, frames, milliseconds=120, scale=1):
        self.frames, self.milliseconds, self.scale = frames, milliseconds, scale

    def pictures(self):
        """The frames as PIL images."""
        from PIL import Image

        (frames,) = unit(batch(self.frames).detach().cpu())
        colours = (frames.clamp(0, 1) * 255).round().byte().expand(-1, 3, -1, -1)
        arrays = colours.permute(0, 2, 3, 1).numpy()
        return [Image.fromarray(a).resize((a.shape[1] * self.scale, a.shape[0] * self.scale)) for a in arrays]

    def webp(self):
        """An animated WebP, as bytes."""
        first, *rest = self.pictures()
        out = io.BytesIO()
        first.save(out, "WEBP", save_all=True, append_images=rest, duration=self.milliseconds, loop=0, quality=60)
        return out.getvalue()

    def __str__(self):
        return f"film of {len(self.frames)} frames, {' × '.join(map(str, self.frames.shape[1:]))}"

    __repr__ = __str__

    def _repr_html_(self):
        data = base64.b64encode(self.webp()).decode()
        return f'<img alt="{self}" src="data:image/webp;base64,{data}">'
