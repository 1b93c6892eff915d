"""The features of one shard of poses, block by block, as a feature store takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from posemill.pipelines.clip_samples import ClipSamples, Lacking
from posemill.pipelines.events import ItemDone, ItemStarted
from posemill.pipelines.tasks import Emit
from posemill.schema import PoseSequence
from posemill.storage.features import Block, FeatureRow, FeatureStore, Unmade
from posemill.storage.poses import PoseStore, ShardCommit, VideoEntry
from posemill.transforms.recipes import Recipe
from posemill.transforms.sample import Sample
from posemill.transforms.seeding import clip_generator

Videos = Mapping[str, tuple[VideoEntry, PoseSequence | None]]


class ShardBlocks:
    """Renders the rows of a pose shard when they are asked for; notes what became of them."""

    def __init__(
        self,
        store: FeatureStore,
        recipe: Recipe,
        seed: int,
        samples: ClipSamples,
        emit: Emit,
    ) -> None:
        self._store, self._recipe, self._seed = store, recipe, seed
        self._samples, self._emit = samples, emit
        self.num_frames: list[int] = []
        """Of each row that is done."""
        self.unmade: dict[str, Unmade] = {}
        """Of rows that are done and were not made for want of their video, by the clip's id."""

    def render(
        self, poses: PoseStore, commit: ShardCommit, rows: Sequence[FeatureRow]
    ) -> Iterator[Block]:
        """Raises:
        StoreCorrupted: damaged bytes.
        EnvironmentFault: frames cannot be had by no fault of the video.
        """
        videos = {item[0].video_id: item for item in poses.iter_shard(commit)}
        for first in range(0, len(rows), self._store.clips_per_shard):
            block = rows[first : first + self._store.clips_per_shard]
            # Held by no name here, so that it is gone when the next one is made.
            yield self._block(commit.shard_id, block, videos)

    def _block(self, shard_id: int, rows: Sequence[FeatureRow], videos: Videos) -> Block:
        arrays = {
            spec.name: np.zeros((len(rows), *spec.shape), spec.dtype) for spec in self._store.specs
        }
        valid = np.zeros(len(rows), np.bool_)
        samples = self._samples_of(rows, videos)
        for number, row in enumerate(rows):
            self._emit(ItemStarted(shard_id, row.clip_id))
            sample = next(samples)
            if isinstance(sample, Lacking):
                self._note(shard_id, row, sample)
                continue
            rendered = self._recipe(sample, clip_generator(self._seed, row.clip_id))
            for name, array in rendered.items():
                arrays[name][number] = array
            valid[number] = True
            self._done(shard_id, row, "ok", sample.pose.num_frames)
            del sample  # its pictures, before others are decoded
        return arrays, valid

    def _samples_of(self, rows: Sequence[FeatureRow], videos: Videos) -> Iterator[Sample | Lacking]:
        for video_id, of_video in groupby(rows, key=lambda row: row.video_id):
            entry, pose = videos[video_id]
            yield from self._samples.of_video(entry, pose, list(of_video))

    def _note(self, shard_id: int, row: FeatureRow, lacking: Lacking) -> None:
        message = ""
        if lacking.unmade is not None:
            self.unmade[row.clip_id] = lacking.unmade
            message = lacking.unmade.message
        self._done(shard_id, row, lacking.status, lacking.num_frames, message)

    def _done(
        self, shard_id: int, row: FeatureRow, status: str, num_frames: int, message: str = ""
    ) -> None:
        self.num_frames.append(num_frames)
        self._emit(ItemDone(shard_id, row.clip_id, status, num_frames, message))
