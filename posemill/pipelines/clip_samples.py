"""Clips cut out of the videos of a pose store, as recipes take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from posemill.pipelines.dense_samples import clip_dense
from posemill.pipelines.pictures import ClipPictures, NoPictures, WantedFrames
from posemill.schema import PoseSequence, TimedBox
from posemill.storage.features import FeatureRow, Unmade
from posemill.storage.poses import PoseStore, VideoEntry
from posemill.transforms.clips import clip_frames, clip_poses
from posemill.transforms.recipes import Recipe
from posemill.transforms.recipes.views import PictureRecipe
from posemill.transforms.sample import DenseKind, Pictures, Requirement, Sample
from posemill.transforms.seeding import clip_generator
from posemill.transforms.skeletons import convert, get_skeleton


def cut_sample(
    poses: PoseStore,
    entry: VideoEntry,
    pose: PoseSequence,
    span: tuple[float, float | None],
    boxes: Sequence[TimedBox],
    kinds: Sequence[DenseKind],
) -> Sample:
    """The part of a video in `span`, with the estimator's maps of these kinds.

    Args:
        poses: where the dense maps are.
        entry: of the video.
        pose: of the whole video.
        span: `[start_seconds, end_seconds)`.
        boxes: of the labelled person.
        kinds: of dense maps; none where the recipe takes none.

    Raises:
        StoreCorrupted: a file of dense maps is missing or damaged.
    """
    frames = clip_frames(pose, *span)
    return Sample(
        clip_poses(pose, *span), tuple(boxes), clip_dense(poses, entry, tuple(kinds), frames)
    )


def what_is_lacking(sample: Sample | None, requires: frozenset[Requirement]) -> str:
    """`without boxes`, say, of a clip that a recipe cannot take; empty where it can.

    Pictures are seen to where they are decoded.
    """
    if sample is None:
        return "without poses"
    if "pose3d" in requires and sample.pose.xyz_m is None:
        return "without 3-D poses"
    if "boxes" in requires and not sample.boxes:
        return "without boxes"
    if "dense" in requires and sample.dense is None:
        return "without dense maps"
    return ""


@dataclass(frozen=True, slots=True)
class Lacking:
    """Why a recipe cannot take a clip."""

    status: str
    """In a word or two: `without boxes`, `missing`."""
    num_frames: int
    """Of its poses."""
    unmade: Unmade | None = None
    """Where the video is at fault, which may be mended."""


class ClipSamples:
    """Cuts the clips of one pose shard, and has what a recipe requires of them beside."""

    def __init__(
        self, poses: PoseStore, recipe: Recipe, seed: int, pictures: ClipPictures | None
    ) -> None:
        """`pictures` are of the shard; None where the recipe reads none."""
        skeleton = get_skeleton(poses.configuration["skeleton"])
        self._poses, self._recipe, self._seed = poses, recipe, seed
        self._target = recipe.target(skeleton)
        self._kinds = tuple(recipe.dense_channels(self._target))
        self._pictures = pictures

    def of_video(
        self, entry: VideoEntry, pose: PoseSequence | None, rows: Sequence[FeatureRow]
    ) -> Iterator[Sample | Lacking]:
        """Of each row of a video in turn its sample, or what it lacks; made as they are read.

        Raises:
            StoreCorrupted: damaged bytes.
            EnvironmentFault: frames cannot be had by no fault of the video.
        """
        if self._pictures is None or not isinstance(self._recipe, PictureRecipe):
            yield from (self._cut(entry, pose, row) for row in rows)
            return
        cut = [self._cut(entry, pose, row) for row in rows]
        wanted = [
            self._wanted(self._recipe, pose, row, sample)
            for row, sample in zip(rows, cut, strict=True)
            if pose is not None and isinstance(sample, Sample)
        ]
        found = iter(() if pose is None else self._pictures.of_video(entry, pose, wanted))
        for sample in cut:
            yield _shown(sample, next(found)) if isinstance(sample, Sample) else sample

    def _cut(
        self, entry: VideoEntry, pose: PoseSequence | None, row: FeatureRow
    ) -> Sample | Lacking:
        span = row.start_seconds, row.end_seconds
        sample = (
            None
            if pose is None
            else cut_sample(self._poses, entry, pose, span, row.boxes, self._kinds)
        )
        lacking = what_is_lacking(sample, self._recipe.requires)
        if sample is None or lacking:
            return Lacking(lacking, 0 if sample is None else sample.pose.num_frames)
        return sample

    def _wanted(
        self, recipe: PictureRecipe, pose: PoseSequence, row: FeatureRow, sample: Sample
    ) -> WantedFrames:
        """In the poses that `render` is given, by a generator equal to the one that it is given."""
        in_video = clip_frames(pose, row.start_seconds, row.end_seconds)
        if not len(in_video):
            return WantedFrames(in_video, in_video)
        rng = clip_generator(self._seed, row.clip_id)
        in_clip = recipe.picture_frames(convert(sample.pose, self._target), rng)
        return WantedFrames(in_clip, in_video[in_clip])


def _shown(sample: Sample, found: Pictures | NoPictures) -> Sample | Lacking:
    if isinstance(found, NoPictures):
        unmade = Unmade(str(found), found.identity)
        return Lacking(str(found.status), sample.pose.num_frames, unmade)
    return replace(sample, pictures=found)
