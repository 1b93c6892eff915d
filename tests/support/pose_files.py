"""One small source of each pose format, as whoever writes that format would leave it on disk.

A format that is registered needs its line in `MAKERS`: `tests/pipelines/test_imported_store.py`
brings what is written there into a store and treats it as one that was extracted.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from body_joints import body
from mat_joints import jhmdb_fields, penn_fields, write_mat
from ntu_files import Body, write_skeleton
from pifpaf_files import person, write_frames, write_video

from posemill.transforms.skeletons import BODY_25, COCO_17, COCO_18

_VIDEOS = ("v_one_g01", "v_two_g02")


@dataclass(frozen=True)
class PoseFiles:
    """Writes two videos below a folder, each with somebody in some frame, and tells the rest."""

    write: Callable[[Path], object]
    size_wh: tuple[int, int] | None = None
    """Where the files do not tell it."""
    fps: float | None = None
    """Where the files do not tell it."""
    settings: Mapping[str, str] = field(default_factory=dict)


def _alphapose(root: Path) -> None:
    """Of each video a folder; nobody is in its second frame, which is not written."""
    keypoints = body(COCO_17.keypoints).ravel().tolist()
    person = {"category_id": 1, "keypoints": keypoints, "score": 2.9, "idx": 1}
    for video in ("one", "two"):
        results = [{"image_id": f"{number}.jpg", **person} for number in (0, 2)]
        _write_json(root / video / "alphapose-results.json", results)


def _coco_keypoints(root: Path) -> None:
    """Both videos in one file; nobody is in the second image of each."""
    keypoints = body(COCO_17.keypoints, c=2).ravel().tolist()
    images, annotations = list[object](), list[object]()
    for video in ("wave/one", "wave/two"):
        for number in range(3):
            image = {"id": len(images) + 1, "file_name": f"{video}/{number:06d}.jpg"}
            images.append({**image, "width": 640, "height": 480})
            if number != 1:
                person = {"category_id": 1, "iscrowd": 0, "keypoints": keypoints}
                annotations.append({"image_id": image["id"], **person})
    categories = [{"id": 1, "name": "person", "keypoints": list(COCO_17.keypoints)}]
    told = {"images": images, "annotations": annotations, "categories": categories}
    _write_json(root / "person_keypoints.json", told)


def _coco_results(root: Path) -> None:
    """Nobody is in the second frame, which is not written."""
    keypoints = body(COCO_17.keypoints).ravel().tolist()
    person = {"category_id": 1, "keypoints": keypoints, "score": 0.9}
    for video in ("one", "two"):
        results = [{"image_id": number, **person} for number in (0, 2)]
        _write_json(root / f"{video}.json", results)


def _jhmdb(root: Path) -> None:
    for clip in ("wave/one", "wave/two"):
        write_mat(root / clip / "joint_positions.mat", jhmdb_fields())


def _kinetics_skeleton(root: Path) -> None:
    """Parts of frames of 340 x 256 px, which are numbered from 1."""
    joints = body(COCO_18.keypoints)
    pose = (joints[:, :2] / (340, 256)).ravel().tolist()
    person = {"pose": pose, "score": joints[:, 2].tolist()}
    for video in ("---QUuC4vJs", "--3ouPhoy2A"):
        data = [{"frame_index": n, "skeleton": [person] * (n != 2)} for n in (1, 2, 3)]
        told = {"data": data, "label": "testifying", "label_index": 354}
        _write_json(root / "kinetics_train" / f"{video}.json", told)


def _ntu_skeleton(root: Path) -> None:
    write_skeleton(root / "S001C001P001R001A001.skeleton", [[], [Body(), Body(7, 900)], [Body()]])
    write_skeleton(root / "S001C001P001R001A002.skeleton", [[Body()], []])


def _openpifpaf(root: Path) -> None:
    write_video(root / "lines.mp4.openpifpaf.json", [[], [person(10), person(300)], [person(11)]])
    write_frames(root / "frames", [[person(10)], []])


def _openpose(root: Path) -> None:
    """Of each video a folder, a file a frame; nobody is in the second frame."""
    person = {"person_id": [-1], "pose_keypoints_2d": body(BODY_25.keypoints).ravel().tolist()}
    for video in ("one", "two"):
        for number in range(3):
            frame = {"version": 1.3, "people": [person] * (number != 1)}
            _write_json(root / video / f"{video}_{number:012d}_keypoints.json", frame)


def _penn_action(root: Path) -> None:
    for number in (1, 2):
        write_mat(root / f"{number:04d}.mat", penn_fields())


def _annotation(name: str) -> dict[str, object]:
    """Of pyskl, without keypoints."""
    return {
        "frame_dir": name,
        "total_frames": 3,
        "img_shape": (240, 320),
        "original_shape": (240, 320),
        "label": 1,
    }


def _pyskl(root: Path) -> None:
    """Two people through three frames, of whom the second is there in the first frame only."""
    xy, score = np.full((2, 3, 17, 2), 50, np.float16), np.full((2, 3, 17), 0.5, np.float16)
    xy[1, 0] += 100
    xy[1, 1:], score[1, 1:] = 0, 0
    keypoints = {"keypoint": xy, "keypoint_score": score}
    annotations = [_annotation(name) | keypoints for name in _VIDEOS]
    _dump(root / "ucf101_hrnet.pkl", {"split": {"train1": [*_VIDEOS]}, "annotations": annotations})


def _pyskl_kinetics(root: Path) -> None:
    """A file of keypoints for each clip: a row for each person, whose frame is told beside."""
    told = {
        "frame_inds": np.array([1, 1, 3], np.int16),
        "box_score": np.array([0.9, 0.8, 0.9], np.float16),
        "valid": {"0.5": 3},
    }
    annotations = []
    for name in _VIDEOS:
        triplets = np.concatenate([np.full((3, 17, 2), 50), np.full((3, 17, 1), 0.5)], axis=-1)
        _dump(root / "kpfiles" / f"{name}.pkl", {name: {"keypoint": triplets.astype(np.float16)}})
        annotations.append(_annotation(name) | told | {"raw_file": f"/data/{name}.pkl"})
    _dump(root / "k400_hrnet.pkl", {"split": {"train": [*_VIDEOS]}, "annotations": annotations})


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def _dump(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol=4))


MAKERS: dict[str, PoseFiles] = {
    "alphapose": PoseFiles(_alphapose, (640, 480), 30.0),
    "coco-keypoints": PoseFiles(_coco_keypoints, fps=30.0),
    "coco-results": PoseFiles(_coco_results, (640, 480), 30.0),
    "jhmdb": PoseFiles(_jhmdb, fps=30.0),
    "kinetics-skeleton": PoseFiles(_kinetics_skeleton),
    "ntu-skeleton": PoseFiles(_ntu_skeleton),
    "openpifpaf": PoseFiles(_openpifpaf, (640, 480), 30.0),
    "openpose": PoseFiles(_openpose, (640, 480), 30.0),
    "penn-action": PoseFiles(_penn_action, fps=30.0),
    "pyskl": PoseFiles(_pyskl, fps=25.0),
    "pyskl-kinetics": PoseFiles(_pyskl_kinetics, fps=30.0),
}
