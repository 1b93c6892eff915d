import dataclasses

import numpy as np
import pytest
from dense_maps import made_pose
from samples import made_sample, rng, without_extras

from posemill.errors import InputError
from posemill.transforms.geometry import centre_crop_box, map_to, random_crop_box
from posemill.transforms.people import padded_people
from posemill.transforms.recipes import create_recipe
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import parnet_frames, pick_candidates, vpn_frames
from posemill.transforms.sequences import parnet_poses, vpn_poses
from posemill.transforms.skeletons import COCO_17, PARNET_14


def at(x: float, y: float, num_frames: int = 32) -> Sample:
    """One person all of whose joints are at (x, y) of frames of 320 x 240 px."""
    pose = made_pose(num_frames, 1)
    xy = np.broadcast_to(np.array([x, y], np.float32), pose.xy_px.shape).copy()
    return Sample(dataclasses.replace(pose, xy_px=xy, score=np.ones_like(pose.score)))


def test_parnets_poses_are_in_units_of_the_centre_crop() -> None:
    # 320 x 240 becomes 342 x 256 (341.33, rounded up), cropped from (59, 16) on.
    poses = create_recipe("parnet")(at(159.5, 119.5), rng())["poses"]
    assert poses.shape == (16, 4, 14, 2)
    expected = [(171 - 59) / 224, (128 - 16) / 224]
    assert poses[:, 0].reshape(-1, 2) == pytest.approx(np.tile(expected, (224, 1)), abs=1e-5)
    assert not poses[:, 1:].any()


def test_parnet_keeps_joints_outside_the_crop_and_drops_missing_ones() -> None:
    sample = at(0.0, 0.0)
    score = sample.pose.score.copy()
    score[:, COCO_17.keypoints.index("left_wrist")] = 0.0
    poses = create_recipe("parnet")(Sample(dataclasses.replace(sample.pose, score=score)), rng())[
        "poses"
    ]
    wrist = PARNET_14.keypoints.index("left_wrist")
    assert not poses[:, 0, wrist].any()
    # (0 + 1/2) * 342/320 - 59 and (0 + 1/2) * 256/240 - 16, over 224.
    corner = [(0.5 * 342 / 320 - 59) / 224, (0.5 * 256 / 240 - 16) / 224]
    assert poses[5, 0, 0] == pytest.approx(corner, abs=1e-5)


def test_parnets_test_frames_are_the_middle_ones() -> None:
    arrays = create_recipe("parnet")(made_sample(64, 1), rng())
    assert arrays["frame_index"].tolist() == [4 * i + 2 for i in range(16)]


def test_parnets_cache_leads_to_the_same_poses() -> None:
    sample = made_sample(16 * 5, 3)
    cached = create_recipe("parnet", {"draw": "cache"})(sample, rng())
    assert cached["poses"].shape == (80, 4, 14, 2)
    assert cached["valid_hw"].tolist() == [256, 342]
    middle = pick_candidates(16, 5)
    box = centre_crop_box(342, 256, 224)
    xy = map_to(cached["poses"][middle], box, (224, 224))
    test = create_recipe("parnet")(sample, rng())
    assert parnet_poses(xy, cached["score"][middle], 224) == pytest.approx(test["poses"], abs=1e-5)
    assert np.array_equal(cached["frame_index"][middle], test["frame_index"])


