"""What every recipe promises; each case is a recipe with settings."""

import dataclasses

import numpy as np
import pytest
from samples import made_sample, rng, specs_of, values, without_extras

from posemill.errors import InputError
from posemill.transforms.outputs import dequantise
from posemill.transforms.recipes import create_recipe, recipe_names
from posemill.transforms.sample import Sample

CANVAS = {"short_side": "32", "crop": "28", "canvas_hw": "32,57"}
SQUARE = {"size": "32", "crop": "28", "length": "6", "length_rgb": "2"}
CASES: list[tuple[str, dict[str, str]]] = [
    ("potion", {}),
    ("potion", {"people": "each", "max_people": "3", "skeleton": "parnet-14"}),
    ("potion", {"source": "dense"}),
    ("jmrn", {}),
    ("jmrn", {"people": "box"}),
    ("volume", {"views": "2"}),
    ("volume", {"people": "each", "draw": "cache", "views": "2"}),
    ("volume", {"draw": "train", "size_hw": "56,56", "combine": "sum"}),
    ("limb-volume", {"views": "2", "length": "16"}),
    ("limb-volume", {"people": "box", "draw": "train", "combine": "sum"}),
    ("tempposeconv-j", {"length": "2"}),
    ("tempposeconv-j", {"length": "2", "people": "each", "combine": "sum", "span": "video"}),
    ("tempposeconv-j", {"length": "2", "source": "dense"}),
    ("tempposeconv-jdiff", {"length": "2"}),
    ("tempposeconv-p", {"length": "2", "weighted": "true"}),
    ("tempposeconv-p", {"length": "2", "people": "box"}),
    ("tempposeconv-p", {"length": "2", "source": "dense"}),
    ("tempposeconv-pdiff", {"length": "2"}),
    ("tempposeconv-f", {"length": "2", "channels": "5"}),
    ("tempposeconv-fdiff", {"length": "3", "channels": "5"}),
    ("parnet", {}),
    ("parnet", {"draw": "cache"}),
    ("parnet", {"draw": "train", "max_people": "2"}),
    ("parnet-frames", {**CANVAS, "length": "4"}),
    ("parnet-frames", {**CANVAS, "length": "4", "draw": "cache"}),
    ("rgb-clip", {**CANVAS, "views": "2"}),
    ("rgb-clip", {**CANVAS, "draw": "cache"}),
    ("rgb-clip", {**CANVAS, "draw": "cache", "region": "subjects"}),
    ("rgbpose", {**SQUARE, "views": "2"}),
    ("rgbpose", {**SQUARE, "draw": "cache"}),
    ("vpn-crops", {"size": "16", "pictures": "4", "views": "2"}),
    ("vpn-crops", {"size": "16", "pictures": "4", "draw": "cache", "space": "3d"}),
    ("graph-sequence", {}),
    ("graph-sequence", {"stream": "bone-motion", "draw": "cache", "views": "3"}),
    ("graph-sequence", {"stream": "joint-motion", "draw": "train", "space": "3d"}),
    ("vpn-pose", {}),
    ("vpn-pose", {"draw": "cache"}),
    ("vpn-pose", {"draw": "train", "space": "3d"}),
]
every_case = pytest.mark.parametrize(
    ("name", "settings"), CASES, ids=["-".join([n, *s.values()]) for n, s in CASES]
)


def test_every_recipe_is_a_case() -> None:
    assert {name for name, _ in CASES} == set(recipe_names())


@every_case
@pytest.mark.parametrize("num_frames", [0, 1, 2, 7, 120])
@pytest.mark.parametrize("num_persons", [0, 1, 3])
def test_arrays_are_as_declared(
    name: str, settings: dict[str, str], num_frames: int, num_persons: int
) -> None:
    recipe, sample = create_recipe(name, settings), made_sample(num_frames, num_persons)
    arrays = recipe(sample, rng())
    specs = specs_of(recipe, sample.pose)
    assert set(arrays) == set(specs)
    for each, spec in specs.items():
        assert arrays[each].shape == spec.shape
        assert arrays[each].dtype == spec.dtype
        assert np.isfinite(dequantise(arrays[each], spec)).all()
    shown = recipe.requires & {"dense", "frames"}
    if num_frames == 0 or (num_persons == 0 and not shown):
        assert not arrays[next(iter(specs))].any()


