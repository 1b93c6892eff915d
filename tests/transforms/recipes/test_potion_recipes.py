import dataclasses
import tracemalloc

import numpy as np
import pytest
from dense_maps import made_pose
from samples import made_sample, rng, values

from posemill.errors import InputError
from posemill.schema import PoseSequence
from posemill.transforms.geometry import flip_joints
from posemill.transforms.potion import derive_potion, encode_maps, time_encoding
from posemill.transforms.recipes import create_recipe
from posemill.transforms.sample import DenseMaps, Sample
from posemill.transforms.skeletons import COCO_17, COCO_17_NECK


def still(num_frames: int, canvas_xy: tuple[int, int]) -> PoseSequence:
    """All joints of one person rest on the centre of a pixel of the 64 x 86 canvas."""
    pose = made_pose(num_frames, 1)  # of 320 x 240 px
    at = np.array([(canvas_xy[0] + 0.5) * 320 / 86, (canvas_xy[1] + 0.5) * 240 / 64]) - 0.5
    xy = np.broadcast_to(at.astype(np.float32), pose.xy_px.shape).copy()
    return dataclasses.replace(pose, xy_px=xy, score=np.ones_like(pose.score))


def test_potion_of_a_joint_that_stays_in_place() -> None:
    arrays = create_recipe("potion")(Sample(still(9, (20, 10))), rng())
    assert arrays["maximum"] == pytest.approx(
        np.broadcast_to(time_encoding(9, 3).sum(axis=0), (17, 3)), abs=1e-3
    )
    assert (arrays["u"][:, :, 10, 20] == 255).all()
    assert arrays["num_frames"] == 9
    assert arrays["valid_hw"].tolist() == [64, 86]


def test_jmrn_of_a_joint_that_stays_is_one_and_of_a_shorter_stay_less() -> None:
    pose = still(9, (20, 10))
    p = create_recipe("jmrn")(Sample(pose), rng())["p"]
    assert p.shape == (18, 3, 64, 86)
    assert p[:, :, 10, 20] == pytest.approx(np.ones((18, 3)), abs=1e-3)
    score = pose.score.copy()
    score[5:] = 0.0
    shorter = create_recipe("jmrn")(Sample(dataclasses.replace(pose, score=score)), rng())["p"]
    # Of 9 frames in 3 channels the first 5 have all of channel 0 (2.5), 2.5 of 4 of channel 1.
    assert shorter[0, :, 10, 20] == pytest.approx([1.0, 0.625, 0.0], abs=1e-3)


def test_jmrns_neck_lies_between_the_shoulders_with_the_lower_score() -> None:
    pose = still(4, (20, 10))
    xy, score = pose.xy_px.copy(), pose.score.copy()
    step = 320 / 86
    xy[:, 5, 0], xy[:, 6, 0] = xy[:, 5, 0] - 4 * step, xy[:, 6, 0] + 8 * step
    score[:, 6] = 0.5
    p = create_recipe("jmrn")(Sample(dataclasses.replace(pose, xy_px=xy, score=score)), rng())["p"]
    neck = COCO_17_NECK.keypoints.index("neck")
    assert np.unravel_index(p[neck, 0].argmax(), (64, 86)) == (10, 22)
    assert p[neck, :, 10, 22] == pytest.approx([0.5, 0.5, 0.5], abs=1e-3)


def test_jmrn_of_few_frames_divides_by_nothing() -> None:
    for num_frames, expected in ((1, [1, 0, 0]), (2, [1, 0, 1])):
        p = create_recipe("jmrn")(Sample(still(num_frames, (20, 10))), rng())["p"]
        assert p[3, :, 10, 20] == pytest.approx(expected, abs=1e-3)


def test_a_boxed_person_and_the_others_are_two_encodings() -> None:
    sample = made_sample(30, 3)
    # The box of the sample is nearly the whole frame: whoever overlaps it most is `role` 0.
    recipe = create_recipe("jmrn", {"people": "box"})
    assert recipe.requires == {"pose", "boxes"}
    p = recipe(sample, rng())["p"]
    assert p.shape == (2, 18, 3, 64, 86)
    everybody = create_recipe("jmrn")(sample, rng())["p"]
    # H of all people is the greatest of theirs in every frame, so S lies between
    # the greater part and the sum of both.
    assert (everybody >= p.max(axis=0) - 1e-3).all()
    assert (everybody <= p.sum(axis=0) + 1e-3).all()
    assert p[0].any()
    assert p[1].any()


def test_without_a_box_the_clip_is_refused() -> None:
    sample = dataclasses.replace(made_sample(5, 1), boxes=())
    with pytest.raises(InputError, match="people=box needs the labelled person's box"):
        create_recipe("jmrn", {"people": "box"})(sample, rng())