def test_parnets_fresh_view_is_drawn_from_the_generator() -> None:
    sample = made_sample(100, 1)
    arrays = create_recipe("parnet", {"draw": "train"})(sample, rng(3))
    generator = rng(3)
    assert np.array_equal(arrays["frame_index"], parnet_frames(100, 16, generator))
    box = random_crop_box(342, 256, 224, generator)
    nose = sample.pose.xy_px[arrays["frame_index"], 0].astype(np.float64)
    scaled = (nose + 0.5) * [342 / 320, 256 / 240]
    expected = (scaled - [box.left + 0.5, box.top + 0.5]) / 224
    head = PARNET_14.keypoints.index("head")
    assert arrays["poses"][:, 0, head] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"skeleton": "own"}, "skeleton must be parnet-14, whose parts PARNet encodes, got own"),
        ({"crop": "300"}, "crop must be at most short_side=256 px, got 300; the nearest is --set"),
    ],
)
def test_what_parnet_cannot_be(settings: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        create_recipe("parnet", settings)


def test_faint_joints_are_not_cached_as_missing() -> None:
    sample = made_sample(100, 1)
    score = np.full_like(sample.pose.score, 1e-4)
    score[:, 7] = 0.0
    faint = Sample(dataclasses.replace(sample.pose, score=score))
    for name, joint in (("parnet", PARNET_14.keypoints.index("left_elbow")), ("vpn-pose", 7)):
        stored = create_recipe(name, {"draw": "cache"})(faint, rng())["score"]
        first = stored[:, 0] if name == "parnet" else stored
        assert not first[:, joint].any()
        assert (np.delete(first, joint, axis=1) == 1).all()


def test_a_picture_may_be_very_wide() -> None:
    sample = Sample(made_pose(40, 1, width=4000, height=2))
    assert create_recipe("parnet", {"draw": "cache"})(sample, rng())["valid_hw"].tolist() == [
        256,
        512_000,
    ]


def test_vpns_poses_are_of_the_first_person_around_the_first_root() -> None:
    sample = made_sample(60, 2)
    arrays = create_recipe("vpn-pose", {"length": "10"})(sample, rng())
    assert np.array_equal(arrays["frame_index"], vpn_frames(60, 10))
    people = padded_people(sample.pose, arrays["frame_index"], 1)
    xy = people.xy_px[:, 0] / 240.0
    root = (xy[0, 11] + xy[0, 12]) / 2
    assert arrays["poses"].shape == (3, 17, 10)
    assert arrays["poses"][:2] == pytest.approx((xy - root).transpose(2, 1, 0), abs=1e-5)
    assert not arrays["poses"][2].any()


def test_vpns_true_3d_poses() -> None:
    sample = made_sample(60, 1)
    recipe = create_recipe("vpn-pose", {"length": "10", "space": "3d"})
    assert recipe.requires == {"pose", "pose3d"}
    arrays = recipe(sample, rng())
    assert sample.pose.xyz_m is not None
    xyz = sample.pose.xyz_m[arrays["frame_index"]]
    root = (xyz[0, 11] + xyz[0, 12]) / 2
    assert arrays["poses"] == pytest.approx((xyz - root).transpose(2, 1, 0), abs=1e-5)
    with pytest.raises(InputError, match="space=3d needs true 3-D poses"):
        recipe(without_extras(sample), rng())


def test_vpns_cache_leads_to_the_same_poses() -> None:
    sample = made_sample(200, 1)
    cached = create_recipe("vpn-pose", {"draw": "cache"})(sample, rng())
    middle = pick_candidates(20, 5)
    poses = vpn_poses(cached["poses"][middle], cached["score"][middle], (11, 12))
    assert poses == pytest.approx(create_recipe("vpn-pose")(sample, rng())["poses"], abs=1e-6)


def test_graph_sequences_are_fractions_of_the_frame_with_scores() -> None:
    arrays = create_recipe("graph-sequence", {"length": "8"})(at(79.5, 59.5), rng())
    sequence = arrays["sequence"]
    assert sequence.shape == (1, 3, 8, 17, 2)
    # A quarter of the way: -1/2; the score is 1.
    expected = np.tile([-0.5, -0.5, 1.0], (8 * 17, 1))
    assert np.allclose(sequence[0, :, :, :, 0].reshape(3, -1).T, expected)
    assert not sequence[..., 1].any()


def test_bones_and_motion_of_a_walk() -> None:
    sample = at(100.0, 100.0, num_frames=30)
    xy = sample.pose.xy_px + np.arange(30, dtype=np.float32)[:, None, None] * np.float32([1.6, 0.0])
    walk = Sample(dataclasses.replace(sample.pose, xy_px=xy))
    bone = create_recipe("graph-sequence", {"stream": "bone"})(walk, rng())["sequence"]
    assert bone.shape == (1, 3, 100, 17, 2)
    assert bone[0, :2] == pytest.approx(np.zeros((2, 100, 17, 2)), abs=1e-6)
    arrays = create_recipe("graph-sequence", {"stream": "joint-motion"})(walk, rng())
    moving = arrays["frame_index"][0] < 29  # the last frame has no next one
    # 1.6 px a frame, of 320 px that are 2 units.
    assert arrays["sequence"][0, 0, moving, :, 0] == pytest.approx(
        np.full((moving.sum(), 17), 0.01), abs=1e-6
    )
    assert not arrays["sequence"][0, 0, ~moving].any()


def test_true_3d_sequences_stand_on_their_root_in_torso_lengths() -> None:
    sample = made_sample(50, 1)
    recipe = create_recipe("graph-sequence", {"space": "3d", "length": "50"})
    sequence = recipe(sample, rng())["sequence"][0]
    hips = sequence[:, 0, 11:13, 0].mean(axis=1)
    assert hips == pytest.approx(np.zeros(3), abs=1e-4)
    shoulders, hips = (sequence[:, :, part, 0].mean(axis=2) for part in ([5, 6], [11, 12]))
    assert np.median(np.linalg.norm(shoulders - hips, axis=0)) == pytest.approx(1.0, rel=1e-3)
    with pytest.raises(InputError, match="space=3d needs true 3-D poses"):
        recipe(without_extras(sample), rng())
