"""Clips rendered on the fly: a pose store, the clips of a catalog, and a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.clip_samples import cut_sample
from posemill.pipelines.data.clips import ClipSet, select_rows
from posemill.pipelines.data.source_base import HELD_BYTES
from posemill.pipelines.materialize_rows import missing_rows
from posemill.pipelines.render_inputs import RenderInputs
from posemill.provenance import content_hash
from posemill.schema import PoseSequence, Skeleton
from posemill.storage.feature_rows import FeatureRow, RowTable
from posemill.storage.poses import PoseStore, VideoEntry
from posemill.transforms.augment import drop_one_joint
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import Recipe
from posemill.transforms.sample import DenseKind, Sample
from posemill.transforms.seeding import generator_beside
from posemill.transforms.skeletons import get_skeleton, limb_joints

_BYTES_PER_JOINT = 12  # x, y and score in float32; 3-D positions as much again


@dataclass(frozen=True)
class HeldPoses:
    """Poses of videos in memory; no copy of them goes into a pickle."""

    poses: Mapping[str, PoseSequence]

    def __reduce__(self) -> tuple[Any, ...]:
        return HeldPoses, ({},)


@dataclass(frozen=True)
class RenderedSource:
    """The clips of a pose store, rendered whenever they are read; satisfies `ClipSource`."""

    store: PoseStore
    recipe: Recipe
    classes: tuple[str, ...]
    specs: tuple[OutputSpec, ...]
    configuration: dict[str, Any]
    table: RowTable = field(repr=False)
    """As a feature store of the recipe would have them."""
    entries: Mapping[str, VideoEntry] = field(repr=False)
    """By the video's id."""
    drop_joint: float = 0.0
    """Probability that a person in a frame loses one limb joint."""
    held: HeldPoses = field(default_factory=lambda: HeldPoses({}), repr=False)

    @classmethod
    def of(cls, inputs: RenderInputs) -> RenderedSource:
        """The clips of these poses that the recipe can render."""
        entries = [entry for commit in inputs.commits.values() for entry in commit.entries]
        return cls(
            store=inputs.poses,
            recipe=inputs.recipe,
            classes=inputs.catalog.classes,
            specs=inputs.specs,
            configuration=inputs.configuration,
            table=RowTable((tuple(missing_rows(inputs.catalog, inputs.commits, [])),), 1),
            entries={entry.video_id: entry for entry in entries},
        )

    @property
    def url(self) -> str:
        return self.store.url

    @cached_property
    def skeleton(self) -> Skeleton:
        return get_skeleton(self.configuration["skeleton"])

    @property
    def configuration_hash(self) -> str:
        return content_hash(self.configuration)

    @property
    def start_method(self) -> str | None:
        return None if self.store.objects.survives_fork else "spawn"

    def select(self, split: str, subset: str) -> ClipSet:
        inside = self.table.subset(self.url, split, subset)
        rows = [row for row, there in zip(self.table.rows, inside, strict=True) if row and there]
        return select_rows(
            self.url,
            (split, subset),
            rows,
            [self._is_available(row) for row in rows],
            lacking=f"has poses that the recipe {self.recipe.name} can render; extract them first",
        )

    def holding(self, clips: ClipSet) -> RenderedSource:
        wanted = dict.fromkeys(clips.video_ids)
        if sum(self._num_bytes(self.entries[video]) for video in wanted) > HELD_BYTES:
            return self
        return replace(self, held=HeldPoses({v: self.store.read(self.entries[v]) for v in wanted}))

    def dropping(self, probability: float) -> RenderedSource:
        if probability > 0 and not self._limb_joints:
            raise InputError(
                f"the skeleton {self._poses_skeleton.name} of {self.url} has no elbow, wrist, "
                "knee or ankle that could be dropped; drop none"
            )
        return replace(self, drop_joint=probability)

    def read(
        self, clips: ClipSet, number: int, rng: np.random.Generator
    ) -> dict[str, npt.NDArray[Any]]:
        return self.recipe(self.sample(clips, number, rng), rng)

    def sample(self, clips: ClipSet, number: int, rng: np.random.Generator) -> Sample:
        """What the recipe is given of a clip.

        Args:
            clips: some that `select` gave.
            number: of the clip among them.
            rng: of whose seed the lost joints are drawn; its own numbers stay untouched.

        Raises:
            StoreCorrupted: damaged bytes.
        """
        video = clips.video_ids[number]
        pose = self.held.poses.get(video)
        entry = self.entries[video]
        pose = self.store.read(entry) if pose is None else pose
        sample = cut_sample(
            self.store, entry, pose, clips.spans[number], clips.boxes[number], self._dense_kinds
        )
        return self._with_losses(sample, rng) if self.drop_joint > 0 else sample

    @cached_property
    def _poses_skeleton(self) -> Skeleton:
        return get_skeleton(self.store.configuration["skeleton"])

    @cached_property
    def _dense_kinds(self) -> tuple[DenseKind, ...]:
        return tuple(self.recipe.dense_channels(self.skeleton))

    @cached_property
    def _limb_joints(self) -> tuple[int, ...]:
        return limb_joints(self._poses_skeleton)

    def _is_available(self, row: FeatureRow) -> bool:
        entry = self.entries[row.video_id]
        if not entry.status.has_frames or ("boxes" in self.recipe.requires and not row.boxes):
            return False
        kinds = self._dense_kinds
        return not kinds or set(kinds) <= set(self.store.dense_kinds(entry))

    def _num_bytes(self, entry: VideoEntry) -> int:
        start, stop = entry.rows
        return (stop - start) * self._poses_skeleton.num_keypoints * _BYTES_PER_JOINT

    def _with_losses(self, sample: Sample, rng: np.random.Generator) -> Sample:
        score = drop_one_joint(
            sample.pose.score,
            self._limb_joints,
            generator_beside(rng),
            probability=self.drop_joint,
        )
        return replace(sample, pose=replace(sample.pose, score=score))
