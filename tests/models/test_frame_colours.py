"""Pictures of 0 to 255 against a loop over their colours."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from posemill.models.pictures import IMAGENET_MEAN, IMAGENET_STD, Colours3d  # noqa: E402


def test_each_colour_is_shifted_and_scaled_and_comes_first() -> None:
    frames = torch.randint(0, 256, (2, 3, 4, 5, 3), generator=torch.Generator().manual_seed(1))
    made = Colours3d()(frames.float())
    assert made.shape == (2, 3, 3, 4, 5)
    for colour in range(3):
        expected = (frames[..., colour] - IMAGENET_MEAN[colour]) / IMAGENET_STD[colour]
        torch.testing.assert_close(made[:, colour], expected)


def test_other_scales_and_nothing_in_a_checkpoint() -> None:
    colours = Colours3d((127.5,) * 3, (127.5,) * 3)
    ends = torch.tensor([0.0, 255.0]).reshape(1, 2, 1, 1, 1).expand(1, 2, 1, 1, 3)
    assert colours(ends)[0, 0].flatten().tolist() == [-1.0, 1.0]
    assert not colours.state_dict()
