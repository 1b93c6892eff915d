"""Placed poses: drawing what `place` gives is rendering."""

from __future__ import annotations

import numpy as np
import pytest
from samples import made_sample, rng, specs_of

from posemill.errors import InputError
from posemill.transforms.geometry import Box
from posemill.transforms.outputs import OutputSpec, quantise
from posemill.transforms.placed import PlacedPoses, join_frames, place_nobody, place_pose
from posemill.transforms.potion import jmrn_p, potion_s, potion_u
from posemill.transforms.rasterize import draw_joints, draw_limbs
from posemill.transforms.recipes import create_recipe
from posemill.transforms.recipes.people import GaussianRecipe
from posemill.transforms.sample import Sample
from posemill.transforms.skeletons import get_skeleton
from posemill.transforms.tempposeconv import differences

CASES: list[tuple[str, dict[str, str]]] = [
    ("volume", {"length": "6", "views": "2"}),
    ("volume", {"length": "6", "draw": "train", "views": "2", "combine": "sum"}),
    ("volume", {"length": "6", "draw": "cache", "views": "2", "skeleton": "parnet-14"}),
    ("limb-volume", {"length": "6", "views": "2"}),
    ("limb-volume", {"length": "6", "draw": "train", "combine": "sum"}),
    ("tempposeconv-j", {"length": "2", "canvas_hw": "64,40"}),
    ("tempposeconv-j", {"length": "2", "span": "video", "combine": "sum"}),
    ("tempposeconv-jdiff", {"length": "2"}),
    ("potion", {"canvas_hw": "40,86"}),
    ("potion", {"channels": "4", "combine": "sum"}),
    ("jmrn", {}),
]


def placing(name: str, settings: dict[str, str]) -> GaussianRecipe:
    recipe = create_recipe(name, settings)
    assert isinstance(recipe, GaussianRecipe)
    return recipe


def drawn(recipe: GaussianRecipe, placed: PlacedPoses, spec: OutputSpec) -> np.ndarray:
    """The recipe's first output, of `place` and the rasterisers alone."""
    people = placed.xy_px, placed.score, placed.frame_ptr
    options = {"sigma": recipe.sigma, "truncate": recipe.truncate, "combine": recipe.combine}
    height, width = placed.valid_hw
    if spec.name in ("u", "p"):
        s = potion_s(*people, num_channels=spec.shape[1], size_hw=placed.size_hw, **options)
        s[..., height:, :] = s[..., width:] = 0
        return potion_u(s)[0] if spec.name == "u" else jmrn_p(s, placed.num_frames)
    if spec.name == "volume":
        num_views, num_maps, length, *_ = spec.shape
        maps = np.zeros((num_maps, num_views * length, *placed.size_hw), stored(spec))
        if spec.dims[1] == "limb":
            skeleton = recipe.skeleton if recipe.skeleton != "own" else "coco-17"
            draw_limbs(*people, get_skeleton(skeleton).limbs, maps, **options)
        else:
            draw_joints(*people, maps, **options)
        return maps.reshape(num_maps, num_views, *spec.shape[2:]).swapaxes(0, 1)
    cube = np.zeros((spec.shape[1], placed.num_frames, *placed.size_hw), stored(spec))
    draw_joints(*people, cube, **options)
    cube[..., height:, :] = cube[..., width:] = 0
    cube = cube.swapaxes(0, 1)
    return differences(cube, recipe.length) if spec.name == "joint_differences" else cube


def stored(spec: OutputSpec) -> str:
    return "float32" if spec.name == "joint_differences" else spec.dtype


@pytest.mark.parametrize(
    ("name", "settings"), CASES, ids=["-".join([n, *s.values()]) for n, s in CASES]
)
@pytest.mark.parametrize(("num_frames", "num_persons"), [(0, 0), (1, 1), (9, 0), (20, 3)])
def test_drawing_what_is_placed_is_rendering(
    name: str, settings: dict[str, str], num_frames: int, num_persons: int
) -> None:
    recipe, sample = placing(name, settings), made_sample(num_frames, num_persons)
    spec = next(iter(specs_of(recipe, sample.pose).values()))
    placed = recipe.place(sample, rng(3))
    rendered = recipe(sample, rng(3))[spec.name]
    np.testing.assert_array_equal(quantise(drawn(recipe, placed, spec), spec), rendered)
    if num_frames != 1:  # one frame differs nowhere
        assert rendered.any() == (num_frames * num_persons > 0)


