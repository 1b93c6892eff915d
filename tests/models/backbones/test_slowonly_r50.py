"""SlowOnly-R50 for pictures against the counts and shapes of a ResNet-50 inflated by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from bottleneck_counts import Layers  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from posemill.models.backbones.layers3d import Residual  # noqa: E402
from posemill.models.backbones.slowonly import slowonly, slowonly_r50, stage_ends  # noqa: E402


def test_counts_of_the_published_network() -> None:
    layers = Layers()
    layers.conv((1, 7, 7), (3, 64), (8, 112, 112))
    layers.stage(3, 64, 64, time=1, sizes=(56, 56), frames=8)
    layers.stage(4, 256, 128, time=1, sizes=(56, 28), frames=8)
    layers.stage(6, 512, 256, time=3, sizes=(28, 14), frames=8)
    layers.stage(3, 1024, 512, time=3, sizes=(14, 7), frames=8)
    # Feichtenhofer et al. print 41.9 G for 8 frames of 224 x 224 px; a ResNet-50 has 23.5 M.
    assert layers.macs == pytest.approx(41.9e9, rel=5e-3)
    assert layers.parameters == pytest.approx(31.6e6, rel=5e-3)
    with torch.device("meta"):
        backbone = slowonly_r50()
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            features = backbone.eval()(torch.empty(1, 3, 8, 224, 224))
    assert features.shape == (1, 2048, 8, 7, 7)
    assert counter.get_total_flops() // 2 == layers.macs
    assert sum(weight.numel() for weight in backbone.parameters()) == layers.parameters


@pytest.mark.parametrize(
    ("size_hw", "after_hw"), [((64, 96), (2, 3)), ((65, 33), (3, 2)), ((32, 32), (1, 1))]
)
def test_every_frame_is_kept_and_pixels_are_halved_five_times(
    size_hw: tuple[int, int], after_hw: tuple[int, int]
) -> None:
    backbone = slowonly_r50(base=2, blocks=(1, 1, 2, 1)).eval()
    features = backbone(torch.rand(2, 3, 5, *size_hw))
    assert features.shape == (2, 64, 5, *after_hw)
    assert backbone.out_channels == 64


def test_last_two_stages_look_along_time() -> None:
    backbone = slowonly_r50(base=2)
    blocks = [layer for layer in backbone if isinstance(layer, Residual)]
    assert [block.branch[0].kernel_size for block in blocks] == [(1, 1, 1)] * 7 + [(3, 1, 1)] * 9
    strides = [block.branch[3].stride for block in blocks]
    assert [n for n, stride in enumerate(strides) if stride != (1, 1, 1)] == [3, 7, 13]
    assert {stride[0] for stride in strides} == {1}


def test_ends_of_stages_are_where_their_channels_are() -> None:
    backbone = slowonly_r50(base=2, blocks=(2, 1, 3, 1))
    ends = stage_ends((2, 1, 3, 1))
    last = [backbone[end - 1].branch[-1].num_features for end in ends]
    assert last == [8, 16, 32, 64]
    assert ends[-1] == len(backbone)


def test_joined_channels_widen_what_the_first_block_of_a_stage_reads() -> None:
    plain = slowonly_r50(base=2, blocks=(1, 2, 1, 1))
    wider = slowonly_r50(base=2, blocks=(1, 2, 1, 1), joined={2: 5})
    shapes = plain.state_dict(), wider.state_dict()
    assert shapes[0].keys() == shapes[1].keys()
    widened = [name for name in shapes[0] if shapes[0][name].shape != shapes[1][name].shape]
    assert widened == ["7.branch.0.weight", "7.shortcut.0.weight"]
    assert [shapes[1][name].shape[1] for name in widened] == [16 + 5] * 2


def test_poses_may_keep_all_frames() -> None:
    kept = slowonly(2, 2, (1, 1, 1), time_stride=1).eval()
    for block in list(kept)[-3:]:
        nn.init.ones_(block.branch[-1].weight)  # they start at nothing
    halved = slowonly(2, 2, (1, 1, 1)).eval()
    halved.load_state_dict(kept.state_dict())
    volume = torch.rand(1, 2, 6, 9, 9)
    assert kept(volume).shape == (1, 32, 6, 2, 2)
    # What a stride leaves out changes nothing that it keeps: one block, the last.
    torch.testing.assert_close(kept(volume)[:, :, ::2], halved(volume))
