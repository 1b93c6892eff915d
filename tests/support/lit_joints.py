"""Clips of one person of whom a single joint shines, and where that is in pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from dense_maps import made_pose, pixels

from posemill.schema import Float32, PoseSequence, UInt8
from posemill.transforms.geometry import frame_box, map_to
from posemill.transforms.sample import Pictures, Sample
from posemill.transforms.skeletons import COCO_17

WRIST = COCO_17.keypoints.index("left_wrist")


def spot(xy: Float32, size_hw: tuple[int, int], sigma: npt.ArrayLike) -> UInt8:
    """A black picture (h, w, 3) with a white spot, as wide as sigma or as it says in x and in y."""
    columns, rows = pixels(size_hw)
    wide, high = np.broadcast_to(sigma, 2)
    square = ((columns - xy[0]) / wide) ** 2 + ((rows - xy[1]) / high) ** 2
    grey = np.rint(255 * np.exp(-square / 2)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def where_lit(picture: np.ndarray) -> np.ndarray:
    """(x, y) of the middle of what is bright on a picture (h, w, 3) or a map (h, w)."""
    grey = picture.astype(np.float64)
    grey = grey.mean(axis=-1) if grey.ndim == 3 else grey
    columns, rows = pixels(grey.shape)
    return np.array([(grey * columns).sum(), (grey * rows).sum()]) / grey.sum()


def lit_sample(
    num_frames: int,
    *,
    width: int = 320,
    height: int = 240,
    decoded_hw: tuple[int, int] | None = None,
    moving: bool = True,
    seed: int = 0,
) -> Sample:
    """One person all of whose joints are detected, in the frame, and apart from one another.

    The left wrist shines in pictures of all frames, of `decoded_hw`. A person who
    does not move is where the first frame has them.
    """
    rng, pose = np.random.default_rng(seed), made_pose(num_frames, 1, width=width, height=height)
    first = rng.uniform(0.25, 0.75, (17, 2)) * [width, height]
    steps = rng.uniform(-1.0, 1.0, (num_frames, 1, 2)) * [0.01 * width, 0.01 * height]
    ways = np.cumsum(steps, axis=0) if moving else np.zeros_like(steps)
    pose = replace(
        pose,
        xy_px=(first + np.clip(ways, -0.2 * height, 0.2 * height)).astype(np.float32),
        score=np.ones_like(pose.score),
    )
    return Sample(pose, pictures=lit_pictures(pose, decoded_hw or (height, width)))


def lit_pictures(pose: PoseSequence, decoded_hw: tuple[int, int]) -> Pictures:
    """Of every frame, with the first person's left wrist lit."""
    at = map_to(pose.xy_px[:, WRIST], frame_box(pose.width, pose.height), decoded_hw)
    sigma = 0.012 * min(decoded_hw)
    rgb = np.stack([spot(xy, decoded_hw, max(sigma, 1.5)) for xy in at])
    return Pictures(np.arange(pose.num_frames), rgb)
