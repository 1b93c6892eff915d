"""Features with pictures: the very frames that the poses are of, from real small videos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chain import index
from numbered_frames import read_number
from odd_videos import with_b_frames
from posed_videos import Posed, Rendering, WholeFrames, posed, stored, write_poses
from tar_files import make_tar
from video_makers import Film

from posemill.pipelines.decode import DecoderPool
from posemill.pipelines.pictures import PictureSettings
from posemill.pipelines.pictures.frame_reader import FrameReader
from posemill.pipelines.pictures.posed_video import PosedVideo
from posemill.schema import Clip, Video, VideoStatus
from posemill.storage.catalog import read_catalog, write_catalog
from posemill.storage.features import FeatureStore
from posemill.storage.poses import PoseStore
from posemill.storage.video import FrameOptions, open_video
from posemill.transforms.clips import clip_frames
from posemill.transforms.recipes import Recipe, create_recipe
from posemill.transforms.sample import Pictures, Sample
from posemill.transforms.seeding import clip_generator

FILM = Film(frames=30, fps=12)  # 64 x 48 px, a key frame every 12; most times are no microseconds


def plainly_decoded(path: Path, options: FrameOptions, video: Video) -> np.ndarray:
    span = {"start_seconds": video.start_seconds, "end_seconds": video.end_seconds}
    with open_video(path, **span, **options.as_dict()) as reader:
        return np.stack([frame.rgb for frame in reader])


def assert_equal_to_a_plain_decode(made: Posed, options: FrameOptions, seed: int = 0) -> None:
    """Every clip of the catalog has the pictures that the recipe draws of a plain decode."""
    catalog, poses, found = read_catalog(made.catalog), PoseStore.open(made.poses), stored(made)
    assert {clip.id for clip in catalog.clips} == found.keys()
    videos = {video.id: video for video in catalog.videos}
    for clip in catalog.clips:
        frames = plainly_decoded(
            made.root / videos[clip.video_id].uri, options, videos[clip.video_id]
        )
        pose = poses.read(clip.video_id)
        assert len(frames) == pose.num_frames
        own = frames[clip_frames(pose, clip.start_seconds, clip.end_seconds)]
        numbers = np.sort(clip_generator(seed, clip.id).choice(len(own), 3, replace=False))
        np.testing.assert_array_equal(found[clip.id][1], numbers)
        np.testing.assert_array_equal(found[clip.id][0], own[numbers])


@pytest.mark.parametrize(
    "options",
    [
        FrameOptions(),
        FrameOptions(frame_step=4),
        FrameOptions(fps=4),
        FrameOptions(decoder="opencv"),
    ],
    ids=["all", "step", "fps", "opencv"],
)
def test_pictures_are_the_frames_of_the_poses(
    tmp_path: Path, whole: Rendering, options: FrameOptions
) -> None:
    made = posed(tmp_path, {"a": FILM, "b": replace(FILM, first_number=100)}, options)
    summary = whole.run(made)
    assert (summary.num_valid, dict(summary.unmade)) == (2, {})
    assert_equal_to_a_plain_decode(made, options)
    if options.frame_step == 4:  # what they spell is what was filmed, too
        pictures, numbers = stored(made)["b"]
        assert [read_number(rgb) for rgb in pictures] == [100 + 4 * each for each in numbers]


def test_pictures_may_be_smaller_than_the_frame_of_the_poses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: DecoderPool
) -> None:
    whole = Rendering(monkeypatch, WholeFrames(size_hw=(24, 32)), pool)
    made = posed(tmp_path, {"a": FILM}, FrameOptions(long_edge=32))
    assert PoseStore.open(made.poses).read("a").width == 64
    assert whole.run(made).num_valid == 1
    assert_equal_to_a_plain_decode(made, FrameOptions(long_edge=32))


def test_a_span_of_a_video_is_numbered_from_its_start(tmp_path: Path, whole: Rendering) -> None:
    def cut(video: Video) -> Video:
        return replace(video, start_seconds=1.25, end_seconds=2.5)

    for name, options in {"every": FrameOptions(), "third": FrameOptions(frame_step=3)}.items():
        made = posed(tmp_path / name, {"a": FILM}, options, edit=cut)
        whole.run(made)
        assert_equal_to_a_plain_decode(made, options)


def test_times_that_were_counted_are_counted_again(tmp_path: Path, whole: Rendering) -> None:
    """An AVI tells no times: they are counted, and frames numbered from where the poses begin."""
    made = Posed.below(tmp_path)
    with_b_frames(made.root / "a.avi")
    catalog = read_catalog(index(made.root, made.catalog))
    cut = replace(catalog, videos=[replace(catalog.videos[0], start_seconds=0.35)])
    write_poses(made, cut.videos, FrameOptions())
    assert PoseStore.open(made.poses).entries()["a"].pts_source == "frame rate"
    assert whole.run(made).num_valid == 1  # whatever the catalog's span is by now
    write_catalog(made.catalog, cut, overwrite=True)
    assert_equal_to_a_plain_decode(made, FrameOptions())


@pytest.mark.parametrize(
    ("changes", "start_seconds"),
    [
        ({}, 0.916666),
        ({"pts_source": "frame rate"}, 0.25),
        ({"status": VideoStatus.DAMAGED}, 0.25),
    ],
)
def test_a_decoder_seeks_where_that_changes_nothing(
    tmp_path: Path, changes: dict[str, Any], start_seconds: float
) -> None:
    made = posed(tmp_path, {"a": FILM}, edit=lambda video: replace(video, start_seconds=0.25))
    store, video = PoseStore.open(made.poses), read_catalog(made.catalog).videos[0]
    entry = replace(store.entries()["a"], **changes)
    posed_video = PosedVideo(video, entry, store.read("a"), FrameOptions())
    search = posed_video.search(np.array([8, 9]))  # at 11 / 12 s
    assert search.start_seconds == pytest.approx(start_seconds, abs=1e-9)
    assert search.numbers.tolist() == ([0, 1] if not changes else [8, 9])
    assert search.microseconds.tolist() == [916_667, 1_000_000]


CLIPS = (
    Clip("early", "a", start_seconds=0.0, end_seconds=1.0),
    Clip("late", "a", start_seconds=1.5, end_seconds=2.6),
    Clip("across", "a", start_seconds=0.5, end_seconds=2.0),
    Clip("whole", "a"),
    Clip("none", "a", start_seconds=60.0, end_seconds=61.0),
)


def test_clips_of_one_video_share_passes_as_far_as_memory_goes(
    tmp_path: Path, whole: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = counted_reads(monkeypatch)
    made = posed(tmp_path, {"a": FILM}, clips=CLIPS)
    assert whole.run(made).num_valid == 5
    wanted = {
        clip: {int(number) for number in numbers} for clip, (_, numbers) in stored(made).items()
    }
    assert len(reads) == 1
    assert len(reads[0]) <= sum(map(len, wanted.values()))
    assert not stored(made)["none"][0].any()
    reads.clear()
    frame = 48 * 64 * 3
    again = replace(made, out=tmp_path / "again.zarr")
    whole.run(again, pictures=PictureSettings(pass_bytes=4 * frame))
    assert len(reads) > 1
    assert all(len(numbers) <= 4 for numbers in reads)
    for clip, (pictures, numbers) in stored(made).items():
        np.testing.assert_array_equal(stored(again)[clip][0], pictures)
        np.testing.assert_array_equal(stored(again)[clip][1], numbers)
    plain = plainly_decoded(made.video("a"), FrameOptions(), read_catalog(made.catalog).videos[0])
    for clip in CLIPS[:4]:
        pictures, numbers = stored(made)[clip.id]
        pose = PoseStore.open(made.poses).read("a")
        own = plain[clip_frames(pose, clip.start_seconds, clip.end_seconds)]
        np.testing.assert_array_equal(pictures, own[numbers])


def counted_reads(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What every pass asks for, from now on."""
    reads: list[np.ndarray] = []
    read: Callable = FrameReader.read

    def noted(self: FrameReader, video: object, numbers: np.ndarray) -> np.ndarray:
        reads.append(numbers)
        return read(self, video, numbers)

    monkeypatch.setattr(FrameReader, "read", noted)
    return reads


