"""Small videos of numbered frames with poses, as extraction or an import would have left them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from chain import ignore, index
from in_process import InThisProcess
from video_makers import Film, shoot

from posemill.pipelines import materialize as stage
from posemill.pipelines.decode import DecoderPool
from posemill.pipelines.events import Event
from posemill.pipelines.materialize import MaterializeConfig, MaterializeSummary
from posemill.pipelines.pictures.frame_reader import FrameReader
from posemill.schema import Clip, Int64, PoseSequence, Skeleton, Video, VideoStatus
from posemill.settings import setting
from posemill.storage.catalog import read_catalog, write_catalog
from posemill.storage.features import FeatureStore
from posemill.storage.identity import file_identity
from posemill.storage.poses import PlanTable, PoseStore, VideoRecord
from posemill.storage.video import FrameOptions, open_video
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.recipes.views import PictureRecipe
from posemill.transforms.sample import Sample

Edit = Callable[[Video], Video]


@dataclass(frozen=True)
class WholeFrames(PictureRecipe):
    """Some frames of each clip, drawn at random, exactly as they were decoded."""

    name = "whole-frames"
    version = 1

    count: int = setting(3, "frames of a clip")
    size_hw: tuple[int, int] = setting((48, 64), "of the frames")

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:  # noqa: ARG002
        time, picture = ("time", "picture_y", "picture_x", "colour"), (*self.size_hw, 3)
        return (
            OutputSpec("frames", time, (self.count, *picture), "uint8"),
            OutputSpec("frame_index", ("time",), (self.count,), "int64"),
        )

    def picture_frames(self, pose: PoseSequence, rng: np.random.Generator) -> Int64:
        count = min(self.count, pose.num_frames)
        return np.sort(rng.choice(pose.num_frames, count, replace=False))

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        pictures, count = sample.pictures, min(self.count, sample.pose.num_frames)
        if count == 0:
            return {}
        numbers = self.picture_frames(sample.pose, rng)
        frames = np.zeros((self.count, *self.size_hw, 3), np.uint8)
        if pictures.size_hw == self.size_hw:  # but for the one that proves that it runs
            frames[:count] = pictures.rgb[pictures.rows(numbers)]
        return {"frames": frames, "frame_index": np.pad(numbers, (0, self.count - count))}

    def view_outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        return self.outputs(target)

    def draw_view(self, arrays: Arrays, *_: Any, **__: Any) -> tuple[Arrays, bool]:
        return arrays, False

    def fixed_views(self, arrays: Arrays, *_: Any, **__: Any) -> Arrays:
        return {name: array[None] for name, array in arrays.items()}


@dataclass(frozen=True)
class Posed:
    """A catalog of videos, and their poses."""

    root: Path
    catalog: Path
    poses: Path
    out: Path

    @classmethod
    def below(cls, folder: Path) -> Posed:
        """Where they shall be; the folder of the videos is made."""
        (folder / "videos").mkdir(parents=True)
        return cls(folder / "videos", folder / "catalog", folder / "poses.zarr", folder / "f.zarr")

    def video(self, name: str) -> Path:
        return self.root / f"{name}.mp4"


def posed(
    folder: Path,
    films: Mapping[str, Film],
    options: FrameOptions | None = FrameOptions(),  # noqa: B008 - it is frozen
    *,
    edit: Edit = lambda video: video,
    clips: Sequence[Clip] | None = None,
    extra_frames: int = 0,
) -> Posed:
    """Videos `name.mp4`, a catalog of a clip of each, and poses with a person in every frame.

    Without `options` the poses are as imported ones: of 30 frames a second whatever the video
    has, and `extra_frames` more of them. `edit` changes the catalog's videos.
    """
    made = Posed.below(folder)
    for name, film in films.items():
        made.video(name).parent.mkdir(parents=True, exist_ok=True)
        shoot(made.video(name), film)
    catalog = read_catalog(index(made.root, made.catalog))
    videos = [edit(video) for video in catalog.videos]
    wanted = catalog.clips if clips is None else tuple(clips)
    write_catalog(made.catalog, replace(catalog, videos=videos, clips=wanted), overwrite=True)
    write_poses(made, [v for v in videos if made.video(v.id).is_file()], options, extra_frames)
    return made


def write_poses(
    made: Posed, videos: Sequence[Video], options: FrameOptions | None, extra_frames: int = 0
) -> None:
    told: dict[str, Any] = {"skeleton": "coco-17", "estimator": "none"}
    told |= (
        {"stage": "import"}
        if options is None
        else {"stage": "extract", "frames": options.configuration()}
    )
    store = PoseStore.create(made.poses, told, catalog_hint=str(made.catalog))
    absolute = [replace(video, uri=str(made.root / video.uri)) for video in videos]
    store.add_plan(0, PlanTable(0, [0] * len(videos), absolute, [1.0] * len(videos)))
    store.write_shard(0, [_record(made, video, options, extra_frames) for video in videos])


def _record(made: Posed, video: Video, options: FrameOptions | None, extra: int) -> VideoRecord:
    path = made.root / video.uri
    span = {"start_seconds": video.start_seconds, "end_seconds": video.end_seconds}
    with open_video(path, **span, **(options or FrameOptions()).as_dict()) as reader:
        times = [frame.pts_seconds for frame in reader]
        facts = reader.facts()
    count, identity = len(times), file_identity(path)
    if options is None:
        count, identity = count + extra, "of an annotation"
        times = [number / 30 for number in range(count)]
    pose = PoseSequence(
        skeleton="coco-17",
        xy_px=np.full((count, 17, 2), 20.0, np.float32),
        score=np.ones((count, 17), np.float32),
        frame=np.arange(count),
        slot=np.zeros(count, np.int64),
        pts_seconds=np.array(times),
        width=facts.width,
        height=facts.height,
        frames_declared=count,
    )
    source = "" if options is None else str(facts.pts_source)
    return VideoRecord(
        video.id, VideoStatus.OK, "", "", identity, pose, count, count, pts_source=source
    )


def stored(made: Posed) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By clip: its pictures and their numbers in the clip."""
    store = FeatureStore.open(made.out)
    frames, numbers = (store.read(name, slice(None)) for name in ("frames", "frame_index"))
    valid = store.valid()
    return {
        row.clip_id: (frames[n], numbers[n])
        for n, row in enumerate(store.rows())
        if row is not None and valid[n]
    }


class Rendering:
    """Runs the stage in this process, by a recipe, perhaps of the tests' own."""

    def __init__(
        self, monkeypatch: Any, recipe: PictureRecipe, pool: DecoderPool | None = None
    ) -> None:
        """With a `pool`, its decoder is used instead of one for each shard."""
        if pool is not None:
            monkeypatch.setattr(FrameReader, "_start", lambda _: pool)
            monkeypatch.setattr(FrameReader, "close", ignore)
        monkeypatch.setattr(stage, "create_recipe", lambda *_: recipe)
        monkeypatch.setattr(stage, "create_engine", lambda *_: InThisProcess())

    def config(self, made: Posed, **changes: Any) -> MaterializeConfig:
        return replace(MaterializeConfig(made.poses, made.out, "whole-frames"), **changes)

    def run(
        self, made: Posed, on_event: Callable[[Event], None] = ignore, **changes: Any
    ) -> MaterializeSummary:
        return stage.materialize(self.config(made, **changes), on_event)

    def num_pending(self, made: Posed) -> int:
        return len(stage.plan_materialize(self.config(made)).pending)
