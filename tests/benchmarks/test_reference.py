"""The peer of the benchmarks computes what the published code computes."""

import numpy as np
import pytest
import reference
from dense_maps import golden

from posemill.transforms.skeletons import COCO_17

NAMES = pytest.mark.parametrize("name", ["one", "three", "wide"])


@NAMES
def test_joint_maps_equal_the_published_ones(name: str) -> None:
    data = golden(name)
    sigma, size = float(data["sigma"]), data["size"]
    volume = reference.joint_volume(data["keypoint"], data["score"], sigma, size)
    assert np.abs(volume.swapaxes(0, 1) - data["joint"]).max() < 1e-5


@NAMES
def test_limb_maps_equal_the_published_ones(name: str) -> None:
    data = golden(name)
    sigma, size = float(data["sigma"]), data["size"]
    people = data["keypoint"], data["score"]
    volume = reference.limb_volume(*people, COCO_17.limbs, sigma, size)
    assert np.abs(volume.swapaxes(0, 1) - data["limb"]).max() < 1e-5


@pytest.mark.parametrize("name", ["one", "wide"])
def test_u_i_and_n_equal_the_published_ones(name: str) -> None:
    data = golden(name)
    volume = data["joint"].swapaxes(0, 1)
    parts = reference.potion_uin(reference.potion_s(volume, 3))
    for key, part in zip(("potion_U", "potion_I", "potion_N"), parts, strict=True):
        stacked = part.reshape(-1, *data["size"]).transpose(1, 2, 0)  # channel k C + c last
        assert np.abs(stacked - data[key][0]).max() < 1e-5, key
