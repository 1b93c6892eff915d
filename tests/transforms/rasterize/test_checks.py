"""Bad input is refused by name, value and what was expected, by every rasteriser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from posemill.transforms.rasterize import (
    accumulate_joints,
    draw_joints,
    draw_limbs,
    draw_part_fields,
    erase_joints,
    erase_limbs,
)

JOINTS, LIMBS = (draw_joints, erase_joints), (draw_limbs, erase_limbs)
Function = Callable[..., None]


def arguments(function: Function, **changes: Any) -> dict[str, Any]:
    """Valid arguments of two joints, one limb, one frame and one person, changed."""
    valid: dict[str, Any] = {
        "xy_px": np.zeros((1, 2, 2), np.float32),
        "score": np.ones((1, 2), np.float32),
        "frame_ptr": np.array([0, 1]),
        "out": np.zeros((2, 1, 8, 8), np.float32),
    }
    if function in (*LIMBS, draw_part_fields):
        valid["limbs"] = [(0, 1)]
    if function in LIMBS:
        valid["out"] = np.zeros((1, 1, 8, 8), np.float32)
    if function is accumulate_joints:
        valid["weights"] = np.ones((1, 1), np.float32)
    if function is not draw_part_fields:
        valid["sigma"] = 0.6
    return valid | changes


def refuses(function: Function, message: str, **changes: Any) -> None:
    with pytest.raises(ValueError, match=message):
        function(**arguments(function, **changes))


EVERY = pytest.mark.parametrize("function", [*JOINTS, *LIMBS, draw_part_fields, accumulate_joints])


@EVERY
def test_valid_arguments_pass(function: Function) -> None:
    function(**arguments(function))
    function(**arguments(function, xy_px=np.zeros((1, 2, 2), int), score=np.ones((1, 2), bool)))


@EVERY
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"score": np.ones(2)}, r"score must be \(P, K\), got shape \(2,\)"),
        (
            {"xy_px": np.zeros((1, 3, 2))},
            r"xy_px must be \(P, K, 2\) = \(1, 2, 2\), as score is \(1, 2\); "
            r"got shape \(1, 3, 2\)",
        ),
        ({"xy_px": np.zeros((1, 2, 3))}, r"xy_px must be .* got shape \(1, 2, 3\)"),
        ({"xy_px": np.zeros((1, 2, 2), complex)}, "xy_px must be real numbers, got complex128"),
        ({"score": np.array([["a", "b"]])}, "score must be real numbers, got <U1"),
        (
            {"frame_ptr": np.array([[0, 1]])},
            r"frame_ptr must be integers \(T \+ 1,\), got int64 of",
        ),
        ({"frame_ptr": np.array([0.0, 1.0])}, "frame_ptr must be integers .* got float64"),
        ({"frame_ptr": np.array([], int)}, r"frame_ptr must be .* got int64 of shape \(0,\)"),
        ({"frame_ptr": np.array([0, 2])}, r"from 0 to the 1 rows of score, got \[0 2\]"),
        ({"frame_ptr": np.array([-1, 1])}, r"frame_ptr must not decrease .* got \[-1  1\]"),
        ({"frame_ptr": np.array([1, 0])}, r"frame_ptr must not decrease .* got \[1 0\]"),
    ],
)
def test_people_that_do_not_fit(function: Function, changes: dict[str, Any], message: str) -> None:
    refuses(function, message, **changes)


@EVERY
def test_an_out_that_does_not_fit(function: Function) -> None:
    maps = arguments(function)["out"]
    refuses(function, r"out must be \(.*\) = \(.*\).*; got shape \(8, 8\)", out=maps[0, 0])
    refuses(function, r"got shape \(3, 1, 8, 8\)", out=np.zeros((3, 1, 8, 8), np.float32))
    for axis in range(4):
        empty = np.delete(maps, slice(None), axis)
        refuses(function, r"none of them 0; got shape \(", out=empty)
    refuses(function, "out must be float32.*, got float64", out=maps.astype(float))
    strided = np.repeat(maps, 2, axis=3)[..., ::2]
    refuses(function, "out must be C-contiguous, aligned and writeable, got strides", out=strided)
    maps.flags.writeable = False
    refuses(function, "out must be C-contiguous, aligned and writeable, got read-only", out=maps)


def test_out_of_another_number_of_frames_or_limbs() -> None:
    maps = np.zeros((2, 3, 8, 8), np.float32)
    refuses(draw_joints, r"\(K, T, H, W\) = \(2, 1, 1 or more, 1 or more\)", out=maps)
    refuses(draw_limbs, r"\(L, T, H, W\) = \(1, 1, 1 or more, 1 or more\)", out=maps)
    refuses(draw_part_fields, r"\(2 L, T, H, W\) = \(2, 1, 1 or more, 1 or more\)", out=maps)
    refuses(accumulate_joints, r"\(K, C, H, W\) = \(2, 1 or more,", out=maps[:1])
    bytes_ = np.zeros((2, 1, 8, 8), np.uint8)
    refuses(draw_part_fields, "out must be float32 or float16, got uint8", out=bytes_)
    refuses(accumulate_joints, "out must be float32, got uint8", out=bytes_)


def test_no_joints() -> None:
    none = {"xy_px": np.zeros((1, 0, 2)), "score": np.zeros((1, 0))}
    for function in (*JOINTS, accumulate_joints):
        refuses(function, r"out must be .* got shape \(0", out=np.zeros((0, 1, 8, 8), "f4"), **none)
    for function in (*LIMBS, draw_part_fields):
        refuses(function, "limbs must join two different joints from 0 to -1", **none)


@pytest.mark.parametrize("function", [*JOINTS, *LIMBS, accumulate_joints])
@pytest.mark.parametrize("sigma", [-1.0, 0.0, 0.05, np.nan, np.inf])
def test_a_sigma_out_of_range(function: Function, sigma: float) -> None:
    refuses(function, f"sigma must be from 0.1 to 1000000 px, got {sigma}", sigma=sigma)


@pytest.mark.parametrize("function", [*JOINTS, *LIMBS, accumulate_joints])
@pytest.mark.parametrize("truncate", [-1.0, 0.0, 10.5, np.nan, np.inf])
def test_a_truncation_out_of_range(function: Function, truncate: float) -> None:
    message = f"truncate must be above 0 and at most 10 sigmas, got {truncate}"
    refuses(function, message, truncate=truncate)


@pytest.mark.parametrize("function", [draw_joints, draw_limbs, accumulate_joints])
def test_an_unknown_way_to_combine(function: Function) -> None:
    refuses(function, "combine must be 'max' or 'sum', got 'mean'", combine="mean")


@pytest.mark.parametrize("function", [draw_joints, draw_limbs])
def test_sums_do_not_fit_into_bytes(function: Function) -> None:
    maps = arguments(function)["out"].astype(np.uint8)
    refuses(
        function, "sums may exceed 1; draw them into float16 or float32", out=maps, combine="sum"
    )


@pytest.mark.parametrize("function", [*LIMBS, draw_part_fields])
@pytest.mark.parametrize(
    ("limbs", "message"),
    [
        ([(0, 2)], r"two different joints from 0 to 1, got \(0, 2\) as number 0"),
        ([(0, 1), (-1, 0)], r"got \(-1, 0\) as number 1"),
        ([(1, 1)], r"got \(1, 1\) as number 0"),
        ([], "limbs must be one or more pairs of joint numbers, got float64 of shape"),
        ([0, 1], r"limbs must be .* got int64 of shape \(2,\)"),
        ([(0, 1, 1)], r"limbs must be .* got int64 of shape \(1, 3\)"),
        ([(0.0, 1.0)], "limbs must be .* got float64"),
    ],
)
def test_limbs_that_there_are_not(function: Function, limbs: Any, message: str) -> None:
    refuses(function, message, limbs=limbs)


@pytest.mark.parametrize("half_width", [-1.0, 0.0, np.nan, np.inf])
def test_a_half_width_out_of_range(half_width: float) -> None:
    message = f"half_width must be above 0 px and finite, got {half_width}"
    refuses(draw_part_fields, message, half_width=half_width)


def test_weights_of_another_shape() -> None:
    expected = r"weights must be \(T, C\) = \(1, 1\), as frame_ptr and out say; got shape"
    refuses(accumulate_joints, expected + r" \(2, 1\)", weights=np.ones((2, 1)))
    refuses(accumulate_joints, expected + r" \(1,\)", weights=np.ones(1))
    refuses(accumulate_joints, "weights must be real numbers, got obj", weights=np.array([[None]]))


def test_accumulating_no_frames_adds_nothing() -> None:
    out = np.ones((2, 3, 8, 8), np.float32)
    accumulate_joints(
        np.zeros((0, 2, 2)), np.zeros((0, 2)), np.array([0]), np.zeros((0, 3)), out, sigma=0.6
    )
    assert (out == 1).all()


@EVERY
def test_lists_are_as_good_as_arrays(function: Function) -> None:
    of_arrays, of_lists = arguments(function), arguments(function)
    for name in {"xy_px", "score", "frame_ptr", "weights"} & set(of_lists):
        of_lists[name] = of_lists[name].tolist()
    function(**of_arrays)
    function(**of_lists)
    assert np.array_equal(of_lists["out"], of_arrays["out"])


@EVERY
def test_what_is_no_array_is_refused_by_name(function: Function) -> None:
    maps = arguments(function)["out"]
    refuses(function, r"out must be an array \(.*\), got \[\[", out=maps.tolist())
    ragged = [[[0.0, 0.0], [1.0]]]
    refuses(function, r"xy_px must be an array of real numbers, got \[\[\[0.0, 0.0\]", xy_px=ragged)
    refuses(function, "score must be real numbers, got object", score=None)
    refuses(function, "frame_ptr must be real numbers, got object", frame_ptr=None)


@EVERY
@pytest.mark.parametrize("greatest", [1.001, 80.0, 255])
def test_scores_above_1_are_refused(function: Function, greatest: float) -> None:
    score = np.array([[np.nan, greatest]])
    refuses(function, rf"score must lie in \[0, 1\], got {np.float32(greatest)}", score=score)
    refuses(
        function,
        rf"score must lie in \[0, 1\], got {np.float32(greatest)}",
        score=np.array([[np.inf, greatest]]),
    )


@EVERY
@pytest.mark.parametrize("score", [0.0, -1.0, np.nan, np.inf, -np.inf])
def test_a_score_that_is_none_is_no_joint(function: Function, score: float) -> None:
    given = arguments(function, score=np.full((1, 2), score))
    function(**given)
    assert not given["out"].any()


@pytest.mark.parametrize("value", [None, "x", "1", [1.0]])
def test_what_is_no_number_is_refused_by_name(value: Any) -> None:
    for function in (*JOINTS, *LIMBS, accumulate_joints):
        refuses(function, f"sigma must be a number, got {re.escape(repr(value))}", sigma=value)
        refuses(function, "truncate must be a number, got", truncate=value)
    refuses(draw_part_fields, "half_width must be a number, got", half_width=value)


@pytest.mark.parametrize("function", [*LIMBS, draw_part_fields])
def test_ragged_limbs_are_refused_by_name(function: Function) -> None:
    refuses(
        function, r"limbs must be an array of real numbers, got \[\(0, 1\)", limbs=[(0, 1), (1,)]
    )
