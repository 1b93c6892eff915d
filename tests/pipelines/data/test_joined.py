"""PA3D's modalities read together: one draw for all, in step; what does not fit is refused."""

import pickle
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from action_clips import make_action_store
from made_clips import MadeSource, made_clips, made_source
from rendered_stores import render_store

from posemill.errors import InputError
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.clips import ClipSet
from posemill.pipelines.data.joined import JoinedSource, parts_of
from posemill.pipelines.data.sources import open_joined, open_source
from posemill.pipelines.data.views import create_views
from posemill.transforms.skeletons import COCO_17

CUBE = {"canvas_hw": "24,40", "length": "4"}  # made poses show 64 x 48 px: scaled to 24 x 32
EVERYTHING = Augmentation(flip=0.5, beta_px=2, crop_hw=(16, 20))
DRAWN = ("tempposeconv-j", "tempposeconv-p", "tempposeconv-jdiff", "tempposeconv-pdiff")
DIFFERENCES = (("joints", "joint_differences", 1 / 255), ("parts", "part_differences", 2e-3))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def joined(*recipes: str, **settings: str) -> JoinedSource:
    return JoinedSource.of([made_source(each, **CUBE | settings) for each in recipes])


def drawn_view(source: JoinedSource, seed: int) -> tuple[dict[str, np.ndarray], bool]:
    """A training view as a dataset makes it: clip and view by one generator."""
    generator = rng(seed)
    arrays = source.read(made_clips(), 0, generator)
    (view,), flipped = create_views(source, EVERYTHING).train(arrays, generator)
    return view, flipped


def values(source: JoinedSource, view: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    scales = {spec.name: spec.scale_factor or 1.0 for spec in source.specs}
    return {name: array.astype(np.float32) * scales[name] for name, array in view.items()}


@pytest.mark.parametrize("draw", ["train", "test"])
def test_all_parts_show_the_same_frames_window_and_side(draw: str) -> None:
    """Differences of a view's joints and fields are the view of the differences."""
    source = joined(*DRAWN, draw=draw)
    sides = set()
    for seed in range(6):
        drawn, flipped = drawn_view(source, seed)
        view = values(source, drawn)
        for cube, differences, tolerance in DIFFERENCES:
            assert view[differences].any()
            np.testing.assert_allclose(
                np.diff(view[cube], axis=0), view[differences], atol=tolerance
            )
        sides.add(flipped)
    assert sides == {True, False}


def test_a_joint_lies_on_its_limbs_after_crop_jitter_and_flip() -> None:
    source = joined("tempposeconv-j", "tempposeconv-p", draw="train")
    found, sides = 0, set()
    for seed in range(12):
        view, flipped = drawn_view(source, seed)
        on_limbs = limb_supports(view["parts"])
        for frame, joint in np.argwhere(inside(view["joints"]).max(axis=(2, 3)) > 200):
            maps = inside(view["joints"][frame, joint])
            y, x = np.add(np.unravel_index(maps.argmax(), maps.shape), 1)
            limbs = [n for n, limb in enumerate(COCO_17.limbs) if joint in limb]
            around = on_limbs[frame, limbs, y - 1 : y + 2, x - 1 : x + 2]
            assert around.any(axis=(1, 2)).all()
            found += 1
        sides.add(flipped)
    assert found > 200
    assert sides == {True, False}


def inside(maps: np.ndarray) -> np.ndarray:
    """Without the outermost pixels, whose neighbours are cut away."""
    return maps[..., 1:-1, 1:-1]


def limb_supports(parts: np.ndarray) -> np.ndarray:
    """(T, L, H, W): where the field of a limb is."""
    length, _, *size_hw = parts.shape
    return (parts != 0).reshape(length, -1, 2, *size_hw).any(axis=2)


def test_each_part_is_the_view_that_it_has_alone() -> None:
    source = joined("tempposeconv-j", "tempposeconv-p")
    views = create_views(source, EVERYTHING)
    arrays = source.read(made_clips(), 0, rng())
    both, flipped = views.train(arrays, rng(3), count=2)
    tested = views.test(arrays, flip=True)
    assert views.shapes == {"joints": (4, 17, 16, 20), "parts": (4, 34, 16, 20)}
    assert {name: array.shape for name, array in tested.items()} == {
        name: (20, *shape) for name, shape in views.shapes.items()
    }
    for part in source.parts:
        alone, (name,) = create_views(part, EVERYTHING), create_views(part, EVERYTHING).shapes
        ours = part.read(made_clips(), 0, rng())
        expected, other = alone.train(ours, rng(3), count=2)
        assert other == flipped
        for view, theirs in zip(both, expected, strict=True):
            np.testing.assert_array_equal(view[name], theirs[name])
        np.testing.assert_array_equal(tested[name], alone.test(ours, flip=True)[name])


def test_an_estimators_features_are_joined_without_flips() -> None:
    cubes = [made_source(each, **CUBE, draw="train") for each in DRAWN[:2]]
    features = [
        made_source(each, **CUBE, channels="5", draw="train")
        for each in ("tempposeconv-f", "tempposeconv-fdiff")
    ]
    source, unflipped = JoinedSource.of([*cubes, *features]), replace(EVERYTHING, flip=0.0)
    views, arrays = create_views(source, unflipped), source.read(made_clips(), 0, rng(1))
    (view,), flipped = views.train(arrays, rng(1))
    assert not flipped
    assert list(view) == ["features", "feature_differences", "joints", "parts"]
    changes = np.diff(view["features"].astype(np.float32), axis=0)
    np.testing.assert_allclose(changes, view["feature_differences"], atol=2e-3)
    assert views.unmirrored() == ("features", "feature_differences")


def test_a_clip_is_empty_if_all_its_maps_are() -> None:
    source = joined("tempposeconv-j", "tempposeconv-p")
    views, arrays = create_views(source, EVERYTHING), source.read(made_clips(), 0, rng())
    nothing = {name: np.zeros_like(array) for name, array in arrays.items()}
    assert views.shows_nothing(nothing)
    assert not views.shows_nothing(nothing | {"parts": arrays["parts"]})
    assert not views.shows_nothing(nothing | {"joints": arrays["joints"]})


def test_the_order_in_which_parts_are_given_does_not_matter() -> None:
    first, second = joined(*DRAWN), joined(*DRAWN[::-1])
    assert first == second
    assert first.configuration_hash == second.configuration_hash
    names = ["joints", "joint_differences", "parts", "part_differences", "valid_hw"]
    assert [spec.name for spec in first.specs] == names
    assert list(first.read(made_clips(), 0, rng())) == names
    assert [part.recipe.name for part in parts_of(first)] == sorted(DRAWN)
    assert parts_of(first.parts[0]) == (first.parts[0],)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ([("volume", {})], r"only recipes tempposeconv-\* can be joined, got volume; train on it"),
        ([("tempposeconv-j", CUBE)], "tempposeconv-j is given more than once"),
        (
            [("tempposeconv-p", CUBE | {"length": "5", "canvas_hw": "24,32"})],
            r"joints \(made\.zarr\) and parts .* length 4 and 5, canvas_hw 24,40 and 24,32; render",
        ),
        ([("tempposeconv-p", CUBE | {"draw": "train"})], "cannot be joined: draw test and train"),
        ([("tempposeconv-p", CUBE | {"span": "video"})], "span windows and video"),
        ([("tempposeconv-p", CUBE | {"skeleton": "coco-18"})], "skeleton coco-17 and coco-18"),
    ],
)
def test_parts_that_show_something_else_are_refused(
    others: list[tuple[str, dict[str, str]]], message: str
) -> None:
    parts = [made_source("tempposeconv-j", **CUBE)]
    parts += [made_source(recipe, **settings) for recipe, settings in others]
    with pytest.raises(InputError, match=message) as caught:
        JoinedSource.of(parts)
    assert "\n" not in str(caught.value)


