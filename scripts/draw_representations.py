"""Draw one clip by every recipe on one sheet: `docs/images/representations.png`.

    python scripts/draw_representations.py [-o PICTURE.png]

The clip is one of `posemill fixtures`, the poses are its true joints: no
estimator is needed. Every column shows one moment. PA3D's features are left
out, since they are an estimator's own.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posemill.fixtures.scene import ClipSpec, FixtureClip, render_clip
from posemill.pipelines.drawing import (
    LEFT,
    MIDDLE,
    PAPER,
    RIGHT,
    TRACKS,
    Cell,
    blank,
    draw_skeletons,
    legend,
    resize_to_width,
    write_png,
    write_text,
)
from posemill.pipelines.materialize import parse_assignments
from posemill.pipelines.preview.clip import clip_features
from posemill.pipelines.preview.colours import APPEARS, GOES
from posemill.pipelines.preview.keys import time_key, wheel
from posemill.pipelines.preview.kinds import KINDS
from posemill.pipelines.preview.sheets import Drawing
from posemill.schema import PoseSequence, UInt8
from posemill.transforms.recipes import create_recipe
from posemill.transforms.sample import Sample
from posemill.transforms.skeletons import COCO_17

OUT = Path(__file__).parents[1] / "docs" / "images" / "representations.png"
CLIP = ClipSpec(
    0, "train", "raise_left_arm", 4, width=320, height=240, min_frames=24, max_frames=24
)
FPS = 24.0
MOMENTS = 5
LABEL_PX = 250
PANEL_PX = 142
GAP_PX = 8
LINE_PX = 18
TEXT_CHARACTERS = 34
TITLE_SCALE, TEXT_SCALE = 0.48, 0.44
SHADES_KEPT = 0xF8  # 32 of a colour, for a smaller file
SIDES = legend([(LEFT, "left"), (RIGHT, "right"), (MIDDLE, "middle")], LABEL_PX - GAP_PX)
PEOPLE = legend([(TRACKS[0], "person 0"), (TRACKS[1], "person 1")], LABEL_PX - GAP_PX)
PERSON = legend([(TRACKS[0], "person 0")], LABEL_PX - GAP_PX)
CHANGES = legend([(APPEARS, "appears"), (GOES, "goes")], LABEL_PX - GAP_PX)
WHEEL = wheel(49)


@dataclass(frozen=True)
class Strip:
    """One recipe's row of the sheet."""

    recipe: str
    """Its name, and settings `key=value`."""
    text: str
    key: UInt8
    row: int = 0
    """Of the pictures that are drawn: another person, another side."""


STRIPS = (
    Strip("volume", "PoseConv3D: every joint a Gaussian, cropped to the people", SIDES),
    Strip("limb-volume", "PoseConv3D: every limb a ridge between its joints", SIDES),
    Strip("tempposeconv-j", "PA3D: every joint, on the whole frame", SIDES),
    Strip("tempposeconv-jdiff", "PA3D: the same, less the frame before", CHANGES),
    Strip("tempposeconv-p", "PA3D: a vector along every limb; hue: where it points", WHEEL),
    Strip(
        "tempposeconv-pdiff", "PA3D: the same, less the frame before; what goes is reversed", WHEEL
    ),
    Strip("parnet", "PARNet: coordinates of up to four people in the crop", PEOPLE),
    Strip("vpn-pose space=3d", "VPN: one person's coordinates, here seen from the side", PERSON, 1),
    Strip("graph-sequence", "MS-AAGCN: coordinates of two people", PEOPLE),
    Strip("graph-sequence stream=bone", "every limb as a vector (person 0)", SIDES),
    Strip("graph-sequence stream=joint-motion", "every joint's step to the next frame", SIDES),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, default=OUT)
    path = parser.parse_args().out
    write_png(path, draw_sheet(render_clip(CLIP)))
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def draw_sheet(clip: FixtureClip) -> UInt8:
    """The whole sheet, RGB: the clip, then a row for each recipe."""
    pose = true_poses(clip)
    moments = np.linspace(0, pose.num_frames - 1, MOMENTS + 2).round().astype(int)[1:-1].tolist()
    rows = [frames_row(clip, pose, moments), ways_row(pose)]
    rows += [strip_row(strip, pose, moments) for strip in STRIPS]
    pictures = np.concatenate(rows)
    title = "One clip, as the models see it; every column is the same moment"
    head = blank(40, pictures.shape[1], PAPER)
    write_text(head, title, (GAP_PX, 24), head.shape[1], TITLE_SCALE)
    sheet: UInt8 = np.concatenate([head, pictures]) & np.uint8(SHADES_KEPT)
    return sheet


