"""Backbones over videos: colours in, features of the foretold shape out."""

from __future__ import annotations

import re
from typing import get_args

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from posemill.errors import InputError  # noqa: E402
from posemill.models.backbones.bn_inception import BnInceptionPerFrame  # noqa: E402
from posemill.models.backbones.video import VideoBackboneName, video_backbone  # noqa: E402

NAMES = get_args(VideoBackboneName)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(9, 33, 40), (4, 64, 32)])
def test_features_have_the_shape_that_was_told(name: str, shape: tuple[int, int, int]) -> None:
    backbone = video_backbone(name, 0.04).eval()
    with torch.inference_mode():
        features = backbone(torch.rand(1, *shape, 3) * 255)
    assert features.shape == (1, backbone.out_channels, *backbone.feature_shape(shape))


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("bn-inception", (1024, 64, 7, 7)),
        ("i3d", (1024, 8, 7, 7)),
        ("resnext101", (2048, 4, 7, 7)),
        ("slowonly-r50", (2048, 64, 7, 7)),
    ],
)
def test_published_features_of_64_frames(name: str, features: tuple[int, ...]) -> None:
    with torch.device("meta"):
        backbone = video_backbone(name)
    assert (backbone.out_channels, *backbone.feature_shape((64, 224, 224))) == features


# Red, green and blue 255, 0 and 127.5 as each network's published weights expect them.
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bn-inception", (127.0, -117.0, 23.5)),
        ("i3d", (1.0, -1.0, 0.0)),
        ("resnext101", (140.2252, -107.7354, 28.025)),
        ("slowonly-r50", ((255 - 123.675) / 58.395, -116.28 / 57.12, 23.97 / 57.375)),
    ],
)
def test_colours_by_hand(name: str, expected: tuple[float, float, float]) -> None:
    backbone = video_backbone(name, 0.04)
    backbone.trunk = nn.Identity()
    frames = torch.tensor([255.0, 0.0, 127.5]).expand(2, 3, 4, 5, 3)
    seen = backbone(frames)
    assert seen.shape == (2, 3, 3, 4, 5)
    torch.testing.assert_close(seen[1, :, 2, 3, 4], torch.tensor(expected))
    assert not any("mean" in key and "running" not in key for key in backbone.state_dict())


def test_one_feature_is_too_few() -> None:
    refused = r"8 frames of 32 x 32 px are too few .* one feature of 8 x 32 x 32.* more frames"
    with pytest.raises(InputError, match=refused):
        video_backbone("i3d", 0.04).feature_shape((8, 32, 32))
    with pytest.raises(InputError, match="0 frames of 224 x 224"):
        video_backbone("i3d", 0.04).feature_shape((0, 224, 224))
    assert video_backbone("i3d", 0.04).feature_shape((9, 32, 32)) == (2, 1, 1)


def test_other_names_are_refused() -> None:
    known = re.escape("there are: bn-inception, i3d, resnext101, slowonly-r50")
    with pytest.raises(InputError, match=rf"called 'c3d'; {known}"):
        video_backbone("c3d")  # type: ignore[arg-type]


def test_frames_stay_apart_in_bn_inception_alone() -> None:
    apart = [isinstance(video_backbone(name, 0.04).trunk, BnInceptionPerFrame) for name in NAMES]
    assert apart == [True, False, False, False]