@pytest.mark.parametrize(
    ("name", "settings", "got"),
    [
        ("volume", {"people": "each"}, "people=each"),
        ("potion", {"people": "box"}, "people=box and source=triplets"),
        ("tempposeconv-j", {"source": "dense"}, "people=all and source=dense"),
    ],
)
def test_what_coordinates_alone_do_not_say_is_refused(
    name: str, settings: dict[str, str], got: str
) -> None:
    recipe = placing(name, settings)
    assert not recipe.placeable
    with pytest.raises(InputError, match=f"recipe {name}: .* got {got};"):
        recipe.place(made_sample(4, 1), rng())


def test_frames_are_gathered_in_order_and_as_often_as_named() -> None:
    pose = made_sample(4, 2).pose
    box = Box(-0.5, -0.5, pose.width, pose.height)
    size = (pose.height, pose.width)
    placed = place_pose(pose, box, size, size, np.array([2, 0, 2]))
    rows = [range(*pose.frame_ptr[frame : frame + 2]) for frame in (2, 0, 2)]
    np.testing.assert_allclose(placed.xy_px, pose.xy_px[np.concatenate(rows)], atol=1e-3)
    np.testing.assert_array_equal(np.diff(placed.frame_ptr), [len(each) for each in rows])


def test_joined_frames_follow_one_another() -> None:
    sample = made_sample(5, 2)
    recipe = placing("potion", {})
    one = recipe.place(sample, rng())
    nobody = place_nobody(3, one.num_keypoints, one.size_hw, one.valid_hw)
    joined = join_frames([one, nobody, one])
    assert joined.num_frames == 13
    np.testing.assert_array_equal(joined.xy_px, np.concatenate([one.xy_px, one.xy_px]))
    np.testing.assert_array_equal(
        np.diff(joined.frame_ptr), [*np.diff(one.frame_ptr), 0, 0, 0, *np.diff(one.frame_ptr)]
    )


def test_parts_of_other_maps_are_not_joined() -> None:
    with pytest.raises(ValueError, match="one number of joints, size_hw and valid_hw"):
        join_frames([place_nobody(1, 17, (8, 8), (8, 8)), place_nobody(1, 17, (8, 9), (8, 8))])
    with pytest.raises(ValueError, match="no poses"):
        join_frames([])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": np.zeros((2, 4), np.float32)}, r"xy_px \(P, K, 2\)"),
        ({"frame_ptr": np.array([0, 1])}, "from 0 to the 2 rows"),
        ({"frame_ptr": np.array([1, 2])}, "from 0 to the 2 rows"),
        ({"frame_ptr": np.array([0, 2, 1, 2])}, "must not decrease"),
        ({"valid_hw": (8, 10)}, "within size_hw"),
        ({"size_hw": (0, 9)}, "size_hw"),
    ],
)
def test_arrays_that_disagree_are_refused(change: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {
        "xy_px": np.zeros((2, 3, 2), np.float32),
        "score": np.zeros((2, 3), np.float32),
        "frame_ptr": np.array([0, 2]),
        "size_hw": (8, 9),
        "valid_hw": (8, 9),
    }
    PlacedPoses(**fields)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        PlacedPoses(**(fields | change))  # type: ignore[arg-type]


def test_a_placed_clip_takes_kilobytes() -> None:
    """17 x 48 x 56 x 56 bytes stand against 48 frames of one person's 17 x 3 numbers."""
    recipe = placing("volume", {"size_hw": "56,56"})
    sample = made_sample(60, 1)
    placed = recipe.place(Sample(sample.pose), rng())
    rendered = recipe(sample, rng())["volume"]
    assert placed.num_bytes * 200 < rendered.nbytes
