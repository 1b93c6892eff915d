"""The features of one shard of poses: cut clips, render them block by block, commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import monotonic

import numpy as np

from posemill.errors import EnvironmentFault
from posemill.pipelines.clip_samples import cut_sample, what_is_lacking
from posemill.pipelines.events import ItemDone, ItemStarted
from posemill.pipelines.tasks import Emit, ShardOutcome, ShardResult, ShardTask
from posemill.schema import PoseSequence, Skeleton, TimedBox
from posemill.storage.features import Block, FeatureRow, FeatureStore
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore, ShardCommit, VideoEntry
from posemill.transforms.recipes import Recipe
from posemill.transforms.sample import DenseKind, DenseMaps, Sample
from posemill.transforms.seeding import clip_generator
from posemill.transforms.skeletons import get_skeleton

_ATTEMPTS = 10
"""At a shard that other runs write at the same time: one of them is soon the only one."""


class MaterializeWorker:
    """Renders shards in one process; satisfies `tasks.ShardWorker`."""

    def __init__(self, poses: Place, out: Place, recipe: Recipe, seed: int) -> None:
        self._poses = PoseStore.open(poses)
        self._store = FeatureStore.open(out)
        self._recipe = recipe
        self._skeleton = get_skeleton(self._poses.configuration["skeleton"])
        self._dense_channels = recipe.dense_channels(recipe.target(self._skeleton))
        self._seed = seed

    def ready(self) -> None:
        """The store takes bytes; one clip without people proves that the recipe runs."""
        self._store.prove_writable()
        nobody = _nobody(self._skeleton, self._dense_channels)
        self._recipe(nobody, clip_generator(self._seed, "ready"))

    def run(self, task: ShardTask, emit: Emit) -> ShardResult:
        started = monotonic()
        for _ in range(_ATTEMPTS):
            commit = self._poses.current(task.shard_id)
            num_frames: list[int] = []
            won = not commit.has_void and self._write(commit, num_frames, emit)
            if won or commit.has_void or self._is_made(task.shard_id):
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

    def _write(self, commit: ShardCommit, num_frames: list[int], emit: Emit) -> bool:
        start, stop = self._store.row_range(commit.shard_id)
        rows = [row for row in self._store.rows()[start:stop] if row is not None]
        blocks = self._blocks(commit, rows, num_frames, emit)
        return self._store.write_shard(commit.shard_id, commit.marker_sha256, blocks)

    def _is_made(self, shard_id: int) -> bool:
        """Whether another run has made it, of the poses as they are by now."""
        return self._store.is_made(shard_id, self._poses.current(shard_id).marker_sha256)

    def close(self) -> None:
        """It holds nothing that outlives it."""

    def _blocks(
        self, commit: ShardCommit, rows: Sequence[FeatureRow], num_frames: list[int], emit: Emit
    ) -> Iterator[Block]:
        """The rows' features, block by block; notes each row's number of frames."""
        videos = {item[0].video_id: item for item in self._poses.iter_shard(commit)}
        for first in range(0, len(rows), self._store.clips_per_shard):
            block = rows[first : first + self._store.clips_per_shard]
            # Held by no name here, so that it is gone when the next one is made.
            yield self._block(commit.shard_id, block, videos, num_frames, emit)

    def _block(
        self,
        shard_id: int,
        rows: Sequence[FeatureRow],
        videos: Mapping[str, tuple[VideoEntry, PoseSequence | None]],
        num_frames: list[int],
        emit: Emit,
    ) -> Block:
        arrays = {
            spec.name: np.zeros((len(rows), *spec.shape), spec.dtype) for spec in self._store.specs
        }
        valid = np.zeros(len(rows), np.bool_)
        for number, row in enumerate(rows):
            emit(ItemStarted(shard_id, row.clip_id))
            entry, pose = videos[row.video_id]
            sample = None if pose is None else self._sample(row, entry, pose)
            lacking = what_is_lacking(sample, self._recipe.requires)
            if sample is not None and not lacking:
                rendered = self._recipe(sample, clip_generator(self._seed, row.clip_id))
                for name, array in rendered.items():
                    arrays[name][number] = array
                valid[number] = True
            frames = 0 if sample is None else sample.pose.num_frames
            num_frames.append(frames)
            emit(ItemDone(shard_id, row.clip_id, lacking or "ok", frames))
        return arrays, valid

    def _sample(self, row: FeatureRow, entry: VideoEntry, pose: PoseSequence) -> Sample:
        span = row.start_seconds, row.end_seconds
        return cut_sample(self._poses, entry, pose, span, row.boxes, tuple(self._dense_channels))


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
    return Sample(pose, (TimedBox(0.0, 0.0, 0.0, 1.0, 1.0),), dense)
