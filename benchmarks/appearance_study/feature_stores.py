"""Made-up clips as feature stores, by the recipes that users have, as training reads any."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from appearance_study.scenes import CLASSES, Scene, SceneClip, make_scene
from posemill.provenance import content_hash
from posemill.schema import Skeleton
from posemill.storage.features import FeatureRow, FeatureStore
from posemill.transforms.recipes import Recipe, create_recipe
from posemill.transforms.recipes.views import PictureRecipe
from posemill.transforms.sample import Pictures, Sample
from posemill.transforms.seeding import clip_generator
from posemill.transforms.skeletons import COCO_17

Arrays = Mapping[str, npt.NDArray[Any]]

SPLIT = "default"
_CLIPS_OF_BLOCK = 16


def write_store(
    out: Path, clips: Sequence[SceneClip], seed: int, recipe: str, settings: Mapping[str, str]
) -> Path:
    """All clips by a recipe, at `out`; a store that is there whole is left alone."""
    if not out.exists():
        draft = out.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        _write(draft, clips, seed, create_recipe(recipe, settings))
        draft.rename(out)
    return out


def render(recipe: Recipe, scene: Scene, seed: int, key: str) -> Arrays:
    """The arrays of a scene, as `materialize` makes them: of the pictures that the recipe names.

    `seed` and `key` are those of its random part.
    """
    pictures = None
    if isinstance(recipe, PictureRecipe):
        frames = recipe.picture_frames(scene.pose, clip_generator(seed, key))
        pictures = Pictures(frames, scene.pictures.rgb[frames])
    return recipe(Sample(scene.pose, pictures=pictures), clip_generator(seed, key))


def _write(out: Path, clips: Sequence[SceneClip], seed: int, recipe: Recipe) -> None:
    target = recipe.target(COCO_17)
    store = FeatureStore.create(
        out, recipe.outputs(target), _configuration(recipe, target, clips, seed), CLASSES,
        clips_per_shard=_CLIPS_OF_BLOCK,
    )  # fmt: skip
    store.add_rows([_row(clip) for clip in clips])
    blocks = (
        _block(clips[first : first + _CLIPS_OF_BLOCK], seed, recipe)
        for first in range(0, len(clips), _CLIPS_OF_BLOCK)
    )
    store.write_shard(0, content_hash([clip.id for clip in clips]), blocks)


def _block(
    clips: Sequence[SceneClip], seed: int, recipe: Recipe
) -> tuple[Arrays, npt.NDArray[np.bool_]]:
    made = [
        render(recipe, make_scene(clip, seed), seed, f"{recipe.name}: {clip.id}") for clip in clips
    ]
    arrays = {name: np.stack([each[name] for each in made]) for name in made[0]}
    return arrays, np.ones(len(clips), np.bool_)


def _row(clip: SceneClip) -> FeatureRow:
    return FeatureRow(
        clip_id=clip.id,
        video_id=clip.id,
        label=clip.label,
        mirror_label=clip.label,
        subsets={SPLIT: clip.subset},
        pose_shard=0,
    )


def _configuration(
    recipe: Recipe, target: Skeleton, clips: Sequence[SceneClip], seed: int
) -> dict[str, Any]:
    return {
        "stage": "made-up scenes",
        "recipe": recipe.configuration(),
        "seed": seed,
        "skeleton": target.name,
        "poses": content_hash([clip.id for clip in clips]),
    }
