"""NTU RGB+D and NTU RGB+D 120: names of samples, and lists of those without a skeleton."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits
from hypothesis import given, settings
from parser_fuzz import changed, read_or_refused

from posemill.errors import InputError
from posemill.storage.datasets.ntu import Ntu60Dataset, Ntu120Dataset
from posemill.storage.datasets.ntu_actions import ACTIONS

MISSING = (
    '302 of the captured samples in the "NTU RGB+D" dataset have missing or incomplete skeleton '
    "data.\nIf you are working on skeleton-based analysis, please ignore these files.\n\n"
    "S001C002P005R002A008\nS017C003P020R001A059\n"
)
LIST = "NTU_RGBD_samples_with_missing_skeletons.txt"
VIDEOS = (
    "nturgb+d_rgb/S001C001P001R001A001_rgb.avi",
    "nturgb+d_rgb/S002C002P003R002A060_rgb.avi",
    "nturgb+d_rgb/S001C002P005R002A008_rgb.avi",
    "nturgb+d_ir/S001C001P001R001A001_ir.avi",
    "S018C003P045R001A061.mp4",
    "S018C003P008R001A061.mp4",
    "S032C001P106R002A120_rgb.avi",
    "S033C001P106R002A120_rgb.avi",
)


def test_classes_and_performers_are_as_many_as_they_say() -> None:
    assert len(set(ACTIONS)) == len(ACTIONS) == 120
    numbers = {7: "throw", 23: "hand waving", 50: "punching/slapping other person", 103: "yawn"}
    assert {number: ACTIONS[number - 1] for number in numbers} == numbers
    performers = {"60": 40, "120": 106}
    name = "S001C001P{:03d}R001A001.avi".format
    videos = {kind: [name(each + 1) for each in range(count)] for kind, count in performers.items()}
    train = {"60": 20, "120": 53}
    for kind, dataset in (("60", Ntu60Dataset()), ("120", Ntu120Dataset())):
        found = dataset.read([], [each.removesuffix(".avi") for each in videos[kind]])
        assert sum(clip.splits["xsub"] == "train" for clip in found.clips) == train[kind]


def test_ntu60_without_the_samples_of_a_list(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", {LIST: MISSING})
    indexed = index("ntu60", notes, videos=put_videos(tmp_path / "videos", *VIDEOS))
    assert labels(indexed.catalog) == {
        "S001C001P001R001A001": ["drink water"],
        "S002C002P003R002A060": ["walking apart from each other"],
    }
    assert splits(indexed.catalog) == {
        "S001C001P001R001A001": {"xsub": "train", "xview": "test"},
        "S002C002P003R002A060": {"xsub": "test", "xview": "train"},
    }
    assert indexed.catalog.classes == ACTIONS[:60]
    assert indexed.left_out == {
        "videos of other names": 1,
        "samples that are not of NTU RGB+D": 4,
        "samples without a skeleton": 1,
    }
    assert not absent(indexed.catalog)


def test_ntu120_with_the_names_of_skeletons_whose_videos_are_not_there(tmp_path: Path) -> None:
    names = ("S031C002P103R001A097.skeleton", "S001C003P008R001A001.skeleton")
    notes = put_files(tmp_path / "skeletons", dict.fromkeys(names, ""))
    indexed = index("ntu120", notes, videos=put_videos(tmp_path / "videos", *VIDEOS))
    assert splits(indexed.catalog) == {
        "S001C001P001R001A001": {"xsub": "train", "xset": "test", "oneshot": "test"},
        "S001C002P005R002A008": {"xsub": "train", "xset": "test", "oneshot": "train"},
        "S001C003P008R001A001": {"xsub": "train", "xset": "test", "oneshot": "exemplar"},
        "S002C002P003R002A060": {"xsub": "test", "xset": "train", "oneshot": "train"},
        "S018C003P008R001A061": {"xsub": "train", "xset": "train", "oneshot": "exemplar"},
        "S018C003P045R001A061": {"xsub": "train", "xset": "train", "oneshot": "test"},
        "S031C002P103R001A097": {"xsub": "train", "xset": "test", "oneshot": "test"},
        "S032C001P106R002A120": {"xsub": "test", "xset": "train", "oneshot": "train"},
    }
    assert indexed.left_out == {
        "videos of other names": 1,
        "samples that are not of NTU RGB+D 120": 1,
    }
    assert absent(indexed.catalog) == ["S001C003P008R001A001", "S031C002P103R001A097"]
    assert labels(indexed.catalog)["S031C002P103R001A097"] == ["arm circles"]


def test_what_cannot_be_is_named(tmp_path: Path) -> None:
    videos = put_videos(tmp_path / "videos", *VIDEOS)
    prose = put_files(tmp_path, {f"a/{LIST}": "none\n"})
    with pytest.raises(InputError, match=f"{LIST}: names no sample"):
        index("ntu60", prose / "a", videos=videos)
    put_files(tmp_path, {f"b/{LIST}": f"{MISSING}S001\n"})
    with pytest.raises(InputError, match=rf"{LIST}, line 6: expected a name .*, got 'S001'"):
        index("ntu60", tmp_path / "b", videos=videos)
    put_files(tmp_path, {"c/x.skeleton": ""})
    with pytest.raises(InputError, match=r"x\.skeleton: expected a name such as S001C"):
        index("ntu60", tmp_path / "c", videos=videos)
    with pytest.raises(InputError, match=r"no file \*\.skeleton or \*missing_skeletons\*\.txt"):
        index("ntu60", put_files(tmp_path / "e", {"x": ""}), videos=videos)


def test_two_videos_of_one_sample_are_named(tmp_path: Path) -> None:
    videos = put_videos(tmp_path, "S001C001P001R001A001_rgb.avi", "x/S001C001P001R001A001.mp4")
    with pytest.raises(InputError, match=r"both 'S001.*_rgb' and 'x/S001.*' below .* are 'S001"):
        index("ntu60", videos=videos)


@given(lines=changed(MISSING))
@settings(max_examples=50, deadline=None)
def test_any_change_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, lines: bytes
) -> None:
    base = tmp_path_factory.getbasetemp()
    videos = put_videos(base / "ntu_videos", *VIDEOS)
    read_or_refused("ntu60", put_files(base / "ntu", {LIST: lines}), videos)
