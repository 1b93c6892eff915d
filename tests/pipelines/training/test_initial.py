"""Weights to begin with: those that others published, told apart from those of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from published_names import pytorch_i3d

from posemill.errors import InputError
from posemill.models.base import Model, PoseNetwork
from posemill.models.checkpoints import MODEL, WEIGHTS, dump_checkpoint
from posemill.models.rgb import RgbModel
from posemill.models.vpn import VpnModel
from posemill.pipelines.training.initial import InitialWeights, read_initial

SHAPES = {"frames": (9, 33, 33, 3)}
TINY_I3D = RgbModel(backbone="i3d", width=0.04)


def released(folder: Path) -> Path:
    """A file as pytorch-i3d's, whose tensors are all one half, with a classifier of its own."""
    own = TINY_I3D.network(SHAPES, 2).features.trunk.state_dict().values()
    state = {
        name: torch.full_like(each, 0.5) for name, each in zip(pytorch_i3d(), own, strict=True)
    }
    state["logits.conv3d.weight"] = torch.zeros(400, 1, 1, 1, 1)
    torch.save(state, folder / "rgb_imagenet.pt")
    return folder / "rgb_imagenet.pt"


def test_a_published_backbone_is_told_and_fits_a_network_without_memory(tmp_path: Path) -> None:
    initial = read_initial(str(released(tmp_path)))
    assert initial is not None
    with torch.device("meta"):
        planned = TINY_I3D.network(SHAPES, 2)
    tensors, told = initial.fitting(planned)
    assert told.startswith(f"{tmp_path}/rgb_imagenet.pt: {len(tensors)} tensors of pytorch-i3d")
    assert told.endswith("its classifier was left out: logits.conv3d.weight")
    network = TINY_I3D.network(SHAPES, 2)
    drawn = network.classifier.weight.clone()
    network.load_state_dict(tensors, strict=False)
    taken = [
        each for each in network.features.trunk.state_dict().values() if each.is_floating_point()
    ]
    assert all((each == 0.5).all() for each in taken)
    assert torch.equal(network.classifier.weight, drawn)


def test_published_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    initial = read_initial(str(released(tmp_path)))
    assert initial is not None
    with pytest.raises(InputError, match=r"rgb_imagenet\.pt: are weights of another architecture"):
        initial.fitting(RgbModel(backbone="bn-inception", width=0.1).network(SHAPES, 2))


@pytest.mark.parametrize("content", [b"", b"garbage", b'\x08\x00\x00\x00\x00\x00\x00\x00{"a": 1}'])
def test_no_weights_at_all_are_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights").write_bytes(content)
    initial = read_initial(str(tmp_path / "weights"))
    assert initial is not None
    with pytest.raises(
        InputError, match=r"--init .*weights: \d+ bytes that .* (fetch|give) "
    ) as told:
        initial.fitting(TINY_I3D.network(SHAPES, 2))
    assert "\n" not in str(told.value)


def checkpoint(folder: Path, model: Model, network: PoseNetwork) -> InitialWeights:
    """The file of a run whose floating weights are all one half."""
    state = {n: torch.full_like(each, 0.5) for n, each in network.state_dict().items()}
    content = dump_checkpoint({MODEL: model.configuration(), WEIGHTS: state})
    (folder / "last.pt").write_bytes(content)
    initial = read_initial(str(folder))
    assert initial is not None
    return initial


VPN = VpnModel(width=0.04, skeleton="coco-17")
VPN_SHAPES = {**SHAPES, "poses": (3, 17, 8)}


def test_vpn_begins_with_a_backbone_that_was_trained_alone(tmp_path: Path) -> None:
    initial = checkpoint(tmp_path, TINY_I3D, TINY_I3D.network(SHAPES, 2))
    with torch.device("meta"):
        planned = VPN.network(VPN_SHAPES, 2)
    tensors, told = initial.fitting(planned)
    assert {name.split(".")[0] for name in tensors} == {"features", "classifier"}
    anew = len(planned.state_dict()) - len(tensors)
    assert anew > 0
    assert told.endswith(f"{len(tensors)} tensors of a run; {anew} of the network are drawn anew")
    wider = VpnModel(width=0.08, skeleton="coco-17").network(VPN_SHAPES, 2)
    with pytest.raises(InputError, match="is a checkpoint of another network"):
        initial.fitting(wider)


def test_a_part_of_any_other_model_is_no_beginning(tmp_path: Path) -> None:
    apart = VpnModel(width=0.04, attention="none", embedding="none")
    initial = checkpoint(tmp_path, apart, apart.network(VPN_SHAPES, 2))
    with pytest.raises(InputError, match="train the same model with the same settings"):
        initial.fitting(VPN.network(VPN_SHAPES, 2))
