"""A dataset's joints and its annotations have the same ids, so that `materialize` finds both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mat_joints import jhmdb_fields, penn_fields, write_mat
from ntu_files import Body, write_skeleton

from posemill.storage.datasets.registry import create_dataset
from posemill.storage.formats.registry import create_format

CLIP = "April_09_brush_hair_u_nm_np1_ba_goo_0"


def jhmdb(root: Path) -> tuple[Path, Path]:
    splits = root / "splits"
    splits.mkdir()
    (splits / "brush_hair_test_split1.txt").write_text(f"{CLIP}.avi 1\n")
    joints = root / "joint_positions"
    write_mat(joints / "brush_hair" / CLIP / "joint_positions.mat", jhmdb_fields())
    return joints, splits


def ntu(root: Path) -> tuple[Path, Path]:
    write_skeleton(root / "S001C001P001R001A001.skeleton", [[Body()]])
    return root, root


def penn_action(root: Path) -> tuple[Path, Path]:
    write_mat(root / "labels" / "0001.mat", penn_fields())
    return root / "labels", root


@pytest.mark.parametrize(
    ("given_format", "dataset", "make"),
    [
        ("jhmdb", "jhmdb", jhmdb),
        ("ntu-skeleton", "ntu60", ntu),
        ("penn-action", "penn-action", penn_action),
    ],
)
def test_ids_are_those_of_the_dataset(
    tmp_path: Path, given_format: str, dataset: str, make: Callable[[Path], tuple[Path, Path]]
) -> None:
    poses, annotations = make(tmp_path)
    ids = {each.video_id for each in create_format(given_format).find(poses)}
    told = create_dataset(dataset).read([annotations], [])
    assert ids == {video.id for video in told.videos} == {clip.video_id for clip in told.clips}