def test_a_member_of_a_tar_file(tmp_path: Path, whole: Rendering) -> None:
    made = posed(tmp_path, {"a": FILM})
    make_tar(made.root / "shard.tar", {"a.mp4": made.video("a").read_bytes()})
    plain = plainly_decoded(made.video("a"), FrameOptions(), read_catalog(made.catalog).videos[0])
    made.video("a").unlink()
    catalog = read_catalog(made.catalog)
    moved = [replace(video, uri="shard.tar#a.mp4") for video in catalog.videos]
    write_catalog(made.catalog, replace(catalog, videos=moved), overwrite=True)
    assert whole.run(made).num_valid == 1
    pictures, numbers = stored(made)["a"]
    np.testing.assert_array_equal(pictures, plain[numbers])


def assert_rendered(out: Path, poses: Path, root: Path, recipe: Recipe) -> None:
    """Every row is what the recipe makes of all frames of its video, from a plain decode."""
    store, source = FeatureStore.open(out), PoseStore.open(poses)
    for number, row in enumerate(store.rows()):
        if row is None:
            continue
        with open_video(root / f"{row.video_id}.mp4") as reader:
            rgb = np.stack([frame.rgb for frame in reader])
        sample = Sample(source.read(row.video_id), pictures=Pictures(np.arange(len(rgb)), rgb))
        expected = recipe(sample, clip_generator(0, row.clip_id))
        assert expected["frames"].any()
        for output, array in expected.items():
            np.testing.assert_array_equal(store.read(output, number), array)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("rgb-clip", {"length": "4", "short_side": "32", "crop": "28"}),
        ("rgbpose", {"size": "32", "crop": "28", "draw": "cache", "length": "8"}),
        ("vpn-crops", {"size": "32", "draw": "cache", "windows": "2", "pictures": "8"}),
        ("parnet-frames", {"short_side": "32", "crop": "28"}),
    ],
)
def test_recipes_of_ours_are_given_all_that_they_read(
    poses: Path,
    videos: Path,
    catalog: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pool: DecoderPool,
    name: str,
    settings: dict[str, str],
) -> None:
    """Of fixture videos, with poses by extraction."""
    recipe = create_recipe(name, settings)
    made = Posed(videos, catalog, poses, tmp_path / "f")
    assert Rendering(monkeypatch, recipe, pool).run(made).num_valid == 8
    assert_rendered(made.out, poses, videos, recipe)
