"""Coordinates as figures and vectors: where each joint lies, and who is left out."""

import numpy as np
import pytest

from posemill.errors import InputError
from posemill.pipelines.drawing import LEFT, RIGHT, TRACKS
from posemill.pipelines.preview.clip import ClipFeatures, NamedArray
from posemill.pipelines.preview.figures import draw_figures, draw_vectors, fit
from posemill.pipelines.preview.sequences import draw_graph, draw_poses
from posemill.pipelines.preview.sheets import GROUND, PANEL_PX, Drawing
from posemill.schema import UInt8
from posemill.transforms.skeletons import COCO_17, NTU_25, PARNET_14

MIDDLE, MARGIN = (PANEL_PX - 1) / 2, 14
SHOULDER, ELBOW = 5, 7  # the left ones of COCO-17, a limb
UPPER_ARM = COCO_17.limbs.index((SHOULDER, ELBOW))


def at(picture: UInt8, x: float, y: float) -> tuple[int, ...]:
    return tuple(picture[round(y), round(x)].tolist())


def inked(drawing: Drawing) -> list[bool]:
    return [bool((cell.picture != GROUND).any()) for cell in drawing.cells]


def poses(*, times: int = 1, people: int = 1, keypoints: int = 17, space: int = 2) -> np.ndarray:
    return np.zeros((times, people, keypoints, space), np.float32)


def clip_of(values: np.ndarray, **about) -> ClipFeatures:
    array = NamedArray(("time", "person", "keypoint", "space"), values)
    return ClipFeatures("poses", array, **{"skeleton": COCO_17, **about})


def graph(values: np.ndarray, parts: str = "keypoint", **settings: str) -> ClipFeatures:
    """From values (time, person, keypoint or limb, channel)."""
    array = NamedArray(
        ("view", "channel", "time", parts, "person"), values.transpose(3, 0, 2, 1)[None]
    )
    return ClipFeatures("sequence", array, skeleton=COCO_17, settings=settings)


def test_points_are_scaled_to_fit_and_keep_their_proportions() -> None:
    points = np.array([[[10, 10], [30, 20], [np.nan, 99]]], np.float32)
    plane = fit(points, np.array([[True, True, False]]), span=20.0)
    far = (PANEL_PX - 1) / 2 - MARGIN  # from the middle, which is (20, 15)
    np.testing.assert_allclose(
        plane.place(points[0, :2]),
        [(MIDDLE - far, MIDDLE - far / 2), (MIDDLE + far, MIDDLE + far / 2)],
        atol=1e-3,
    )


def test_people_are_drawn_in_the_colours_of_their_tracks() -> None:
    points = np.array([[[-1, 0], [1, 0]], [[-1, 1], [1, 1]]], np.float32)
    seen = np.array([[True, True], [True, True]])
    picture = draw_figures(points, seen, ((0, 1),), fit(points, seen, 2.0))
    high, low = MIDDLE - (MIDDLE - MARGIN) / 2, MIDDLE + (MIDDLE - MARGIN) / 2
    assert at(picture, MARGIN, high) == TRACKS[0]
    assert at(picture, PANEL_PX - 1 - MARGIN, low) == TRACKS[1]
    for y, colour in ((high, TRACKS[0]), (low, TRACKS[1])):
        np.testing.assert_allclose(at(picture, MIDDLE, y), colour, atol=40)  # a smooth line
    assert at(picture, MIDDLE, MIDDLE) == GROUND


def test_a_limb_with_a_missing_end_is_not_drawn() -> None:
    points = np.array([[[-1, 0], [1, 0]]], np.float32)
    plane = fit(points, np.array([[True, True]]), 2.0)
    picture = draw_figures(points, np.array([[True, False]]), ((0, 1),), plane)
    assert at(picture, MARGIN, MIDDLE) == TRACKS[0]
    assert (picture[:, MARGIN + 10 :] == GROUND).all()


def test_vectors_start_in_the_middle_and_the_longest_reaches_the_ring() -> None:
    vectors = np.array([[2, 0], [0, -1], [0, 0]], np.float32)
    colours = np.array([LEFT, RIGHT, (1, 2, 3)], np.float32)
    picture = draw_vectors(vectors, colours, 2.0)
    radius = PANEL_PX // 2 - MARGIN
    assert at(picture, MIDDLE + radius, MIDDLE) == LEFT
    assert at(picture, MIDDLE, MIDDLE - radius / 2) == RIGHT
    assert not (picture == (1, 2, 3)).all(axis=-1).any()  # of length 0


def test_missing_people_and_joints_leave_the_picture_empty() -> None:
    values = poses(times=2, people=4, keypoints=14)
    values[1, 2] = np.random.default_rng(0).uniform(0.2, 0.8, (14, 2))
    drawing = draw_poses(clip_of(values, skeleton=PARNET_14), [0, 1])
    assert inked(drawing) == [False, True]
    assert (drawing.cells[1].picture == TRACKS[2]).all(axis=-1).any()
    nobody = draw_poses(clip_of(poses(people=4)), [0])
    assert inked(nobody) == [False]
    assert nobody.key(500).shape[1] == 500