def test_other_classes_are_refused() -> None:
    joints, parts = (made_source(each, **CUBE) for each in DRAWN[:2])
    with pytest.raises(InputError, match="3 and 2 classes, 1 of the first not among the second's"):
        JoinedSource.of([joints, replace(parts, classes=joints.classes[:2])])
    with pytest.raises(InputError, match=r"3 and 3 classes, 0 of the first .* in another order"):
        JoinedSource.of([joints, replace(parts, classes=joints.classes[::-1])])


@dataclass(frozen=True)
class ChosenClips(MadeSource):
    """Whose clips are given."""

    clips: ClipSet = field(default_factory=made_clips)

    def select(self, split: str, subset: str) -> ClipSet:  # noqa: ARG002
        return self.clips


def with_clips(clips: ClipSet) -> JoinedSource:
    """The clips c0, c1 and c2 of joints, joined with `clips` of parts."""
    joints, parts = (made_source(each, **CUBE) for each in DRAWN[:2])
    return JoinedSource.of([joints, ChosenClips(parts.recipe, parts.sample, clips=clips)])


def test_clips_are_joined_by_id_in_any_order() -> None:
    clips = replace(made_clips().pick([2, 0, 1]), num_unavailable=2)
    assert with_clips(clips).select("default", "train") == replace(made_clips(), num_unavailable=2)


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        (made_clips().pick([1]), r"3 and 1 clips there, and 2 are in one of them alone, as c0, c2"),
        (made_clips(((0,), (1,), (2,), (0,))), r"3 and 4 clips there, and 1 are .*, as c3; mater"),
        (made_clips(((0,), (2,), (1,))), r"2 of 3 clips have another class .* as c1, c2; mater"),
        (made_clips(mirrors=(-1, -1, 0)), r"1 of 3 clips have another mirrored class .*, as c2;"),
        (replace(made_clips(), spans=((0.0, 1.0),) * 3), r"3 of 3 clips have another span"),
        (replace(made_clips(), video_ids=("v0", "v1", "x")), "1 of 3 clips have another video"),
    ],
)
def test_other_clips_are_refused_with_their_number(clips: ClipSet, message: str) -> None:
    with pytest.raises(InputError, match=r"cannot be joined on split1/train: .*" + message):
        with_clips(clips).select("split1", "train")


