"""Previews: the right frames, drawn on; and refusals that say what to do."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import panel, read_png

from posemill.errors import InputError
from posemill.pipelines.preview import preview_poses
from posemill.schema import PoseSequence, UInt8, VideoStatus
from posemill.storage.catalog import write_catalog
from posemill.storage.datasets.folder import index_folder
from posemill.storage.poses import PoseStore, VideoRecord
from posemill.transforms.skeletons import COCO_17

FRAMES, WIDTH, HEIGHT = 10, 320, 192
VIDEO_ID = "wave/one"


def make_poses(num_people: int = 1, width: int = WIDTH, num_frames: int = FRAMES) -> PoseSequence:
    """People who stand still in the left half of the picture."""
    rows = num_frames * num_people
    return PoseSequence(
        skeleton=COCO_17.name,
        xy_px=np.random.default_rng(0)
        .uniform((20, 20), (140, 170), (rows, 17, 2))
        .astype(np.float32),
        score=np.ones((rows, 17), np.float32),
        frame=np.repeat(np.arange(num_frames), num_people),
        slot=np.tile(np.arange(num_people), num_frames),
        pts_seconds=np.arange(num_frames) / 10,
        width=width,
        height=HEIGHT,
        frames_declared=num_frames,
    )


def write_video(path: Path) -> None:
    """Ten frames, each of one grey that tells its number."""
    path.parent.mkdir(parents=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (WIDTH, HEIGHT))
    for number in range(FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3), 20 * number, np.uint8))
    writer.release()


def write_poses(path: Path, poses: PoseSequence, catalog: Path | None) -> Path:
    store = PoseStore.create(
        path, {"skeleton": COCO_17.name}, catalog_hint=str(catalog) if catalog else None
    )
    records = [
        VideoRecord(VIDEO_ID, VideoStatus.OK, "", "", "identity", poses, poses.num_frames, 10),
        VideoRecord("wave/bad", VideoStatus.QUARANTINED, "unreadable", "no frame", "i", None, 0, 0),
    ]
    store.write_shard(0, records)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video, its catalog and its poses."""
    root = tmp_path_factory.mktemp("preview")
    write_video(root / "videos" / "wave" / "one.avi")
    write_catalog(root / "catalog", index_folder(root / "videos"))
    write_poses(root / "poses.zarr", make_poses(), root / "catalog")
    return root


def cell(sheet: UInt8, number: int) -> UInt8:
    """The picture of a cell, four in a row."""
    return panel(sheet, number, 4, (HEIGHT, WIDTH))


def test_people_are_drawn_on_frames_spread_over_the_video(folder: Path, tmp_path: Path) -> None:
    (path,) = preview_poses(folder / "poses.zarr", tmp_path, frames=4)
    sheet = read_png(path)
    assert sheet.shape == (28 + HEIGHT + 28, 4 * (WIDTH + 8) + 8, 3)
    for number, frame in enumerate((0, 3, 6, 9)):
        picture = cell(sheet, number)
        # The right half shows the plain frame, the left half the person.
        np.testing.assert_allclose(picture[:, 200:].astype(int), 20 * frame, atol=3)
        assert (np.abs(picture[:, :160].astype(int) - 20 * frame) > 30).mean() > 0.02


def test_more_frames_than_there_are_show_each_once(folder: Path, tmp_path: Path) -> None:
    (path,) = preview_poses(folder / "poses.zarr", tmp_path, [VIDEO_ID], frames=50)
    sheet = read_png(path)
    assert sheet.shape[0] == 28 + 3 * (HEIGHT + 28)  # ten cells in rows of four
    np.testing.assert_allclose(cell(sheet, 9)[:, 200:].astype(int), 180, atol=3)


def test_poses_without_a_catalog_are_drawn_on_a_plain_ground(tmp_path: Path) -> None:
    poses = write_poses(tmp_path / "p.zarr", make_poses(num_people=2), None)
    (path,) = preview_poses(poses, tmp_path / "out", frames=2)
    plain = write_poses(tmp_path / "q.zarr", make_poses(num_people=0), None)
    (nobody,) = preview_poses(plain, tmp_path / "out2", frames=2)
    ground = cell(read_png(nobody), 0)
    assert len(np.unique(ground.reshape(-1, 3), axis=0)) == 1
    assert (cell(read_png(path), 0) != ground).any()


def test_what_cannot_be_shown_is_refused(folder: Path, tmp_path: Path) -> None:
    poses = folder / "poses.zarr"
    with pytest.raises(InputError, match="has no video 'wave/two'"):
        preview_poses(poses, tmp_path, ["wave/two"])
    with pytest.raises(InputError, match="'wave/bad' is quarantined"):
        preview_poses(poses, tmp_path, ["wave/bad"])
    with pytest.raises(InputError, match="at least 1 frame"):
        preview_poses(poses, tmp_path, frames=0)
    with pytest.raises(InputError, match="--catalog"):
        preview_poses(poses, tmp_path, catalog=tmp_path / "nothing")
    lost = write_poses(tmp_path / "lost.zarr", make_poses(), tmp_path / "gone")
    with pytest.raises(InputError, match=r"gone.*--catalog"):
        preview_poses(lost, tmp_path)
    empty = Path(PoseStore.create(tmp_path / "empty.zarr", {}).url)
    with pytest.raises(InputError, match="holds no poses yet"):
        preview_poses(empty, tmp_path)


def test_a_changed_file_is_noticed(folder: Path, tmp_path: Path) -> None:
    catalog = folder / "catalog"
    wider = write_poses(tmp_path / "wider.zarr", make_poses(width=640), catalog)
    with pytest.raises(InputError, match=r"320 x 192 px.*640 x 192.*has changed"):
        preview_poses(wider, tmp_path)
    longer = write_poses(tmp_path / "longer.zarr", make_poses(num_frames=20), catalog)
    with pytest.raises(InputError, match=r"ends before frame 11.*has changed"):
        preview_poses(longer, tmp_path)
    write_video(tmp_path / "v" / "wave" / "one.avi")
    found = index_folder(tmp_path / "v")
    write_catalog(tmp_path / "moved", found)
    (tmp_path / "v" / "wave" / "one.avi").unlink()
    with pytest.raises(InputError, match="not there any more"):
        preview_poses(folder / "poses.zarr", tmp_path, catalog=tmp_path / "moved")
    other = replace(found, videos=(replace(found.videos[0], id="x"),), clips=())
    write_catalog(tmp_path / "other", other)
    with pytest.raises(InputError, match="has no video 'wave/one'"):
        preview_poses(folder / "poses.zarr", tmp_path, catalog=tmp_path / "other")
