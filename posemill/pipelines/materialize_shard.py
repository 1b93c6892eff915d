"""The features of one shard of poses: have its clips rendered block by block, commit."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import numpy as np

from posemill.errors import EnvironmentFault
from posemill.pipelines.clip_samples import ClipSamples
from posemill.pipelines.materialize_blocks import ShardBlocks
from posemill.pipelines.pictures import ClipPictures, PictureSettings, VideoPlaces
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask
from posemill.schema import PoseSequence, Skeleton, TimedBox
from posemill.storage.catalog import read_catalog_videos
from posemill.storage.features import FeatureStore
from posemill.storage.files.fetch import require_root
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore, ShardCommit
from posemill.transforms.recipes import Recipe
from posemill.transforms.sample import DenseKind, DenseMaps, Pictures, Sample
from posemill.transforms.seeding import clip_generator
from posemill.transforms.skeletons import get_skeleton

_ATTEMPTS = 10
"""At a shard that other runs write at the same time: one of them is soon the only one."""


@dataclass(frozen=True, slots=True)
class PictureSource:
    """Where a recipe's frames come from; carried as it is to workers."""

    catalog: Path
    """Which tells where the videos are."""
    settings: PictureSettings = field(default_factory=PictureSettings)


class MaterializeWorker:
    """Renders shards in one process; satisfies `tasks.ShardWorker`.

    Frames are decoded in a process beside it, which may crash or be killed.
    """

    def __init__(
        self,
        poses: Place,
        out: Place,
        recipe: Recipe,
        seed: int,
        source: PictureSource | None = None,
    ) -> None:
        """`source` is for recipes that read frames, None for others."""
        self._poses = PoseStore.open(poses)
        self._store = FeatureStore.open(out)
        self._recipe = recipe
        self._skeleton = get_skeleton(self._poses.configuration["skeleton"])
        self._seed = seed
        self._settings = PictureSettings() if source is None else source.settings
        self._places = None if source is None else _places(self._poses, source)

    def ready(self) -> None:
        """The store takes bytes, the videos' folder is there; one clip without people proves that
        the recipe runs."""
        self._store.prove_writable()
        if self._places is not None:
            require_root(self._places.root)
        dense_channels = self._recipe.dense_channels(self._recipe.target(self._skeleton))
        nobody = _nobody(self._skeleton, dense_channels)
        self._recipe(nobody, clip_generator(self._seed, "ready"))

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        started = monotonic()
        for _ in range(_ATTEMPTS):
            commit = self._poses.current(task.shard_id)
            num_frames: list[int] = []
            won = not commit.has_void and self._write(task, commit, num_frames, emit)
            if won or commit.has_void or self._is_made(task):
                break
        else:
            raise EnvironmentFault(
                f"{self._store.url}: other runs changed the features of pose shard "
                f"{task.shard_id} over and over; run the same command again when they are done"
            )
        lost = ShardOutcome.LOST_RACE if num_frames else ShardOutcome.SKIPPED
        return ShardResult(
            shard_id=task.shard_id,
            outcome=ShardOutcome.COMMITTED if won else lost,
            num_items=len(num_frames),
            num_frames=sum(num_frames),
            seconds=monotonic() - started,
        )

    def _write(
        self, task: ShardTask, commit: ShardCommit, num_frames: list[int], emit: Emit
    ) -> bool:
        """Whether it was first; `num_frames` takes the number of each row that it rendered."""
        start, stop = self._store.row_range(commit.shard_id)
        rows = [row for row in self._store.rows()[start:stop] if row is not None]
        with ExitStack() as stack:
            pictures = None
            if self._places is not None:
                made = ClipPictures(self._poses, self._places, commit.shard_id, self._settings)
                pictures = stack.enter_context(made)
            samples = ClipSamples(self._poses, self._recipe, self._seed, pictures)
            blocks = ShardBlocks(self._store, self._recipe, self._seed, samples, emit)
            won = self._store.write_shard(
                commit.shard_id,
                commit.marker_sha256,
                blocks.render(self._poses, commit, rows),
                lambda: blocks.unmade,
                task.generation,
            )
        num_frames += blocks.num_frames
        return won

    def _is_made(self, task: ShardTask) -> bool:
        """Whether another run has made it, of the poses as they are by now."""
        marker = self._poses.current(task.shard_id).marker_sha256
        return self._store.is_made(task.shard_id, marker, task.generation)

    def close(self) -> None:
        """It holds nothing that outlives it."""


def _places(poses: PoseStore, source: PictureSource) -> VideoPlaces:
    catalog = read_catalog_videos(source.catalog)
    return VideoPlaces(poses, catalog.root, catalog.videos)


def _nobody(skeleton: Skeleton, dense_channels: Mapping[DenseKind, int]) -> Sample:
    """One frame without people, and whatever a recipe may require."""
    num_keypoints = skeleton.num_keypoints
    pose = PoseSequence(
        skeleton=skeleton.name,
        xy_px=np.empty((0, num_keypoints, 2), np.float32),
        score=np.empty((0, num_keypoints), np.float32),
        frame=np.empty(0, np.int64),
        slot=np.empty(0, np.int64),
        pts_seconds=np.zeros(1),
        width=64,
        height=64,
        frames_declared=1,
        xyz_m=np.empty((0, num_keypoints, 3), np.float32),
    )
    maps = {kind: np.zeros((1, size, 1, 1), np.float16) for kind, size in dense_channels.items()}
    dense = DenseMaps(np.arange(1), **maps)
    pictures = Pictures(np.arange(1), np.zeros((1, pose.height, pose.width, 3), np.uint8))
    return Sample(pose, (TimedBox(0.0, 0.0, 0.0, 1.0, 1.0),), dense, pictures)
