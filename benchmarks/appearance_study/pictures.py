"""A picture of the study: what a clip of each class shows, and its poses beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from appearance_study.scenes import CLASSES, FRAMES, Scene, SceneClip, make_scene
from posemill.pipelines.drawing import (
    INK,
    Cell,
    blank,
    contact_sheet,
    draw_skeletons,
    resize_to_width,
    write_png,
)
from posemill.schema import UInt8
from posemill.transforms.skeletons import COCO_17

_FRAMES_SHOWN, _CELL_PX = 4, 110


def write_clips_picture(path: Path, seed: int = 0) -> Path:
    """A training clip of each class in four of its frames: pictures, and beside them poses."""
    scenes = [make_scene(SceneClip("train", label, 0), seed) for label in range(len(CLASSES))]
    cells = [
        cell for name, scene in zip(CLASSES, scenes, strict=True) for cell in _cells(name, scene)
    ]
    title = "A training clip of each class: what its pictures show, and its poses"
    return write_png(path, contact_sheet(title, cells, 2 * _FRAMES_SHOWN))


def _cells(name: str, scene: Scene) -> list[Cell]:
    frames = np.linspace(0, FRAMES - 1, _FRAMES_SHOWN).round().astype(int)
    shown = [scene.pictures.rgb[frame] for frame in frames]
    drawn = [_skeleton(scene, frame) for frame in frames]
    texts = [f"{name} {frame}" for frame in frames]
    return [
        Cell(resize_to_width(picture, _CELL_PX), text)
        for picture, text in zip(shown + drawn, texts * 2, strict=True)
    ]


def _skeleton(scene: Scene, frame: int) -> UInt8:
    pose, row = scene.pose, slice(frame, frame + 1)
    empty = blank(pose.height, pose.width, INK)
    return draw_skeletons(empty, pose.xy_px[row], pose.score[row], np.full(1, -1), COCO_17)
