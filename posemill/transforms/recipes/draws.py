"""What a recipe with a random part renders."""

from __future__ import annotations

from typing import Literal

Draw = Literal["test", "cache", "train"]
"""* `test`: the fixed views whose scores are averaged;
* `cache`: what a training cache holds, the input of the random part;
* `train`: one fresh random view, for rendering on the fly.
"""

DRAW_MEANING = "fixed test views, a training cache, or one fresh training view"

PictureDraw = Literal["test", "cache"]
"""As `Draw`, of recipes of pictures: a fresh view of those would decode a video whenever a
loader asks for one."""

PICTURE_DRAW_MEANING = "fixed test views, or a training cache"