def test_a_clip_of_other_frames_is_refused() -> None:
    joints = made_source("tempposeconv-j", **CUBE)
    longer = made_source("tempposeconv-pdiff", num_frames=31, **CUBE)
    with pytest.raises(InputError, match=r"clip c0 has joints \(made\.zarr\) of other frames, or"):
        JoinedSource.of([joints, longer]).read(made_clips(), 0, rng())


@pytest.mark.parametrize(
    ("recipe", "augmentation", "message"),
    [
        ("tempposeconv-f", {}, r"features of made\.zarr cannot be mirrored: .* with flip 0"),
        ("tempposeconv-p", {"gamma_px": 1}, r"parts of .* no maps of single joints to jitter"),
        ("tempposeconv-p", {"crop_hw": (30, 40)}, r"a crop of 30 x 40 px does not fit"),
    ],
)
def test_what_one_part_cannot_have_is_refused(
    recipe: str, augmentation: dict[str, Any], message: str
) -> None:
    settings = {"channels": "5"} if recipe == "tempposeconv-f" else {}
    source = JoinedSource.of(
        [made_source("tempposeconv-j", **CUBE), made_source(recipe, **CUBE, **settings)]
    )
    with pytest.raises(InputError, match=message):
        create_views(source, Augmentation(**augmentation))


J, P = DRAWN[:2]
SMALL = {"canvas_hw": "12,16", "length": "2"}
WIDE = SMALL | {"half_width": "2.0"}  # which only P has


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_action_store(tmp_path_factory.mktemp("actions")).store


def test_stores_and_recipes_are_joined_alike(actions: Path, tmp_path: Path) -> None:
    joints = render_store(actions, tmp_path / "j", J, **SMALL)
    parts = render_store(actions, tmp_path / "p", P, **WIDE)
    fresh = open_joined([actions], [J, P], WIDE)
    stored = open_joined([joints, parts])
    assert open_joined([parts, joints], [J, P], WIDE).configuration == stored.configuration
    assert fresh.configuration == stored.configuration
    assert fresh.url == str(actions)
    assert stored.url == f"{joints} and {parts}"
    clips = fresh.select("default", "train")
    assert stored.select("default", "train") == clips
    held = stored.holding(clips)
    for source in (stored, held, pickle.loads(pickle.dumps(held))):  # noqa: S301 (our own bytes)
        for name, array in source.read(clips, 1, rng()).items():
            np.testing.assert_array_equal(array, fresh.read(clips, 1, rng())[name])


def test_recipes_and_settings_that_nothing_has_are_refused(actions: Path, tmp_path: Path) -> None:
    joints = render_store(actions, tmp_path / "j", J, **SMALL)
    with pytest.raises(InputError, match=f"{joints} have {J} and not {P}; give features of it"):
        open_joined([joints], [J, P])
    with pytest.raises(InputError, match="with canvas_hw=12,16, not with canvas_hw=20,20"):
        open_joined([joints], [J, P], {"canvas_hw": "20,20"})
    with pytest.raises(InputError, match=f"recipe {J} has no setting 'colour'"):
        open_joined([actions], [J, P], {"colour": "red"})
    with pytest.raises(InputError, match="name the recipe to render them by"):
        open_joined([actions])
    assert open_joined([actions], default=P).recipe == open_source(actions, P).recipe


def test_the_same_joints_are_lost_from_all_parts(actions: Path) -> None:
    source = open_joined([actions], [J, P], {"draw": "train", "length": "8", "canvas_hw": "32,40"})
    clips = source.select("default", "train")
    plain, lossy = (source.dropping(p).read(clips, 0, rng(1)) for p in (0.0, 1.0))
    shown = lossy["joints"].any(axis=(2, 3))  # (T, K)
    on_limbs = limb_supports(lossy["parts"]).any(axis=(2, 3))  # (T, L)
    for number, (first, second) in enumerate(COCO_17.limbs):
        whole = shown[:, first] & shown[:, second]
        np.testing.assert_array_equal(on_limbs[:, number], whole)
    assert (plain["joints"].any(axis=(2, 3)) ^ shown).sum(axis=1).tolist() == [1] * 8
