"""RGBPose-Conv3D's two inputs: pictures and joint volumes in one crop around everybody.

Duan et al., "Revisiting Skeleton-based Action Recognition", CVPR 2022,
section 3.3 and appendix C.2; the geometry is that of its published code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Float32, Int64, PoseSequence, Skeleton
from posemill.settings import setting
from posemill.transforms.augment import flip_maps
from posemill.transforms.clips import map_pose
from posemill.transforms.geometry import Box, frame_box, map_to, random_resized_box
from posemill.transforms.geometry.boxes import AREA, RATIO
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.people import keep_rows, padded_people, track_order
from posemill.transforms.pictures import mirror_pictures, show_box
from posemill.transforms.rasterize import draw_joints
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.recipes.crops import clip_box
from posemill.transforms.recipes.draws import PICTURE_DRAW_MEANING, PictureDraw
from posemill.transforms.recipes.people import GaussianMaps
from posemill.transforms.recipes.specs import (
    FRAME_INDEX,
    FRAMES,
    PICTURE_INDEX,
    frame_index_spec,
    frames_spec,
    picture_index_spec,
    score_spec,
    stored_scores,
)
from posemill.transforms.recipes.views import PictureRecipe
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import bin_candidates, pick_candidates, uniform_test_clips


class _Numbers(NamedTuple):
    """Frames of both pathways: (V, T) of test views, (T C,) of the candidates of a cache."""

    pictures: Int64
    poses: Int64


@dataclass(frozen=True)
class RgbPoseRecipe(GaussianMaps, PictureRecipe):
    """RGBPose-Conv3D: few pictures and many joint maps, in one square around everybody.

    Pictures and poses are of frames of their own, `picture_index` and `frame_index`;
    crop and flip are shared. The pictures' px are `stride` times as many as the maps'.

    * draw=test: `frames` (view, picture, picture_y, picture_x, colour) and `volume`
      (view, keypoint, time, y, x) of the whole square, 3.8 MB a view of 8 pictures of
      256 px and 32 maps of 64 px;
    * draw=cache: several frames of each segment: `frames` (picture, picture_y, picture_x,
      colour), and `poses` (time, person, keypoint, space) in px of them with `score`, 4.8 MB.
      One of each segment, of either kind, is drawn at load, and all of them shown in a
      random part of the square, resized to `crop`; the joints are drawn then.

    The square is 1.25 times as large as what the joints span in the frames of the poses,
    and the whole frame between black bars where that is too little. Of a clip that has
    fewer frames than segments, a cache repeats each in order, where the published code
    goes around from a random frame.
    """

    name: ClassVar[str] = "rgbpose"
    version: ClassVar[int] = 1

    draw: PictureDraw = setting("test", PICTURE_DRAW_MEANING)
    length_rgb: int = setting(8, "pictures in a view", low=1, high=1024, unit="frames")
    length: int = setting(32, "poses in a view", low=1, high=4096, unit="frames")
    views: int = setting(1, "clips of the video, with draw=test", low=1, high=64, unit="views")
    candidates_rgb: int = setting(3, "pictures kept of a segment, with draw=cache", low=1, high=256)
    candidates: int = setting(5, "poses kept of a segment, with draw=cache", low=1, high=256)
    max_people: int = setting(4, "the most present tracks", low=1, high=64, unit="people")
    size: int = setting(256, "side of the square around people", low=1, high=4096, unit="px")
    crop: int = setting(224, "side of a training view's pictures", low=1, high=4096, unit="px")
    stride: int = setting(4, "of the maps: px of a picture for each of a map", low=1, high=64)
    sigma: float = setting(0.7, "of the Gaussians on the maps", low=0.1, high=100.0, unit="px")
    area: tuple[float, float] = setting(
        AREA, "share of the square that a training view shows", low=0.01, high=1.0
    )
    aspect: tuple[float, float] = setting(
        RATIO, "width by height of what it shows", low=0.1, high=10.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("size", "crop"):
            side = getattr(self, name)
            if side % self.stride:
                nearest = max(round(side / self.stride), 1) * self.stride
                raise InputError(
                    f"recipe {self.name}: {name} must be a multiple of stride={self.stride}, as "
                    f"maps have whole pixels, got {side}; the nearest is --set {name}={nearest}"
                )

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        size_hw = self.size, self.size
        if self.draw == "test":
            picture, time = {"picture": self.length_rgb}, {"time": self.length}
            view = {"view": self.views}
            return (
                frames_spec(size_hw, "clips around everybody", **view, **picture),
                self._volume_spec(target, self.size, **view),
                picture_index_spec(**view, **picture),
                frame_index_spec(**view, **time),
            )
        picture = {"picture": self.length_rgb * self.candidates_rgb}
        time = {"time": self.length * self.candidates}
        joints = {**time, "person": self.max_people, "keypoint": target.num_keypoints}
        poses = OutputSpec(
            name="poses",
            dims=(*joints, "space"),
            shape=(*joints.values(), 2),
            dtype="float32",
            description=f"x and y in px of pictures of {self.size} px; missing joints are (0, 0)",
        )
        return (
            frames_spec(size_hw, "frames of each segment around everybody", **picture),
            poses,
            score_spec(**joints),
            picture_index_spec(**picture),
            frame_index_spec(**time),
        )

    def view_outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        side = self.size if self.draw == "test" else self.crop
        frames = frames_spec((side, side), "a clip around everybody", picture=self.length_rgb)
        return frames, self._volume_spec(target, side)

    def picture_frames(self, pose: PoseSequence, rng: np.random.Generator) -> Int64:
        return np.unique(self._numbers(pose.num_frames, rng).pictures)

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        pose = keep_rows(
            sample.pose, np.isin(sample.pose.slot, track_order(sample.pose)[: self.max_people])
        )
        if pose.num_frames == 0:
            return {}
        numbers, size_hw = self._numbers(pose.num_frames, rng), (self.size, self.size)
        box = clip_box(pose, np.unique(numbers.poses))
        people = padded_people(
            map_pose(pose, box, size_hw), numbers.poses.reshape(-1), self.max_people
        )
        seen = people.score > 0
        xy = np.where(seen[..., None], people.xy_px, np.float32(0.0))
        shown: Arrays = {
            FRAMES: self.crop_pictures(sample, numbers.pictures, box, size_hw),
            PICTURE_INDEX: numbers.pictures,
            FRAME_INDEX: numbers.poses,
        }
        if self.draw == "cache":
            return {**shown, "poses": xy, "score": stored_scores(people.score)}
        views = (self.views, self.length, *people.score.shape[1:])
        volumes = [
            self._drawn(xy_of_view, score, frame_box(self.size, self.size), self.size)
            for xy_of_view, score in zip(
                xy.reshape(*views, 2), people.score.reshape(views), strict=True
            )
        ]
        return {**shown, "volume": np.stack(volumes)}

    def draw_view(
        self, arrays: Arrays, target: Skeleton, rng: np.random.Generator, *, flip: float
    ) -> tuple[Arrays, bool]:
        self.require_training_views()
        square = frame_box(self.size, self.size)
        box = random_resized_box(square, rng, area=self.area, ratio=self.aspect)
        view = self._cut(arrays, box, self.crop, rng)
        mirrored = bool(rng.random() < flip)
        return (_mirrored(view, target) if mirrored else view), mirrored

    def fixed_views(self, arrays: Arrays, target: Skeleton, *, mirrored: bool) -> Arrays:
        views = {name: arrays[name] for name in (FRAMES, "volume") if name in arrays}
        if self.draw == "cache":
            view = self._cut(arrays, frame_box(self.size, self.size), self.size, None)
            views = {name: values[None] for name, values in view.items()}
        return _mirrored(views, target) if mirrored else views

    def _cut(self, arrays: Arrays, box: Box, side: int, rng: np.random.Generator | None) -> Arrays:
        """The view of cached arrays that shows `box` of the square in pictures of `side` px.

        Pictures and poses are drawn apart, or are without a generator the middle ones.
        """
        pictures = pick_candidates(self.length_rgb, self.candidates_rgb, rng)
        poses = pick_candidates(self.length, self.candidates, rng)
        score = arrays["score"][poses].astype(np.float32) / np.float32(255.0)
        return {
            FRAMES: show_box(arrays[FRAMES][pictures], box, (side, side)),
            "volume": self._drawn(arrays["poses"][poses], score, box, side),
        }

    def _drawn(self, xy_px: Float32, score: Float32, box: Box, side: int) -> npt.NDArray[Any]:
        """Maps (K, T, h, w) that go with pictures of `side` px which show `box` of the square.

        Args:
            xy_px: (T, M, K, 2) in px of the square; score: (T, M, K).
        """
        num_frames, num_people, num_keypoints = score.shape
        map_hw = (side // self.stride,) * 2
        out = np.zeros((num_keypoints, num_frames, *map_hw), self.storage()["dtype"])
        draw_joints(
            map_to(xy_px, box, map_hw).reshape(-1, num_keypoints, 2),
            score.reshape(-1, num_keypoints),
            np.arange(num_frames + 1) * num_people,
            out,
            **self.gaussians(),
        )
        return out

    def _numbers(self, num_frames: int, rng: np.random.Generator) -> _Numbers:
        if self.draw == "cache":
            pictures = bin_candidates(num_frames, self.length_rgb, self.candidates_rgb)
            poses = bin_candidates(num_frames, self.length, self.candidates)
            return _Numbers(pictures.reshape(-1), poses.reshape(-1))
        of_pictures, of_poses = rng.spawn(2)
        return _Numbers(
            uniform_test_clips(num_frames, self.length_rgb, self.views, of_pictures),
            uniform_test_clips(num_frames, self.length, self.views, of_poses),
        )

    def _volume_spec(self, target: Skeleton, side: int, **view: int) -> OutputSpec:
        map_side = side // self.stride
        sizes = {**view, "keypoint": target.num_keypoints, "time": self.length}
        return OutputSpec(
            name="volume",
            dims=(*sizes, "y", "x"),
            shape=(*sizes.values(), map_side, map_side),
            **self.storage(),
            description="Gaussian joint maps of sampled frames around everybody",
        )


def _mirrored(views: Arrays, target: Skeleton) -> Arrays:
    """Views (..., T, H, W, 3) and (..., K, T, h, w) as a mirror shows them."""
    return {
        FRAMES: mirror_pictures(views[FRAMES]),
        "volume": flip_maps(views["volume"], target.mirror, joint_axis=-4),
    }
