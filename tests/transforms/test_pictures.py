from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lit_joints import spot, where_lit

from posemill.transforms.geometry import Box, flip_box, flip_joints, frame_box, map_to, scale_box
from posemill.transforms.pictures import mirror_pictures, show_box

sizes = st.integers(40, 150)


@st.composite
def shown_spots(draw: st.DrawFn) -> dict[str, Any]:
    """A place in a frame and in a box, which may reach beyond; sizes of all."""
    frame_hw, decoded_hw, size_hw = (np.array([draw(sizes), draw(sizes)]) for _ in range(3))
    box_hw = [draw(st.floats(0.3, 2.0)) * side for side in frame_hw]
    y, x = (draw(st.floats(0.4, 0.6)) * side for side in frame_hw)
    top, left = y - draw(st.floats(0.3, 0.7)) * box_hw[0], x - draw(st.floats(0.3, 0.7)) * box_hw[1]
    return {
        "frame_hw": tuple(frame_hw.tolist()),
        "decoded_hw": tuple(decoded_hw.tolist()),
        "size_hw": tuple(size_hw.tolist()),
        "box": Box(left, top, box_hw[1], box_hw[0]),
        "place": np.array([x, y], np.float32),
    }


@given(shown_spots())
@settings(max_examples=80)
def test_a_spot_lands_where_a_joint_does(case: dict[str, Any]) -> None:
    """In pictures that are decoded in another size than the one in whose px the joint is."""
    height, width = case["frame_hw"]
    there = map_to(case["place"], frame_box(width, height), case["decoded_hw"])
    box = scale_box(case["box"], width, height, case["decoded_hw"])
    steps = np.array([box.width / case["size_hw"][1], box.height / case["size_hw"][0]])
    sigma = np.maximum(steps, 1.0)  # a pixel of what has the larger ones
    picture = spot(there, case["decoded_hw"], sigma)
    (shown,) = show_box(picture[None], box, case["size_hw"])
    expected = map_to(case["place"], case["box"], case["size_hw"])
    # Where it is enlarged, a pixel of the picture is several of the result.
    apart = np.abs(where_lit(shown) - expected)
    assert (apart <= np.maximum(0.35, 0.15 / steps)).all()


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def test_a_box_on_whole_pixels_is_cut_out_as_it_is() -> None:
    pictures = noise(2, 30, 40, 3)
    shown = show_box(pictures, Box(6.5, 3.5, 20.0, 10.0), (10, 20))
    assert np.array_equal(shown, pictures[:, 4:14, 7:27])


def test_the_whole_picture_is_resized_up_to_its_edge() -> None:
    (picture,) = noise(1, 30, 40, 3)
    smaller = show_box(picture[None], frame_box(40, 30), (15, 10))[0]
    # Each pixel is the mean of 2 x 4.
    means = picture.reshape(15, 2, 10, 4, 3).mean(axis=(1, 3))
    assert np.abs(smaller - means).max() <= 0.51
    larger = show_box(picture[None], frame_box(40, 30), (45, 100))[0]
    theirs = cv2.resize(picture, (100, 45), interpolation=cv2.INTER_LINEAR)
    assert np.abs(larger.astype(int) - theirs).max() <= 5  # places are rounded to 1/32 px
    white = show_box(np.full((1, 30, 40, 3), 255, np.uint8), frame_box(40, 30), (77, 13))
    assert (white == 255).all()


def test_a_fine_pattern_is_averaged_and_not_sampled() -> None:
    chequers = (np.indices((120, 160)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pictures = np.repeat(chequers[None, ..., None], 3, axis=-1)
    shown = show_box(pictures, Box(-0.5, -0.5, 160.0, 120.0), (30, 40))
    assert np.abs(shown.astype(int) - 127).max() <= 2
    shifted = show_box(pictures, Box(7.3, 9.1, 90.0, 88.0), (22, 24))
    assert np.abs(shifted.astype(int) - 127).max() <= 40


def test_beyond_the_picture_all_is_black() -> None:
    white = np.full((1, 30, 40, 3), 255, np.uint8)
    (shown,) = show_box(white, Box(-10.5, -5.5, 60.0, 40.0), (40, 60))
    assert (shown[5:35, 10:50] == 255).all()
    shown[5:35, 10:50] = 0
    assert not shown.any()
    for far in (Box(100.0, 3.0, 20.0, 20.0), Box(3.0, -50.0, 20.0, 20.0)):
        assert not show_box(white, far, (8, 8)).any()


@given(st.integers(0, 2**32 - 1), st.floats(-20.0, 40.0), st.floats(5.0, 60.0), sizes)
@settings(max_examples=25)
@example(0, -0.5, 40.0, 40)
def test_the_mirrored_frame_shows_the_mirror_image(
    seed: int, left: float, extent: float, size: int
) -> None:
    # A smooth picture: rounding to 1/32 px tells little of it.
    coarse = noise(6, 8, 3, seed=seed)
    picture = cv2.resize(coarse, (40, 30), interpolation=cv2.INTER_CUBIC)[None]
    box = Box(left, 2.0, extent, 20.0)
    ours = mirror_pictures(show_box(picture, box, (24, size)))
    theirs = show_box(mirror_pictures(picture), flip_box(box, 40), (24, size))
    apart = np.abs(ours.astype(int) - theirs)
    assert np.percentile(apart, 98) <= 4
    assert apart.mean() < 1.5


def test_a_mirror_does_to_pixels_what_it_does_to_joints() -> None:
    at = np.array([[11.0, 7.0]], np.float32)
    picture = mirror_pictures(spot(at[0], (20, 31), 1.5)[None, None])
    flipped, _ = flip_joints(at, np.ones(1, np.float32), 31, [0])
    assert where_lit(picture[0, 0]) == pytest.approx(flipped[0], abs=1e-6)
    pictures = noise(2, 3, 5, 7, 3)
    assert np.array_equal(mirror_pictures(mirror_pictures(pictures)), pictures)


def test_one_pixel_is_a_picture() -> None:
    assert (show_box(np.full((1, 1, 1, 3), 9, np.uint8), frame_box(1, 1), (5, 4)) == 9).all()
    assert show_box(noise(3, 500, 2, 3), frame_box(2, 500), (1, 300)).shape == (3, 1, 300, 3)
    assert show_box(noise(0, 4, 4, 3), frame_box(4, 4), (2, 2)).shape == (0, 2, 2, 3)


@pytest.mark.parametrize(
    "pictures",
    [
        np.zeros((1, 4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((1, 4, 4, 4), np.uint8),
        np.zeros((1, 0, 4, 3), np.uint8),
    ],
)
def test_what_are_no_pictures_is_refused(pictures: Any) -> None:
    with pytest.raises(ValueError, match=r"pictures must be \(N, h, w, 3\) uint8"):
        show_box(pictures, frame_box(4, 4), (2, 2))
    with pytest.raises(ValueError, match="size_hw"):
        show_box(np.zeros((1, 4, 4, 3), np.uint8), frame_box(4, 4), (0, 2))
