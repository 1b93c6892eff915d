"""Previews of feature stores: every recipe's, and refusals that say what can be drawn."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import panel, read_png
from potion_stores import make_potion_store
from samples import made_sample, rng

from posemill.errors import InputError
from posemill.pipelines.drawing import LEFT, RIGHT, TRACKS
from posemill.pipelines.preview import preview_features
from posemill.pipelines.preview.kinds import find_kind
from posemill.pipelines.preview.sheets import GROUND, PANEL_PX
from posemill.schema import UInt8
from posemill.storage.features import FeatureRow, FeatureStore
from posemill.transforms.potion import colour_potion
from posemill.transforms.recipes import create_recipe, get_recipe, recipe_names
from posemill.transforms.skeletons import COCO_17

CANVAS = {"canvas_hw": "24,32"}
FRAMES = {"draw": "cache", "short_side": "48", "crop": "40", "canvas_hw": "48,64"}
SQUARE = (PANEL_PX, PANEL_PX)
CANVAS_PX = (129, PANEL_PX)  # 24 / 32 of the width

# Recipe, settings, the size of a picture, and how many rows of pictures there are.
EVERY_RECIPE = [
    ("potion", CANVAS, CANVAS_PX, 1),
    ("potion", {**CANVAS, "people": "each"}, CANVAS_PX, 1),
    ("jmrn", CANVAS, CANVAS_PX, 1),
    ("jmrn", {**CANVAS, "people": "box"}, CANVAS_PX, 1),
    ("volume", {"size_hw": "24,24", "views": "2"}, SQUARE, 1),
    ("volume", {"size_hw": "24,24", "people": "each"}, SQUARE, 2),
    ("limb-volume", {"size_hw": "24,24", "people": "box"}, SQUARE, 2),
    ("tempposeconv-j", {**CANVAS, "combine": "sum"}, CANVAS_PX, 1),
    ("tempposeconv-j", {**CANVAS, "people": "each"}, CANVAS_PX, 2),
    ("tempposeconv-p", CANVAS, CANVAS_PX, 1),
    ("tempposeconv-f", {**CANVAS, "channels": "5"}, CANVAS_PX, 1),
    ("tempposeconv-jdiff", CANVAS, CANVAS_PX, 1),
    ("tempposeconv-pdiff", {**CANVAS, "people": "box"}, CANVAS_PX, 2),
    ("tempposeconv-fdiff", {**CANVAS, "channels": "5"}, CANVAS_PX, 1),
    ("parnet", {}, SQUARE, 1),
    ("parnet", {"draw": "cache"}, SQUARE, 1),
    ("vpn-pose", {}, SQUARE, 1),
    ("vpn-pose", {"draw": "cache", "space": "3d"}, SQUARE, 2),
    ("parnet-frames", {}, SQUARE, 1),
    ("parnet-frames", FRAMES, CANVAS_PX, 1),
    ("rgb-clip", {"region": "subjects", "views": "2"}, SQUARE, 1),
    ("rgb-clip", FRAMES, CANVAS_PX, 1),
    ("rgbpose", {}, SQUARE, 1),
    ("rgbpose", {"draw": "cache"}, SQUARE, 1),
    ("vpn-crops", {"pictures": "8", "views": "2"}, SQUARE, 1),
    ("graph-sequence", {"draw": "cache", "views": "2"}, SQUARE, 1),
    ("graph-sequence", {"space": "3d"}, SQUARE, 2),
    ("graph-sequence", {"stream": "bone"}, SQUARE, 2),
    ("graph-sequence", {"stream": "joint-motion", "space": "3d"}, SQUARE, 4),
    ("graph-sequence", {"stream": "bone-motion"}, SQUARE, 2),
]


def make_store(path: Path, recipe: str, settings: dict[str, str]) -> FeatureStore:
    """One clip of two people, rendered by a recipe."""
    maker = create_recipe(recipe, settings)
    target = maker.target(COCO_17)
    configuration = {"recipe": maker.configuration(), "skeleton": target.name}
    store = FeatureStore.create(path, maker.outputs(target), configuration, ("wave",))
    store.add_rows([FeatureRow("clip", "video", 0, -1, {}, 0)])
    arrays = maker(made_sample(12, 2), rng())
    store.write_shard(
        0, "0" * 64, [({name: array[None] for name, array in arrays.items()}, np.array([True]))]
    )
    return store


def test_every_recipe_can_be_drawn() -> None:
    assert {name for name, *_ in EVERY_RECIPE} == set(recipe_names())
    for name in recipe_names():
        assert find_kind(get_recipe(name)().outputs(COCO_17)[0]) is not None


@pytest.mark.parametrize(("recipe", "settings", "size_hw", "rows"), EVERY_RECIPE)
def test_recipes_are_drawn(
    tmp_path: Path,
    recipe: str,
    settings: dict[str, str],
    size_hw: tuple[int, int],
    rows: int,
) -> None:
    store = make_store(tmp_path / "f.zarr", recipe, settings)
    (path,) = preview_features(Path(store.url), tmp_path / "out")
    sheet = read_png(path)
    groups = 2 if recipe in ("potion", "jmrn") and "people" in settings else 1
    columns = groups if recipe in ("potion", "jmrn") else 6
    pictures = [panel(sheet, number, columns, size_hw) for number in range(rows * columns)]
    assert sheet.shape[0] > 28 + rows * (size_hw[0] + 28)
    for picture in pictures:  # none is cut off, none is of one colour
        assert picture.shape == (*size_hw, 3)
        assert np.ptp(picture, axis=(0, 1)).any()


def middles(sheet: UInt8, columns: int, size_hw: tuple[int, int] = SQUARE) -> list[list[int]]:
    """The colours in the middle of the first row's pictures."""
    height, width = size_hw
    row = [panel(sheet, number, columns, size_hw) for number in range(columns)]
    return [picture[height // 2, width // 2].tolist() for picture in row]


def test_stored_numbers_are_drawn_as_the_values_that_they_stand_for(tmp_path: Path) -> None:
    recipe = create_recipe("volume", {"length": "4", "size_hw": "16,16", "views": "2"})
    configuration = {"skeleton": COCO_17.name}
    store = FeatureStore.create(tmp_path / "v.zarr", recipe.outputs(COCO_17), configuration, ())
    store.add_rows([FeatureRow("clip", "video", -1, -1, {}, 0)])
    volume = np.zeros((1, 2, 17, 4, 16, 16), np.uint8)
    volume[0, 0, COCO_17.keypoints.index("left_ear"), 2, 4:12, 4:12] = 102  # of 255: .4
    volume[0, 0, COCO_17.keypoints.index("right_ear"), 3, 4:12, 4:12] = 255
    volume[0, 1] = 255
    arrays = {"volume": volume, "frame_index": np.zeros((1, 2, 4), np.int32)}
    store.write_shard(0, "0" * 64, [(arrays, np.array([True]))])
    (path,) = preview_features(Path(store.url), tmp_path / "out")
    two_fifths = [round(0.4 * channel) for channel in LEFT]
    assert middles(read_png(path), 4) == [[0, 0, 0], [0, 0, 0], two_fifths, list(RIGHT)]


def test_the_stores_skeleton_says_which_joints_hang_together(tmp_path: Path) -> None:
    recipe = create_recipe("parnet", {"length": "2", "max_people": "1"})
    specs = recipe.outputs(recipe.target(COCO_17))
    store = FeatureStore.create(tmp_path / "p.zarr", specs, {"skeleton": "parnet-14"}, ())
    store.add_rows([FeatureRow("clip", "video", -1, -1, {}, 0)])
    start, end = recipe.target(COCO_17).limbs[0]
    poses = np.zeros((1, 2, 1, 14, 2), np.float32)
    poses[0, 1, 0, start], poses[0, 1, 0, end] = (0.25, 0.5), (0.75, 0.5)
    arrays = {"poses": poses, "frame_index": np.array([[5, 9]], np.int32)}
    store.write_shard(0, "0" * 64, [(arrays, np.array([True]))])
    (path,) = preview_features(Path(store.url), tmp_path / "out")
    empty, limb = middles(read_png(path), 2)
    assert empty == list(GROUND)
    np.testing.assert_allclose(limb, TRACKS[0], atol=40)  # a thin line is smoothed


def test_potion_comes_in_colours_class_by_class(tmp_path: Path) -> None:
    store = make_potion_store(tmp_path / "f.zarr", per_class={"train": 2})
    (path,) = preview_features(Path(store.url), tmp_path / "out", limit=3)
    sheet = read_png(path)
    # 16 x 20 px maps in cells of 172 px; three columns, a head, captions, the bar of time, a note.
    height = round(16 * 172 / 20)
    assert sheet.shape == (28 + height + 28 + 38 + 24, 3 * (172 + 8) + 8, 3)
    rows = store.rows()
    # Sorted by class, the first, a middle and the last of six clips: one of each class.
    for place, number in enumerate((0, 2, 5)):
        row = rows[number]
        assert row is not None
        assert row.label == place
        expected = colour_potion(store.read("u", number).astype(np.float32))
        shown = panel(sheet, place, 3, (height, 172))
        small = cv2.resize(shown, (20, 16), interpolation=cv2.INTER_AREA)
        assert np.abs(small.astype(int) - expected).mean() < 12
    bar = sheet[28 + height + 28 + 10]
    assert tuple(bar[sheet.shape[1] // 4]) == (255, 0, 0)
    assert tuple(bar[sheet.shape[1] - sheet.shape[1] // 4 - 1]) == (0, 0, 255)


def test_features_that_cannot_be_drawn_are_refused(tmp_path: Path) -> None:
    recipe = create_recipe("potion", {"canvas_hw": "16,20"})
    specs = [spec for spec in recipe.outputs(COCO_17) if spec.name == "maximum"]
    store = FeatureStore.create(tmp_path / "f.zarr", specs, {}, ())
    with pytest.raises(InputError, match="no features yet"):
        preview_features(Path(store.url), tmp_path)
    store.add_rows([FeatureRow("clip", "video", -1, -1, {}, 0)])
    store.write_shard(0, "0" * 64, [({"maximum": np.ones((1, 17, 3), "f4")}, np.array([True]))])
    with pytest.raises(InputError, match=r"it holds: maximum \('keypoint', 'channel'\).*can be"):
        preview_features(Path(store.url), tmp_path)
    with pytest.raises(InputError, match="at least 1 clip"):
        preview_features(Path(store.url), tmp_path, limit=0)
