"""The export of a pose store: shard by shard, whole videos or a catalog's clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.events import Event, ItemDone, ShardEnded
from posemill.pipelines.export_items import NOT_IN_STORE, NOT_MADE, UNFIT, ExportPlan, LeftOut
from posemill.pipelines.pose_catalog import catalog_of
from posemill.pipelines.tasks import ShardOutcome
from posemill.schema import Clip, PoseSequence
from posemill.storage.catalog import Catalog
from posemill.storage.exports.base import PoseExport, PoseItem, PoseSource, PoseWriter
from posemill.storage.poses import PoseStore, ShardCommit, VideoEntry
from posemill.storage.videos import VideoTable
from posemill.transforms.clips import clip_poses
from posemill.transforms.skeletons import get_skeleton

Commits = Mapping[int, ShardCommit]


@dataclass(frozen=True, slots=True)
class Views:
    """What is exported of each video: itself, or its clips."""

    clips: Mapping[str, Sequence[Clip]] | None
    """By the id of their video; None exports whole videos."""

    @classmethod
    def of(cls, catalog: Catalog | None) -> Views:
        if catalog is None:
            return cls(None)
        clips: dict[str, list[Clip]] = {}
        for clip in catalog.clips:
            clips.setdefault(clip.video_id, []).append(clip)
        return cls(clips)

    @property
    def unit(self) -> str:
        return "video" if self.clips is None else "clip"

    def ids(self, video_id: str) -> list[str]:
        """Of all items of a video."""
        return [video_id] if self.clips is None else [c.id for c in self.clips.get(video_id, ())]

    def items(self, video_id: str, poses: PoseSequence) -> Iterator[PoseItem]:
        """All items of a video."""
        if self.clips is None:
            yield PoseItem(video_id, video_id, poses)
            return
        for clip in self.clips.get(video_id, ()):
            cut = clip_poses(poses, clip.start_seconds, clip.end_seconds)
            yield PoseItem(clip.id, video_id, cut, clip)


@dataclass(frozen=True, slots=True)
class PoseExportJob:
    """What is exported of a pose store, as its commits were when this was made."""

    export: PoseExport
    store: PoseStore
    source: PoseSource
    commits: Commits
    views: Views
    plan: ExportPlan

    @classmethod
    def of(cls, export: PoseExport, store: PoseStore, catalog: Path | None) -> PoseExportJob:
        """The job of an export.

        Raises:
            InputError: there is no catalog where there must be one, or one where none is
                taken, or the export refuses what the store holds.
        """
        source = PoseSource(
            url=store.url,
            skeleton=get_skeleton(store.configuration["skeleton"]),
            has_3d=store.has_3d(),
            catalog=_catalog(export, store, catalog),
        )
        export.check(source)
        views, commits = Views.of(source.catalog), dict(sorted(store.committed().items()))
        return cls(export, store, source, commits, views, _plan(store, commits, source, views))

    @property
    def num_shards(self) -> int:
        return sum(bool(self._ids(commit)) for commit in self.commits.values())

    def write(self, draft: Path, on_event: Callable[[Event], None]) -> list[LeftOut]:
        """Export all items; returns those that the export cannot hold."""
        unfit: list[LeftOut] = []
        with self.export.begin(draft, self.source) as writer:
            for commit in self.commits.values():
                if not self._ids(commit):
                    continue
                for entry, poses in self.store.iter_shard(commit):
                    if poses is not None:
                        unfit += self._write_video(writer, entry, poses, on_event)
                writer.end_shard()
                outcome = str(ShardOutcome.COMMITTED)
                on_event(ShardEnded(commit.shard_id, outcome, len(self._ids(commit))))
        return unfit

    def _write_video(
        self,
        writer: PoseWriter,
        entry: VideoEntry,
        poses: PoseSequence,
        on_event: Callable[[Event], None],
    ) -> list[LeftOut]:
        unfit = []
        for item in self.views.items(entry.video_id, poses):
            problem = self._unfit(item)
            if problem:
                unfit.append(LeftOut(item.id, UNFIT, problem))
            else:
                writer.add(item)
            status = UNFIT if problem else str(entry.status)
            on_event(ItemDone(entry.shard_id, item.id, status, item.poses.num_frames))
        return unfit

    def _unfit(self, item: PoseItem) -> str | None:
        if item.poses.num_frames == 0:
            return "no decoded frame is in its span"
        return self.export.unfit(item)

    def _ids(self, commit: ShardCommit) -> list[str]:
        """Of all items that are exported of a shard."""
        held = (entry for entry in commit.entries if entry.status.has_frames)
        return [id_ for entry in held for id_ in self.views.ids(entry.video_id)]


def _catalog(export: PoseExport, store: PoseStore, given: Path | None) -> Catalog | None:
    """Raises:
    InputError: one is given and not taken, or needed and not known.
    """
    if export.clips == "never" and given is not None:
        raise InputError(
            f"export {export.name} takes whole videos, without labels; leave --catalog out"
        )
    if export.clips == "always" or given is not None:
        return catalog_of(store, given)
    return None


def _plan(store: PoseStore, commits: Commits, source: PoseSource, views: Views) -> ExportPlan:
    entries = [entry for commit in commits.values() for entry in commit.entries]
    known = {entry.video_id for entry in entries}
    left_out = [
        LeftOut(id_, str(entry.status), entry.message)
        for entry in entries
        if not entry.status.has_frames
        for id_ in views.ids(entry.video_id)
    ]
    not_made = [id_ for id_ in _planned(store, commits) if id_ not in known]
    left_out += [LeftOut(id_, NOT_MADE) for each in not_made for id_ in views.ids(each)]
    elsewhere = (views.clips or {}).keys() - known - set(not_made)
    left_out += [
        LeftOut(id_, NOT_IN_STORE) for each in sorted(elsewhere) for id_ in views.ids(each)
    ]
    held = [entry.video_id for entry in entries if entry.status.has_frames]
    return ExportPlan(
        unit=views.unit,
        num_items=sum(len(views.ids(video_id)) for video_id in held),
        left_out=tuple(left_out),
        classes=() if source.catalog is None else source.catalog.classes,
    )


def _planned(store: PoseStore, commits: Commits) -> list[str]:
    """Ids of the videos of shards that are still to do."""
    ids: list[str] = []
    for table in store.plans():
        to_do = ~np.isin(table.shard_id, list(commits))
        if to_do.any():
            numbers = np.flatnonzero(to_do).tolist()
            of_table = VideoTable.of(table.videos).ids()
            ids += [of_table[number] for number in numbers]
    return ids