def test_scores_tell_which_joints_are_missing_where_they_are_stored() -> None:
    values = poses()
    values[0, 0, ELBOW] = 8.0  # the shoulder is at (0, 0), and there
    score = np.zeros((1, 1, 17), np.float32)
    score[0, 0, [SHOULDER, ELBOW]] = 1.0
    scored = NamedArray(("time", "person", "keypoint"), score)
    (with_score,) = draw_poses(clip_of(values, score=scored), [0]).cells
    assert at(with_score.picture, MARGIN, MARGIN) == TRACKS[0]
    (without,) = draw_poses(clip_of(values), [0]).cells
    assert at(without.picture, MIDDLE, MIDDLE) == TRACKS[0]  # the elbow alone


def test_vpn_poses_are_drawn_in_either_order_of_their_axes() -> None:
    values = np.random.default_rng(1).normal(size=(3, 1, 17, 3)).astype(np.float32)
    values[..., 2] = 0
    tensor = NamedArray(("space", "keypoint", "time"), values[:, 0].transpose(2, 1, 0))
    whole = draw_poses(ClipFeatures("poses", tensor, skeleton=COCO_17), [0, 2])
    cached = draw_poses(clip_of(values), [0, 2])
    assert len(whole.cells) == 2  # z is 0: the front alone
    for first, second in zip(whole.cells, cached.cells, strict=True):
        np.testing.assert_array_equal(first.picture, second.picture)


def test_true_poses_are_shown_from_the_side_too() -> None:
    values = poses(space=3)
    values[0, 0, SHOULDER] = (1, 1, 3)
    values[0, 0, ELBOW] = (1, 5, 1)
    front, side = draw_poses(clip_of(values), [0]).cells
    assert (front.caption, side.caption) == ("t 0", "side, t 0")
    # 4 units across: upright from the front; from the side leaning by half of that.
    assert at(front.picture, MIDDLE, MARGIN) == TRACKS[0]
    quarter = (MIDDLE - MARGIN) / 2
    assert at(side.picture, MIDDLE + quarter, MARGIN) == TRACKS[0]
    assert at(side.picture, MIDDLE - quarter, PANEL_PX - 1 - MARGIN) == TRACKS[0]


def test_a_root_at_the_origin_is_there_in_the_first_frame() -> None:
    root = NTU_25.keypoints.index("spine_mid")
    values = poses(times=2, keypoints=25, space=3)
    values[:, 0, :, 1] = 1.0
    values[:, 0, root] = 0.0
    first, second = draw_poses(clip_of(values, skeleton=NTU_25), [0, 1]).cells
    assert at(first.picture, MIDDLE, MARGIN) == TRACKS[0]
    assert at(second.picture, MIDDLE, MARGIN) == GROUND


def test_joint_streams_are_figures_of_the_joints_with_a_score() -> None:
    values = poses(times=1, people=2, space=3)
    values[0, 1, SHOULDER] = (-0.5, -0.5, 0.9)
    values[0, 1, ELBOW] = (0.5, 0.5, 0.9)
    values[0, 1, 0] = (0.9, -0.9, 0.0)
    (cell,) = draw_graph(graph(values, space="2d", stream="joint"), [0]).cells
    assert at(cell.picture, MARGIN, MARGIN) == TRACKS[1]
    assert at(cell.picture, PANEL_PX - 1 - MARGIN, PANEL_PX - 1 - MARGIN) == TRACKS[1]
    assert (cell.picture[:60, 100:] == GROUND).all()


def test_bones_and_motion_are_vectors_in_the_colour_of_their_side() -> None:
    radius = PANEL_PX // 2 - MARGIN
    values = poses(times=2, people=2, space=3)
    values[1, 1, UPPER_ARM] = (0.0, 0.3, 1.0)  # down; the third channel is a score
    bones = draw_graph(graph(values, "limb", space="2d", stream="bone"), [0, 1])
    assert [cell.caption for cell in bones.cells] == ["person 1, t 0", "person 1, t 1"]
    assert at(bones.cells[1].picture, MIDDLE, MIDDLE + radius) == LEFT
    values = poses(space=3)
    values[0, 0, 6] = (0.0, 0.0, -0.1)  # the right shoulder comes nearer
    front, side = draw_graph(graph(values, space="3d", stream="joint-motion"), [0]).cells
    assert at(side.picture, MIDDLE - radius, MIDDLE) == RIGHT
    assert side.caption == "person 0, side, t 0"
    assert not (front.picture[:60] == RIGHT).all(axis=-1).any()
    still = draw_graph(graph(poses(people=2, space=3), stream="joint-motion", space="2d"), [0])
    assert len(still.cells) == 1


@pytest.mark.parametrize(
    ("skeleton", "named"), [(None, "no skeleton"), (NTU_25, "the skeleton 'ntu-25'")]
)
def test_figures_need_the_skeleton_of_their_joints(skeleton, named: str) -> None:
    with pytest.raises(InputError, match=f"poses has 17 joints.*names {named}: which joints hang"):
        draw_poses(clip_of(poses(), skeleton=skeleton), [0])
