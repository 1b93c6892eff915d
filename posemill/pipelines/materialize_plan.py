"""What is left to do of a feature store: rows whose poses are there, and what is made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.pictures.mended import mended_shards
from posemill.pipelines.pictures.places import VideoPlaces
from posemill.pipelines.render_inputs import STAGE, RenderInputs
from posemill.pipelines.tasks import ShardTask
from posemill.storage.feature_state import FeatureState
from posemill.storage.features import FeatureCommit, FeatureRow
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import are_there
from posemill.storage.poses import PlanTable, PoseStore
from posemill.storage.videos import VideoTable
from posemill.transforms.outputs import OutputSpec


@dataclass(frozen=True, slots=True)
class MaterializePlan:
    """What a run would do: the answer of `--dry-run`."""

    num_clips: int
    num_clips_to_do: int
    bytes_per_clip: int
    """Before compression."""
    pending: tuple[ShardTask, ...]
    num_shards_not_extracted: int
    num_clips_without_video: int
    """Clips of the catalog whose video the pose store does not hold."""
    num_absent_videos: int = 0
    """Videos to decode whose files are not there; looked for where only the plan is asked for."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "clips": self.num_clips,
            "clips_to_do": self.num_clips_to_do,
            "bytes_per_clip": self.bytes_per_clip,
            "shards_to_do": len(self.pending),
            "shards_not_extracted": self.num_shards_not_extracted,
            "clips_without_video": self.num_clips_without_video,
            "videos_missing": self.num_absent_videos,
        }


def bytes_per_clip(specs: Sequence[OutputSpec]) -> int:
    """Of what a store of these outputs holds, before compression."""
    return sum(prod(spec.shape) * np.dtype(spec.dtype).itemsize for spec in specs)


def make_plan(
    inputs: RenderInputs, rows: Sequence[FeatureRow], state: FeatureState | None
) -> MaterializePlan:
    """What is left to do of `rows`, given what is made of them; None is a store yet to be made.

    Raises:
        InputError: the features are of other poses.
        EnvironmentFault: the poses or the videos cannot be looked at.
    """
    plans = inputs.poses.plans()
    _require_planned(inputs.poses, plans, rows)
    sizes = Counter(row.pose_shard for row in rows)
    # Anew, after the rows: those that another driver added are of shards committed since.
    commits = inputs.poses.committed()
    videos = {entry.video_id for commit in commits.values() for entry in commit.entries}
    # What is void is made again first: until then its clips keep the features they have.
    void = {shard for shard, commit in commits.items() if commit.has_void}
    ready = {s: c.marker_sha256 for s, c in commits.items() if s not in void}
    made = {s: state.commits[s] for s in ready if state and state.is_made(s, ready[s])}
    mended = _mended(inputs, made, rows)
    pending = tuple(
        ShardTask(
            STAGE,
            shard_id,
            num_clips,
            float(num_clips),
            generation=made[shard_id].generation + 1 if shard_id in made else 0,
        )
        for shard_id, num_clips in sizes.items()
        if shard_id in mended or (shard_id in ready and shard_id not in made)
    )
    num_planned = len({shard for plan in plans for shard in np.unique(plan.shard_id).tolist()})
    return MaterializePlan(
        num_clips=len(rows),
        num_clips_to_do=sum(task.num_items for task in pending),
        bytes_per_clip=bytes_per_clip(inputs.specs),
        pending=pending,
        num_shards_not_extracted=num_planned - len(commits) + len(void),
        num_clips_without_video=sum(clip.video_id not in videos for clip in inputs.catalog.clips),
    )


def video_places(inputs: RenderInputs) -> VideoPlaces:
    """Where the catalog has the videos of the poses."""
    catalog = inputs.catalog
    return VideoPlaces(inputs.poses, catalog.root, VideoTable.of(catalog.videos))


def num_absent_videos(
    inputs: RenderInputs, plan: MaterializePlan, rows: Iterable[FeatureRow]
) -> int:
    """How many of the videos are not there whose frames a run of the plan would decode.

    Raises:
        EnvironmentFault: an address gives no answer.
    """
    places, to_do = video_places(inputs), {task.shard_id for task in plan.pending}
    with_frames = {
        entry.video_id
        for shard in to_do
        for entry in inputs.commits[shard].entries
        if entry.status.has_frames
    }
    wanted = with_frames & {row.video_id for row in rows if row.pose_shard in to_do}
    uris = [
        video.uri
        for shard in to_do
        for video_id, video in places.of_shard(shard).items()
        if video_id in wanted
    ]
    there = are_there(uris, FileCache.of_environment())
    return len(wanted) - sum(there)


def _mended(
    inputs: RenderInputs, made: Mapping[int, FeatureCommit], rows: Sequence[FeatureRow]
) -> frozenset[int]:
    """Shards that are made but for clips whose videos are other files by now."""
    unmade = {shard: commit for shard, commit in made.items() if commit.unmade}
    return mended_shards(video_places(inputs), unmade, rows) if unmade else frozenset()


def _require_planned(
    poses: PoseStore, plans: Sequence[PlanTable], rows: Sequence[FeatureRow]
) -> None:
    """Refuse features of other poses than these.

    The plans tell, not the commits: whoever adds rows beside this run knows of later ones.

    Raises:
        InputError: a clip's video is not planned for the pose shard of its row.
    """
    shards = {
        video_id: shard
        for plan in plans
        for video_id, shard in zip(
            VideoTable.of(plan.videos).ids(), plan.shard_id.tolist(), strict=True
        )
    }
    strange = next((row for row in rows if shards.get(row.video_id) != row.pose_shard), None)
    if strange is not None:
        raise InputError(
            f"the features have the clip {strange.clip_id!r} in pose shard {strange.pose_shard}, "
            f"where {poses.url} plans no such video: they were made from other poses; materialize "
            "into a new store"
        )
