"""Made-up samples for recipes, and what their arrays stand for."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from dense_maps import made_pose

from posemill.schema import PoseSequence, TimedBox
from posemill.transforms.outputs import OutputSpec, dequantise
from posemill.transforms.recipes import Recipe
from posemill.transforms.sample import DenseMaps, Pictures, Sample
from posemill.transforms.skeletons import get_skeleton


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@cache
def made_sample(num_frames: int, num_persons: int, **options: int) -> Sample:
    """People who wander about, in 3-D too, one of them boxed, with dense maps of every frame.

    Dense joints and parts have a cell for every 8 px, features 5 channels. Pictures are
    decoded at a quarter of the size.
    """
    pose = made_pose(num_frames, num_persons, **options)
    generator = rng(num_frames)
    depth = generator.normal(3.0, 0.1, (*pose.score.shape, 1))
    xyz = np.concatenate([pose.xy_px / 100.0, depth], axis=-1).astype(np.float32)
    limbs = len(get_skeleton(pose.skeleton).limbs)
    grid = (num_frames, pose.height // 8, pose.width // 8)

    def maps(channels: int, low: float) -> np.ndarray:
        shape = (grid[0], channels, *grid[1:])
        return generator.uniform(low, 1.0, shape).astype(np.float16)

    frames = np.arange(num_frames)
    rgb = generator.integers(0, 256, (num_frames, pose.height // 4, pose.width // 4, 3))
    return Sample(
        pose=replace(pose, xyz_m=xyz),
        boxes=(TimedBox(0.0, 0.1, 0.1, 0.9, 0.9),),
        dense=DenseMaps(frames, maps(17, 0.0), maps(2 * limbs, -1.0), maps(5, 0.0)),
        pictures=Pictures(frames, rgb.astype(np.uint8)),
    )


def without_extras(sample: Sample) -> Sample:
    """The poses alone, in 2-D."""
    return Sample(replace(sample.pose, xyz_m=None))


def specs_of(recipe: Recipe, pose: PoseSequence) -> dict[str, OutputSpec]:
    target = recipe.target(get_skeleton(pose.skeleton))
    return {spec.name: spec for spec in recipe.outputs(target)}


def values(recipe: Recipe, sample: Sample, name: str, seed: int = 0) -> np.ndarray:
    """What an output stands for, as float32."""
    return dequantise(recipe(sample, rng(seed))[name], specs_of(recipe, sample.pose)[name])