@every_case
def test_somebody_is_seen(name: str, settings: dict[str, str]) -> None:
    recipe, sample = create_recipe(name, settings), made_sample(120, 2)
    assert recipe(sample, rng())[next(iter(specs_of(recipe, sample.pose)))].any()


@every_case
def test_equal_generators_give_equal_arrays_and_leave_the_global_one_alone(
    name: str, settings: dict[str, str]
) -> None:
    recipe, sample = create_recipe(name, settings), made_sample(150, 2)
    before = np.random.get_state()[1].copy()  # noqa: NPY002  (that nobody touches it is the point)
    first, second, other = (recipe(sample, rng(seed)) for seed in (7, 7, 8))
    assert all(np.array_equal(first[key], second[key]) for key in first)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    if recipe.draws_anew:
        assert any(not np.array_equal(first[key], other[key]) for key in first)


@every_case
def test_samples_are_left_alone(name: str, settings: dict[str, str]) -> None:
    sample = made_sample(60, 2)
    arrays = [getattr(sample.pose, each) for each in ("xy_px", "score", "frame", "slot", "xyz_m")]
    assert sample.dense is not None
    assert sample.pictures is not None
    arrays += [sample.dense.joints, sample.dense.parts, sample.dense.features, sample.pictures.rgb]
    kept = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    create_recipe(name, settings)(sample, rng())
    assert all(np.array_equal(a, b) for a, b in zip(kept, arrays, strict=True))


@every_case
def test_missing_joints_change_nothing_wherever_they_are(
    name: str, settings: dict[str, str]
) -> None:
    sample = made_sample(30, 1)
    score = sample.pose.score.copy()
    score[:, 3] = score[4:9, 11] = 0.0
    elsewhere = []
    for place in (np.nan, -1e30, 50.0):
        xy = sample.pose.xy_px.copy()
        xyz = sample.pose.xyz_m.copy()
        xy[score == 0], xyz[score == 0] = place, place
        pose = dataclasses.replace(sample.pose, score=score, xy_px=xy, xyz_m=xyz)
        elsewhere.append(
            create_recipe(name, settings)(dataclasses.replace(sample, pose=pose), rng())
        )
    first, second, third = elsewhere
    for key in first:
        assert np.array_equal(first[key], second[key])
        assert np.array_equal(first[key], third[key])


@every_case
def test_what_is_required_is_named_and_asked_for(name: str, settings: dict[str, str]) -> None:
    recipe, sample = create_recipe(name, settings), made_sample(30, 2)
    assert "pose" in recipe.requires
    bare = without_extras(sample)
    if recipe.requires == {"pose"}:
        assert specs_of(recipe, sample.pose).keys() == recipe(bare, rng()).keys()
    else:
        with pytest.raises(InputError, match=r"box|dense|3-D|picture"):
            recipe(bare, rng())


@pytest.mark.parametrize("name", ["potion", "jmrn", "volume", "limb-volume", "tempposeconv-j"])
def test_people_apart_are_each_drawn_alone(name: str) -> None:
    """The first of `each` is the maps of that person's poses alone; `box` splits everybody."""
    from posemill.transforms.people import keep_rows, track_order

    sample = made_sample(40, 3)
    settings = {"length": "4"} if "length" in str(create_recipe(name).configuration()) else {}
    output = next(iter(specs_of(create_recipe(name, settings), sample.pose)))
    each = create_recipe(name, {**settings, "people": "each", "max_people": "3"})
    maps = values(each, sample, output)
    axis = specs_of(each, sample.pose)[output].dims.index("person")
    slots = track_order(sample.pose)
    if "volume" in name:  # everybody is in the crop, so draw one without moving it
        together = values(create_recipe(name, settings), sample, output)
        assert np.array_equal(maps.max(axis=axis), together)
        return
    for number, slot in enumerate(slots):
        alone = Sample(keep_rows(sample.pose, sample.pose.slot == slot))
        expected = values(create_recipe(name, settings), alone, output)
        assert np.array_equal(maps.take(number, axis=axis), expected)
