"""Kept maps over frames: each cell where it belongs, in its joint's or direction's colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pictures import panel, read_png
from spooled import with_dense

from posemill.pipelines.drawing import LEFT, RIGHT
from posemill.pipelines.preview import preview_poses, sheets
from posemill.schema import PoseSequence, VideoStatus
from posemill.storage.poses import PoseStore, VideoRecord
from posemill.transforms.skeletons import COCO_17

WIDTH, HEIGHT = 320, 160
GROUND = float(max(sheets.GROUND))


def nobody(num_frames: int) -> PoseSequence:
    return PoseSequence(
        skeleton=COCO_17.name,
        xy_px=np.empty((0, 17, 2), np.float32),
        score=np.empty((0, 17), np.float32),
        frame=np.empty(0, np.int64),
        slot=np.empty(0, np.int64),
        pts_seconds=np.arange(num_frames) / 10,
        width=WIDTH,
        height=HEIGHT,
        frames_declared=num_frames,
    )


def test_maps_lie_over_their_frames(tmp_path: Path) -> None:
    """Ten frames with 5 x 10 cells of 32 px: a cell is bright, another one in the last frame."""
    joints = np.zeros((10, 17, 5, 10), np.float32)
    joints[:, COCO_17.keypoints.index("left_knee"), 1, 2] = 1
    joints[9] = 0
    joints[9, COCO_17.keypoints.index("right_knee"), 3, 8] = 1
    parts = np.zeros((10, 4, 5, 10), np.float32)
    parts[:, 2, 4, 0] = 1  # x of the second limb: to the right
    parts[:, 0, 0, 9] = -1  # x of the first: to the left
    store = PoseStore.create(tmp_path / "poses.zarr", {"skeleton": COCO_17.name})
    record = VideoRecord("v", VideoStatus.EMPTY, "", "", "i", nobody(10), 10, 10)
    store.write_shard(0, [with_dense(record, {"joints": joints, "parts": parts}, tmp_path / "s")])
    paths = preview_poses(store.url, tmp_path / "out", frames=2)
    assert [path.name.split(".", 1)[1] for path in paths] == ["png", "joints.png", "parts.png"]
    first, last = (panel(read_png(paths[1]), n, 2, (HEIGHT, WIDTH)) for n in range(2))
    # Half a pixel beside a cell's middle there is 1/64 of its neighbours, in each direction.
    np.testing.assert_allclose(first[48, 80], LEFT, rtol=0.04)
    np.testing.assert_allclose(last[112, 272], RIGHT, rtol=0.04)
    assert first[112, 272].max() < 80
    field = panel(read_png(paths[2]), 0, 2, (HEIGHT, WIDTH))
    np.testing.assert_allclose(field[144, 16], [255, GROUND / 2, GROUND / 2], atol=10)
    np.testing.assert_allclose(field[16, 304], [GROUND / 2, 255, 255], atol=10)
