"""Skeletons and sheets: what is drawn where, and in which colour."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from posemill.errors import EnvironmentFault
from posemill.pipelines.drawing import (
    LEFT,
    MIDDLE,
    PAPER,
    RIGHT,
    TRACKS,
    Cell,
    blank,
    contact_sheet,
    draw_skeletons,
    file_name,
    legend,
    limb_colour,
    png_bytes,
    resize_to_width,
    score_colour,
    write_png,
    write_text,
)
from posemill.transforms.skeletons import COCO_17

LEFT_SHOULDER, RIGHT_SHOULDER = 5, 6
LEFT_ELBOW, RIGHT_ELBOW = 7, 8


def person(**joints: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """xy (1, 17, 2) and score (1, 17) of a person with the named joints (x, y, score)."""
    xy, score = np.full((1, 17, 2), np.nan, np.float32), np.zeros((1, 17), np.float32)
    for name, (x, y, confidence) in joints.items():
        joint = COCO_17.keypoints.index(name)
        xy[0, joint], score[0, joint] = (x, y), confidence
    return xy, score


def draw(*, slot: int = -1, min_score: float = 0.0, **joints: tuple[float, float, float]):
    ground = blank(60, 80, (0, 0, 0))
    xy, score = person(**joints)
    drawn = draw_skeletons(ground, xy, score, np.array([slot]), COCO_17, min_score)
    assert not ground.any()  # the frame given stays as it was
    return drawn


def test_limbs_have_the_colour_of_their_side() -> None:
    assert limb_colour(COCO_17, LEFT_SHOULDER, LEFT_ELBOW) == LEFT
    assert limb_colour(COCO_17, RIGHT_ELBOW, RIGHT_SHOULDER) == RIGHT
    assert limb_colour(COCO_17, 0, LEFT_SHOULDER) == LEFT  # nose to left shoulder
    assert limb_colour(COCO_17, 11, 12) == MIDDLE  # hip to hip
    picture = draw(left_shoulder=(10, 30, 1.0), left_elbow=(70, 30, 1.0))
    np.testing.assert_allclose(picture[30, 40], LEFT, atol=32)  # a thin line is smoothed


def test_joints_go_from_red_over_yellow_to_green() -> None:
    assert [score_colour(score) for score in (0.0, 0.5, 1.0)] == [
        (255, 0, 60),
        (255, 255, 60),
        (0, 255, 60),
    ]
    assert tuple(draw(nose=(20, 30, 1.0))[30, 20]) == (0, 255, 60)


def test_missing_and_faint_joints_are_not_drawn() -> None:
    assert not draw().any()
    assert not draw(nose=(20, 30, 0.2), min_score=0.3).any()
    alone = draw(left_shoulder=(10, 30, 1.0), left_elbow=(70, 30, 0.2), min_score=0.3)
    assert alone[30, 10].any()
    assert not alone[:, 20:].any()  # neither the faint joint nor the limb to it


def test_a_track_is_framed_in_its_colour() -> None:
    picture = draw(slot=8, nose=(20, 30, 1.0), left_eye=(40, 50, 1.0))
    assert tuple(picture[54, 30]) == TRACKS[8 % len(TRACKS)]  # 4 px below the lowest joint
    untracked = draw(slot=-1, nose=(20, 30, 1.0), left_eye=(40, 50, 1.0))
    assert not untracked[54].any()


@pytest.mark.parametrize("far", [-1e9, 1e9, -50.0, 1000.0])
def test_joints_outside_the_frame_do_no_harm(far: float) -> None:
    picture = draw(slot=1, left_shoulder=(far, far, 1.0), left_elbow=(40, 30, 1.0))
    assert tuple(picture[30, 40]) == (0, 255, 60)


def test_sheets_have_room_for_every_cell() -> None:
    cells = [Cell(blank(30, 40, (value, 0, 0)), f"cell {value}") for value in range(1, 6)]
    sheet = contact_sheet("title", cells, columns=3)
    # A head of 28 px, two rows of 30 + 20 + 8 px; three columns of 40 + 8 px and one gap.
    assert sheet.shape == (28 + 2 * 58, 3 * 48 + 8, 3)
    assert tuple(sheet[28, 8]) == (1, 0, 0)
    assert tuple(sheet[28 + 58 + 29, 8 + 48 + 39]) == (5, 0, 0)
    assert tuple(sheet[28 + 58, 8 + 2 * 48]) == PAPER  # the sixth place is free
    assert contact_sheet("title", cells[:1], columns=3).shape == (28 + 58, 48 + 8, 3)
    assert contact_sheet("title", cells[:1], columns=3, min_width_px=200).shape == (28 + 58, 200, 3)
    with pytest.raises(ValueError, match="got 0 and 3"):
        contact_sheet("title", [], 3)


def test_long_and_foreign_text_stays_within_its_width() -> None:
    picture = blank(20, 200, (255, 255, 255))
    write_text(picture, "Ж" * 500, (0, 14), 100)
    assert (picture[:, :100] < 255).any()
    assert (picture[:, 102:] == 255).all()
    write_text(picture, "narrow", (150, 14), 1)  # no room at all: nothing
    assert (picture[:, 102:] == 255).all()


def test_larger_text_is_larger() -> None:
    small, large = blank(40, 200, (255, 255, 255)), blank(40, 200, (255, 255, 255))
    write_text(small, "text", (0, 30), 200)
    write_text(large, "text", (0, 30), 200, scale=0.8)
    assert (large < 128).sum() > 2 * (small < 128).sum()


def test_legends_show_each_colour_and_break_into_lines() -> None:
    entries = [(LEFT, "left"), (RIGHT, "right"), (MIDDLE, "middle")]
    wide, narrow = legend(entries, 400), legend(entries, 80)
    # A line of 20 px each, and a gap of 8 px; the squares begin 8 px from the left, 3 from the top.
    assert wide.shape == (28, 400, 3)
    assert narrow.shape == (3 * 20 + 8, 80, 3)
    for line, (colour, _) in enumerate(entries):
        assert tuple(narrow[line * 20 + 3, 8]) == colour
        assert (wide[9] == colour).all(axis=-1).sum() >= 12
    assert legend([], 50).shape == (28, 50, 3)  # of nobody


def test_pictures_keep_their_proportions_and_their_colours(tmp_path: Path) -> None:
    rgb = blank(30, 60, (200, 100, 50))
    assert resize_to_width(rgb, 120).shape == (60, 120, 3)
    assert resize_to_width(rgb, 20).shape == (10, 20, 3)
    path = write_png(tmp_path / "new" / "a.png", rgb)
    assert path.read_bytes() == png_bytes(rgb)
    read = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(read, rgb)
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_png(path / "b.png", rgb)


def test_file_names_are_safe_and_different() -> None:
    ids = ["train/wave/1", "train_wave_1", "../../etc/passwd", "Ж", "", "x" * 300, ".hidden"]
    names = [file_name(video_id, ".png") for video_id in ids]
    assert len(set(names)) == len(ids)
    for name in names:
        assert "/" not in name
        assert not name.startswith(".")
        assert len(name) < 128
    assert names[0].startswith("train_wave_1-")