@pytest.mark.parametrize(("name", "output"), [("potion", "u"), ("jmrn", "p")])
def test_a_flipped_video_gives_flipped_maps(name: str, output: str) -> None:
    pose = made_pose(40, 2)
    xy, score = flip_joints(pose.xy_px, pose.score, pose.width, COCO_17.mirror)
    recipe = create_recipe(name)
    maps = values(recipe, Sample(pose), output)
    flipped = values(recipe, Sample(dataclasses.replace(pose, xy_px=xy, score=score)), output)
    mirror = COCO_17.mirror if name == "potion" else COCO_17_NECK.mirror
    # To one step of the stored numbers: sums round differently in the other order.
    assert flipped == pytest.approx(maps[list(mirror)][..., ::-1], abs=1 / 255 + 1e-6)
    assert np.mean(flipped != maps[list(mirror)][..., ::-1]) < 1e-3


@pytest.mark.parametrize("name", ["potion", "jmrn", "tempposeconv-j", "tempposeconv-p"])
def test_a_canvas_is_empty_outside_the_frame(name: str) -> None:
    pose = made_pose(80, 3, width=240, height=480)
    xy = np.random.default_rng(0).uniform([-20, 0], [260, 480], pose.xy_px.shape)
    recipe = create_recipe(name)
    arrays = recipe(Sample(dataclasses.replace(pose, xy_px=xy.astype(np.float32))), rng())
    maps = next(iter(arrays.values()))
    assert arrays["valid_hw"].tolist() == [64, 32]
    assert maps[..., :32].any()
    assert not maps[..., 32:].any()


def test_dense_maps_of_the_canvas_size_are_encoded_as_they_are() -> None:
    pose = made_pose(6, 1)
    maps = rng().random((6, 17, 64, 86)).astype(np.float16)
    recipe = create_recipe("potion", {"source": "dense"})
    assert recipe.requires == {"pose", "dense"}
    sample = Sample(pose, dense=DenseMaps(np.arange(6), joints=maps))
    s = encode_maps(maps, 3)
    arrays = recipe(sample, rng())
    assert arrays["maximum"] == pytest.approx(s.max(axis=(2, 3)), abs=1e-3)
    u = s / (s.max(axis=(2, 3), keepdims=True) + 1e-4)
    assert values(recipe, sample, "u") == pytest.approx(u, abs=0.5 / 255 + 1e-4)


def test_dense_maps_are_encoded_before_they_are_scaled() -> None:
    """So that memory grows with the estimator's maps, not with maps of the canvas' size."""
    maps = rng().random((200, 17, 8, 11)).astype(np.float16)
    sample = Sample(made_pose(200, 1), dense=DenseMaps(np.arange(200), joints=maps))
    recipe = create_recipe("potion", {"source": "dense"})
    recipe(sample, rng())  # compiles
    tracemalloc.start()
    try:
        recipe(sample, rng())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # S and U of the canvas are 17 x 3 x 64 x 86 float32 each; the volume would be 76 MB.
    assert peak < 10e6


def test_dense_maps_that_are_not_finite_are_refused() -> None:
    maps = np.zeros((6, 17, 8, 8), np.float16)
    maps[2, 3, 4, 5] = np.nan
    sample = Sample(made_pose(6, 1), dense=DenseMaps(np.arange(6), joints=maps))
    for name in ("potion", "tempposeconv-j"):
        with pytest.raises(InputError, match="dense maps must be finite"):
            create_recipe(name, {"source": "dense"})(sample, rng())


def test_dense_maps_that_do_not_fit_are_refused() -> None:
    pose = made_pose(6, 1)
    recipe = create_recipe("potion", {"source": "dense"})
    wrong = DenseMaps(np.arange(6), joints=np.zeros((6, 19, 8, 8), np.float16))
    with pytest.raises(InputError, match=r"expected dense joints of 17 channels, .* gave 19"):
        recipe(Sample(pose, dense=wrong), rng())
    some = DenseMaps(np.array([0, 1, 2, 4, 5]), joints=np.zeros((5, 17, 8, 8), np.float16))
    with pytest.raises(InputError, match=r"dense maps of frame 3 were not kept; .* 5 of 6 frames"):
        recipe(Sample(pose, dense=some), rng())
    none = DenseMaps(np.arange(6))
    with pytest.raises(InputError, match="keeps no dense joints"):
        recipe(Sample(pose, dense=none), rng())


@pytest.mark.parametrize("settings", [{"people": "each"}, {"skeleton": "parnet-14"}])
def test_dense_maps_show_everybody_in_the_estimators_skeleton(settings: dict[str, str]) -> None:
    with pytest.raises(InputError, match="goes with people=all and skeleton=own only"):
        create_recipe("potion", {"source": "dense", **settings})


def test_the_networks_input_follows_from_a_crop_of_u() -> None:
    u = values(create_recipe("potion"), made_sample(30, 2), "u")[..., 4:60, 10:66]
    assert derive_potion(u).shape == (17 * 7, 56, 56)