def true_poses(clip: FixtureClip) -> PoseSequence:
    """Everybody's true joints, all of them certain."""
    num_frames, num_people, num_keypoints, _ = clip.xy_px.shape
    return PoseSequence(
        skeleton=COCO_17.name,
        xy_px=clip.xy_px.reshape(-1, num_keypoints, 2),
        score=np.ones((num_frames * num_people, num_keypoints), np.float32),
        frame=np.repeat(np.arange(num_frames), num_people),
        slot=np.tile(np.arange(num_people), num_frames),
        pts_seconds=np.arange(num_frames) / FPS,
        width=clip.frames.shape[2],
        height=clip.frames.shape[1],
        frames_declared=num_frames,
        xyz_m=clip.xyz_m.reshape(-1, num_keypoints, 3),
    )


def frames_row(clip: FixtureClip, pose: PoseSequence, moments: Sequence[int]) -> UInt8:
    """The clip itself, its people drawn on it."""
    everybody = np.arange(clip.xy_px.shape[1])
    cells = []
    for frame in moments:
        large = draw_skeletons(
            faded(clip.frames[frame]),
            clip.xy_px[frame],
            np.ones(clip.xy_px.shape[1:3], np.float32),
            everybody,
            COCO_17,
        )
        cells.append(Cell(resize_to_width(large, PANEL_PX), f"frame {frame} of {pose.num_frames}"))
    return row("the clip", "frames, and the people in them", SIDES, cells)


def faded(rgb: UInt8) -> UInt8:
    """The picture in dark greys, so that what is drawn on it stands out."""
    grey = rgb.mean(axis=2, keepdims=True) * 0.5
    return np.repeat(grey.astype(np.uint8), 3, axis=2)


def ways_row(pose: PoseSequence) -> UInt8:
    """All frames in one picture."""
    recipes = ("potion", "jmrn", "potion people=each")
    pictures = [cell.picture for recipe in recipes for cell in drawing(recipe, pose, ()).cells]
    captions = ("potion", "jmrn", "people=each: 0", "people=each: 1")
    text = "PoTion and JMRN: where every joint was; its colour tells when, from start to end"
    cells = [Cell(*cell) for cell in zip(pictures, captions, strict=True)]
    return row("potion, jmrn", text, time_bar(), cells)


def strip_row(strip: Strip, pose: PoseSequence, moments: Sequence[int]) -> UInt8:
    """A recipe's pictures nearest to the moments."""
    drawn = drawing(strip.recipe, pose, moments)
    first = strip.row * drawn.columns
    cells = drawn.cells[first : first + drawn.columns]
    return row(strip.recipe, strip.text, strip.key, [Cell(cell.picture, "") for cell in cells])


def drawing(named: str, pose: PoseSequence, moments: Sequence[int]) -> Drawing:
    """A recipe's first output as `posemill preview` draws it, at the times nearest to `moments`."""
    name, *settings = named.split()
    recipe = create_recipe(name, parse_assignments(settings))
    target = recipe.target(COCO_17)
    specs = recipe.outputs(target)
    arrays = recipe(Sample(pose), np.random.default_rng(0))
    configuration = {"recipe": recipe.configuration(), "skeleton": target.name}
    clip = clip_features(specs[0].name, specs, arrays, configuration)
    times: list[int] = []
    if clip.frame_index is not None:
        frames = clip.frame_index.arranged("time")
        times = [int(np.abs(frames - moment).argmin()) for moment in moments]
    return next(kind for kind in KINDS if kind.fits(specs[0])).draw(clip, times)


def row(title: str, text: str, key: UInt8, cells: Sequence[Cell]) -> UInt8:
    """A label with its key, and pictures with their captions beside it."""
    lines = textwrap.wrap(text, TEXT_CHARACTERS)
    panels = [resize_to_width(cell.picture, PANEL_PX) for cell in cells]
    caption = LINE_PX if any(cell.caption for cell in cells) else 0
    label_height = LINE_PX * (len(lines) + 1) + key.shape[0] + 8
    height = max(label_height, max(panel.shape[0] for panel in panels) + caption)
    sheet = blank(height + GAP_PX, LABEL_PX + MOMENTS * (PANEL_PX + GAP_PX), PAPER)
    write_text(sheet, title, (GAP_PX, 14), LABEL_PX - GAP_PX, TITLE_SCALE)
    for number, line in enumerate(lines, start=1):
        write_text(sheet, line, (GAP_PX, 14 + number * LINE_PX), LABEL_PX - GAP_PX, TEXT_SCALE)
    top = LINE_PX * (len(lines) + 1) + 8
    sheet[top : top + key.shape[0], GAP_PX : GAP_PX + key.shape[1]] = key
    for number, (panel, cell) in enumerate(zip(panels, cells, strict=True)):
        left = LABEL_PX + number * (PANEL_PX + GAP_PX)
        sheet[: panel.shape[0], left : left + panel.shape[1]] = panel
        write_text(sheet, cell.caption, (left, panel.shape[0] + 14), PANEL_PX, TEXT_SCALE)
    return sheet


def time_bar() -> UInt8:
    """The colours of time."""
    strip = time_key(3, 2 * (LABEL_PX - 3 * GAP_PX))
    width = strip.shape[1]
    return strip[4:18, width // 4 : width - width // 4]


if __name__ == "__main__":
    main()
