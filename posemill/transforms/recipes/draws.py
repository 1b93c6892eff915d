"""What a recipe with a random part renders."""

from __future__ import annotations

from typing import Literal

from posemill.errors import InputError

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


def refuse_test_views(recipe: str, draw: Draw) -> None:
    """Refuse to draw training views of what draw=test stores.

    Raises:
        InputError: `draw` is test.
    """
    if draw == "test":
        raise InputError(
            f"recipe {recipe}: what draw=test renders are the fixed views of tests, and training "
            "draws its own; materialize the training clips with --set draw=cache"
        )
