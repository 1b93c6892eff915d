"""Which frames are taken, and in which size: poses stay in the video's own pixels and times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import odd_videos
import pytest
from chain import extract_config, ignore, index

from posemill.errors import ConfigurationMismatch, InputError
from posemill.pipelines.decode import DecodeSettings
from posemill.pipelines.estimate.clip_poses import in_video_px
from posemill.pipelines.extract import extract
from posemill.pipelines.preview import preview_poses
from posemill.pipelines.retry import RetryConfig, retry
from posemill.storage.poses import PoseStore
from posemill.storage.video import FrameOptions, VideoLimits, open_video


@pytest.fixture(scope="module")
def thinned(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The poses of every second frame, scaled down to 120 px."""
    out = tmp_path_factory.mktemp("thinned") / "poses.zarr"
    extract(settings(catalog, out, FrameOptions(long_edge=120, frame_step=2)), ignore)
    return out


def settings(catalog: Path, out: Path, frames: FrameOptions):
    return replace(extract_config(catalog, out), decoding=DecodeSettings(frames=frames))


def test_poses_of_fewer_and_smaller_frames_are_in_the_videos_pixels(
    poses: Path, thinned: Path
) -> None:
    whole, some = PoseStore.open(poses), PoseStore.open(thinned)
    distances = []
    for video_id, entry in some.entries().items():
        ours, theirs = some.read(video_id), whole.read(video_id)
        assert (ours.width, ours.height) == (theirs.width, theirs.height)
        assert max(ours.width, ours.height) > 120
        assert np.array_equal(ours.pts_seconds, theirs.pts_seconds[::2])
        assert entry.frames_decoded == -(-whole.entries()[video_id].frames_decoded // 2)
        distances += nearest(ours, theirs)
    # Found in pictures of half the size: to a pixel or two, and not to half of the place.
    assert np.median(distances) < 2
    assert len(distances) > 100


def nearest(ours, theirs) -> list[float]:
    """Of each pose in `ours`, how far the nearest of the same frame in `theirs` is, px."""
    found = []
    for row, frame in enumerate(ours.frame):
        seen = ours.score[row] > 0.3
        others = theirs.xy_px[theirs.frame == 2 * frame]
        if seen.any() and len(others):
            gaps = np.linalg.norm(others[:, seen] - ours.xy_px[row, seen], axis=-1)
            found.append(float(gaps.mean(axis=-1).min()))
    return found


def test_the_edges_of_a_frame_stay_edges(tmp_path: Path) -> None:
    path = odd_videos.stretched(tmp_path / "a.mp4").path  # 64 x 48
    with open_video(path, long_edge=32) as reader:
        facts = reader.facts()
    edges = np.array([[-0.5, -0.5], [31.5, 23.5], [15.5, 11.5]], np.float32)
    expected = [[-0.5, -0.5], [63.5, 47.5], [31.5, 23.5]]
    assert in_video_px(edges, facts).tolist() == expected


def test_the_store_says_whose_times_they_are(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    odd_videos.uneven(tmp_path / "videos" / "even.mkv")
    odd_videos.with_b_frames(tmp_path / "videos" / "counted.avi")
    catalog = index(tmp_path / "videos", tmp_path / "catalog")
    extract(extract_config(catalog, tmp_path / "poses.zarr"), ignore)
    entries = PoseStore.open(tmp_path / "poses.zarr").entries()
    assert {name: entry.pts_source for name, entry in entries.items()} == {
        "even": "container",
        "counted": "frame rate",
    }


def test_a_store_of_other_frames_is_not_mixed(catalog: Path, thinned: Path) -> None:
    with pytest.raises(ConfigurationMismatch, match=r"frames\.long_edge.*120"):
        extract(settings(catalog, thinned, FrameOptions(long_edge=100, frame_step=2)), ignore)
    same = FrameOptions(long_edge=120, frame_step=2, decoder="pyav")  # what `auto` means
    assert extract(settings(catalog, thinned, same), ignore).num_made_videos == 0


def test_a_retry_takes_the_stores_own_frames(tmp_path: Path, videos: Path) -> None:
    root, out = tmp_path / "videos", tmp_path / "poses.zarr"
    root.mkdir()
    (root / "a.mp4").write_bytes(next(videos.rglob("*.mp4")).read_bytes())
    catalog = index(root, tmp_path / "catalog")
    frames = FrameOptions(frame_step=5)
    limits = VideoLimits(max_edge_px=10)
    config = replace(
        extract_config(catalog, out), decoding=DecodeSettings(frames=frames, limits=limits)
    )
    assert extract(config, ignore).statuses == {"quarantined": 1}
    message = PoseStore.open(out).entries()["a"].message
    assert "expected at most 10 (max_edge_px)" in message
    assert retry(RetryConfig(out, video_limits=limits), ignore).statuses == {"quarantined": 1}
    assert retry(RetryConfig(out), ignore).statuses == {"ok": 1}
    with open_video(root / "a.mp4", frame_step=5) as reader:
        times = [frame.pts_seconds for frame in reader]
    assert PoseStore.open(out).read("a").pts_seconds == pytest.approx(times, abs=1e-6)


def test_a_preview_shows_the_frames_that_were_taken(thinned: Path, tmp_path: Path) -> None:
    paths = preview_poses(thinned, tmp_path, frames=50)
    assert len(paths) == len(PoseStore.open(thinned).entries())
    with pytest.raises(InputError, match="at least 1 frame"):
        preview_poses(thinned, tmp_path, frames=0)
