"""PoTion's and JMRN's maps drawn by torch, against the compiled transform."""

from __future__ import annotations

import numpy as np
import pytest
from placed_clips import placed_clip

torch = pytest.importorskip("torch")

from posemill.models.rasterize import DrawPotion, collate_placed  # noqa: E402
from posemill.transforms.placed import PlacedPoses  # noqa: E402
from posemill.transforms.potion import jmrn_p, potion_s, potion_u  # noqa: E402

CLIPS = [
    placed_clip([2, 0, 9, 1, 1, 3], seed=1),
    placed_clip([], seed=2),
    placed_clip([3], seed=5),
    placed_clip([1, 1, 2], seed=3, valid_hw=(13, 28)),
    placed_clip([0, 12], seed=4, valid_hw=(20, 9)),
]


def compiled_s(clip: PlacedPoses, channels: int, **options: object) -> np.ndarray:
    people = clip.xy_px, clip.score, clip.frame_ptr
    s = potion_s(*people, num_channels=channels, size_hw=clip.size_hw, **options)
    height, width = clip.valid_hw
    s[..., height:, :] = s[..., width:] = 0
    return s


@pytest.mark.parametrize("combine", ["max", "sum"])
@pytest.mark.parametrize(
    ("sigma", "truncate", "channels"), [(0.6, 3.0, 2), (1.0, 3.0, 4), (5.0, 2.0, 3)]
)
@pytest.mark.parametrize("pixels_at_once", [1, 2_000, 1 << 22])
def test_maps_equal_the_compiled_ones(
    combine: str, sigma: float, truncate: float, channels: int, pixels_at_once: int
) -> None:
    settings = {"sigma": sigma, "truncate": truncate, "combine": combine}
    batch = collate_placed(CLIPS)
    drawn = {
        of: DrawPotion(channels, **settings, of=of, pixels_at_once=pixels_at_once)(batch).numpy()
        for of in ("s", "u", "p")
    }
    assert drawn["u"].shape == (5, 5, channels, 20, 28)
    for number, clip in enumerate(CLIPS):
        s = compiled_s(clip, channels, **settings)
        theirs = {"s": s, "u": potion_u(s)[0], "p": jmrn_p(s, clip.num_frames)}
        for of, maps in theirs.items():
            np.testing.assert_allclose(drawn[of][number], maps, rtol=0, atol=1e-5, err_msg=of)
    assert drawn["u"][0].any()


def test_equal_people_count_once() -> None:
    """Three of the same person in a frame give what one gives, by max; by sum, thrice as much."""
    xy = np.array([[[4.0, 5.0]]] * 4, np.float32)
    score = np.ones((4, 1), np.float32)
    clip = PlacedPoses(xy, score, np.array([0, 3, 4]), (12, 12), (12, 12))
    batch = collate_placed([clip])
    greatest = DrawPotion(2, 1.0, of="s")(batch)[0, 0]
    total = DrawPotion(2, 1.0, combine="sum", of="s")(batch)[0, 0]
    torch.testing.assert_close(greatest[0], greatest[1], rtol=0, atol=1e-6)
    assert greatest[0, 5, 4] == 1.0
    torch.testing.assert_close(total[0], 3.0 * greatest[0], rtol=0, atol=1e-6)


def test_nobody_anywhere_gives_zeros() -> None:
    for of in ("s", "u", "p"):
        assert not DrawPotion(3, 1.0, of=of)(collate_placed([placed_clip([0, 0])])).any()


def test_the_device_is_asked_for_nothing() -> None:
    """Tensors on meta have no numbers: whatever the host would wait for fails there."""
    batch = collate_placed(CLIPS).to("meta")
    for combine in ("max", "sum"):
        for of in ("s", "u", "p"):
            maps = DrawPotion(3, 1.0, combine=combine, of=of)(batch)
            assert maps.shape == (5, 5, 3, 20, 28)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="2 channels or more"):
        DrawPotion(1, 1.0)
    with pytest.raises(ValueError, match="one of s, u, p; got 3 and 'n'"):
        DrawPotion(3, 1.0, of="n")
