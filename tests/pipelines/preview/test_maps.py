"""Maps as pictures: what is where, in which colour, and what is said of it."""

import numpy as np
import pytest

from posemill.pipelines.drawing import LEFT, RIGHT
from posemill.pipelines.preview.clip import ClipFeatures, NamedArray
from posemill.pipelines.preview.colours import APPEARS, GOES, UNCHANGED
from posemill.pipelines.preview.maps import (
    draw_field_changes,
    draw_fields,
    draw_joint_changes,
    draw_joints,
    draw_strength,
    draw_ways,
)
from posemill.pipelines.preview.sheets import PANEL_PX
from posemill.schema import UInt8
from posemill.transforms.skeletons import COCO_17

SIZE = PANEL_PX // 4  # of the maps: four px of the picture for each of theirs
LEFT_WRIST = COCO_17.keypoints.index("left_wrist")
LEFT_SHIN = COCO_17.limbs.index((13, 15))
RIGHT_SHIN = COCO_17.limbs.index((14, 16))
SQUARE = np.s_[..., 20:25, 20:25]


def zeros(**sizes: int) -> NamedArray:
    named = {**sizes, "y": SIZE, "x": SIZE}
    return NamedArray(tuple(named), np.zeros(tuple(named.values()), np.float32))


def clip(array: NamedArray) -> ClipFeatures:
    return ClipFeatures("maps", array, skeleton=COCO_17)


def middle(picture: UInt8) -> tuple[int, ...]:
    """The colour in the middle of the square."""
    assert picture.shape == (4 * SIZE, 4 * SIZE, 3)
    return tuple(picture[4 * 22 + 2, 4 * 22 + 2].tolist())


def test_joints_have_the_colour_of_their_side_and_the_shade_of_their_value() -> None:
    array = zeros(view=2, keypoint=17, time=3)
    array.values[0, LEFT_WRIST, 1][SQUARE] = 0.5
    array.values[1] = 1.0  # of the other view nothing shows
    drawing = draw_joints(clip(array), [0, 1])
    assert [cell.caption for cell in drawing.cells] == ["t 0", "t 1"]
    assert drawing.about == "the first of 2 views"
    assert not drawing.cells[0].picture.any()
    half = tuple(round(0.5 * channel) for channel in LEFT)
    assert middle(drawing.cells[1].picture) == half
    assert not drawing.cells[1].picture[:70].any()


def test_limbs_have_the_colour_of_their_side() -> None:
    array = zeros(view=1, limb=17, time=1)
    array.values[0, RIGHT_SHIN, 0][SQUARE] = 1.0
    assert middle(draw_joints(clip(array), [0]).cells[0].picture) == RIGHT


def test_sums_over_people_are_scaled_to_their_greatest() -> None:
    array = zeros(time=2, keypoint=17)
    array.values[0, LEFT_WRIST][SQUARE] = 2.0
    array.values[1, LEFT_WRIST][SQUARE] = 1.0
    bright, half = (middle(cell.picture) for cell in draw_joints(clip(array), [0, 1]).cells)
    assert bright == LEFT
    assert half == tuple(round(0.5 * channel) for channel in LEFT)


@pytest.mark.parametrize(
    ("dim", "names"), [("person", ["person 0", "person 1"]), ("role", ["labelled", "others"])]
)
def test_people_apart_are_rows_of_their_own(dim: str, names: list[str]) -> None:
    array = zeros(time=4, **{dim: 2}, keypoint=17)
    array.values[3, 1, LEFT_WRIST][SQUARE] = 1.0
    drawing = draw_joints(clip(array), [0, 3])
    captions = [f"{name}, t {time}" for name in names for time in (0, 3)]
    assert [cell.caption for cell in drawing.cells] == captions
    assert drawing.columns == 2
    assert [cell.picture.any() for cell in drawing.cells] == [False, False, False, True]


def test_ways_of_people_stand_side_by_side() -> None:
    array = zeros(role=2, keypoint=17, channel=3)
    array.values[1, LEFT_WRIST, 2][SQUARE] = 0.01  # scaled to the joint's own greatest value
    labelled, others = draw_ways(clip(array), []).cells
    assert (labelled.caption, others.caption) == ("labelled", "others")
    assert not labelled.picture.any()
    assert middle(others.picture) == (0, 0, 255)  # seen at the end only


def test_a_field_that_points_right_has_the_wheels_colour_for_right() -> None:
    array = zeros(time=2, part=34)
    array.values[0, 2 * LEFT_SHIN][SQUARE] = 1.0
    array.values[1, 2 * LEFT_SHIN + 1][SQUARE] = -0.5
    right, up = (cell.picture for cell in draw_fields(clip(array), [0, 1]).cells)
    assert middle(right) == (255, 0, 0)
    assert middle(up) == (64, 0, 128)
    key = draw_fields(clip(array), [0]).key(300)
    assert tuple(key[28, 8 + 56]) == middle(right)  # the rim, to the right


def test_changes_of_fields_are_scaled_to_the_longest() -> None:
    array = zeros(time=2, part=34)
    array.values[0, 2 * LEFT_SHIN][SQUARE] = 1.6
    array.values[0, 2 * LEFT_SHIN + 1][SQUARE] = 1.2  # of length 2, as a limb that turns about
    array.values[1, 2 * RIGHT_SHIN][SQUARE] = -1.0
    turned, gone = (cell.picture for cell in draw_field_changes(clip(array), [0, 1]).cells)
    assert max(middle(turned)) == 255
    assert middle(gone) == (0, 128, 128)


def test_joints_that_move_appear_and_go() -> None:
    array = zeros(time=1, keypoint=17)
    array.values[0, LEFT_WRIST][SQUARE] = -0.2  # the greatest change: the full colour
    array.values[0, LEFT_WRIST, 2:7, 2:7] = 0.2
    (cell,) = draw_joint_changes(clip(array), [0]).cells
    assert middle(cell.picture) == GOES
    assert tuple(cell.picture[4 * 4 + 2, 4 * 4 + 2]) == APPEARS
    assert tuple(cell.picture[4 * 40, 4 * 40]) == UNCHANGED


def test_features_are_as_bright_as_their_root_mean_square() -> None:
    array = zeros(time=2, channel=4)
    array.values[0][SQUARE] = np.float32([3, -3, 3, -3])[:, None, None]  # root mean square 3
    array.values[1, 0][SQUARE] = 3.0  # 3 / 2, as three channels are 0
    strong, weak = (cell.picture for cell in draw_strength(clip(array), [0, 1]).cells)
    assert middle(strong) == (255, 255, 255)
    assert middle(weak) == (128, 128, 128)


@pytest.mark.parametrize(
    ("draw", "channels", "ground"),
    [
        (draw_joints, "keypoint", (0, 0, 0)),
        (draw_joint_changes, "keypoint", UNCHANGED),
        (draw_fields, "part", (0, 0, 0)),
        (draw_field_changes, "part", (0, 0, 0)),
        (draw_strength, "channel", (0, 0, 0)),
    ],
)
def test_where_nothing_is_the_picture_is_its_ground(draw, channels: str, ground) -> None:
    drawing = draw(clip(zeros(time=1, **{channels: 34})), [0])
    (cell,) = drawing.cells
    assert np.unique(cell.picture.reshape(-1, 3), axis=0).tolist() == [list(ground)]
    assert drawing.key(600).shape[1:] == (600, 3)
