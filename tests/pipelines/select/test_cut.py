"""Videos are cut into clips of equally many frames that a store then gives back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from action_clips import FPS, NUM_FRAMES, make_action_store
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.pipelines.select.clip_ids import parse_clip_id, short_clip_id
from posemill.pipelines.select.cut import Cut, cut_catalog, cut_spans, window_starts
from posemill.schema import Clip, TimedLabel, Video
from posemill.storage.catalog import read_catalog, write_catalog
from posemill.storage.poses import PoseStore
from posemill.transforms.clips import clip_frames


def test_windows_by_hand() -> None:
    for num_frames, starts in (
        (48, [0, 16, 32]),
        (47, [0, 15, 31]),  # 31 frames of room in two steps of 15.5
        (33, [0, 8, 17]),
        (17, [0, 1]),
        (16, [0]),
        (5, [0]),
    ):
        assert window_starts(num_frames, Cut(16, 16)) == starts
    assert window_starts(24, Cut(16, 4)) == [0, 4, 8]
    assert window_starts(10, Cut(1, 4)) == [0, 3, 6, 9]


@given(st.integers(1, 200), st.integers(1, 40), st.integers(1, 40))
def test_windows_reach_over_all_frames(num_frames: int, length: int, stride: int) -> None:
    starts = window_starts(num_frames, Cut(length, stride))
    assert starts[0] == 0
    assert starts[-1] == max(num_frames - length, 0)
    steps = np.diff(starts)
    assert (steps >= 1).all()
    assert (steps <= stride).all()
    assert steps.max(initial=0) - steps.min(initial=stride) <= 1


def test_spans_hold_the_frames_of_their_windows() -> None:
    seconds = np.array([-0.1, 0.0, 0.3, 0.4, 0.9, 1.0])  # of a varying rate
    whole = cut_spans(Clip("v", "v"), seconds, Cut(2, 2))
    assert whole == [(-0.1, 0.15), (0.15, 0.65), (0.65, None)]
    for shift in (-1e-6, 0.0, 1e-6):  # as times in whole microseconds
        times = np.append(seconds[:1], seconds[1:] + shift)
        assert [
            np.flatnonzero((times >= start) & (times < (end or np.inf))).tolist()
            for start, end in whole
        ] == [[0, 1], [2, 3], [4, 5]]
    part = cut_spans(Clip("v", "v", 0.25, 0.95), seconds[2:5], Cut(2, 1))
    assert part == [(0.25, 0.65), (0.35, 0.95)]
    assert cut_spans(Clip("v", "v", 0.25, 0.95), seconds[2:5], Cut(3, 3)) == [(0.25, 0.95)]
    assert cut_spans(Clip("v", "v", 5.0, 6.0), seconds[:0], Cut(3, 3)) == []


def test_ids_tell_the_video_and_the_number() -> None:
    assert short_clip_id("train/wave/7", 3) == "train/wave/7/0003"
    assert parse_clip_id("train/wave/7/0003") == ("train/wave/7", 3)
    assert parse_clip_id(short_clip_id("v", 12345)) == ("v", 12345)
    assert parse_clip_id("a/0001/0002") == ("a/0001", 2)
    for odd in ("v", "v/3", "v/00003", "0003", "v/000a"):
        with pytest.raises(ValueError, match="is no id of a clip that was cut"):
            parse_clip_id(odd)


def test_a_store_gives_each_clip_its_frames(tmp_path: Path) -> None:
    made = make_action_store(tmp_path, per_subset={"train": 2, "test": 1})
    cut = cut_catalog(made.store, None, Cut(4, 4))
    assert (cut.num_videos, cut.num_short, cut.num_unknown) == (3, 0, 0)
    write_catalog(tmp_path / "short", cut.catalog)
    short = read_catalog(tmp_path / "short")
    assert short == cut.catalog
    assert short.name == "made-up actions, clips of 4 frames"
    store = PoseStore.open(made.store)
    whole = {clip.id: clip for clip in read_catalog(made.catalog).clips}
    # 10 frames: 6 of room in two steps of 3.
    for clip, first in zip(short.clips, [0, 3, 6] * 3, strict=True):
        video, number = parse_clip_id(clip.id)
        assert number == first // 3
        frames = clip_frames(store.read(clip.video_id), clip.start_seconds, clip.end_seconds)
        assert frames.tolist() == list(range(first, first + 4))
        assert (clip.labels, clip.splits) == (whole[video].labels, whole[video].splits)


def test_what_cannot_be_cut_is_kept_whole_and_counted(tmp_path: Path) -> None:
    made = make_action_store(tmp_path, per_subset={"train": 2})
    catalog = read_catalog(made.catalog)
    clips = (
        replace(catalog.clips[0], id="late", start_seconds=5.0),
        replace(catalog.clips[0], id="part", start_seconds=0.2, end_seconds=0.45),
        replace(catalog.clips[1], labels=(TimedLabel("raise", 0.0, 0.1),)),
        Clip("gone", "gone"),
    )
    grown = replace(catalog, clips=clips, videos=[*catalog.videos, Video("gone", "g", 1, "")])
    write_catalog(tmp_path / "grown", grown)
    cut = cut_catalog(made.store, tmp_path / "grown", Cut(5, 5))
    assert (cut.num_videos, cut.num_short, cut.num_unknown) == (4, 1, 2)
    told = {clip.id: (clip.start_seconds, clip.end_seconds) for clip in cut.catalog.clips}
    half = (NUM_FRAMES / 2 - 0.5) / FPS
    assert told == {
        "late/0000": (5.0, None),
        "part/0000": (0.2, 0.45),
        "train/1/0000": (0.0, pytest.approx(half)),
        "train/1/0001": (pytest.approx(half), None),
        "gone/0000": (0.0, None),
    }
    # A label keeps its times: it is the whole video's.
    assert cut.catalog.clips[-2].labels == (TimedLabel("raise", 0.0, 0.1),)


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    made = make_action_store(tmp_path, per_subset={"train": 1})
    with pytest.raises(InputError, match="a stride of 1 or more, got 16 and 0"):
        Cut(16, 0)
    catalog = read_catalog(made.catalog)
    write_catalog(tmp_path / "none", replace(catalog, clips=(Clip("x", "train/0", 9.0),)))
    with pytest.raises(InputError, match="has frames of none of the 1 clips"):
        cut_catalog(made.store, tmp_path / "none", Cut())
    write_catalog(tmp_path / "long", replace(catalog, clips=(Clip("x" * 253, "train/0"),)))
    with pytest.raises(InputError, match=r"cannot be cut: .* index it by a shorter id"):
        cut_catalog(made.store, tmp_path / "long", Cut())
