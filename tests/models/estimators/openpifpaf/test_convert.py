"""From pickled checkpoints to plain files, and what such a file must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posemill.errors import InputError, WeightsUnavailable
from posemill.models.estimators.openpifpaf.checkpoint import (
    FORMAT,
    load_checkpoint,
    save_checkpoint,
)
from posemill.models.estimators.openpifpaf.convert import convert_checkpoint
from posemill.models.estimators.openpifpaf.network import build_shell
from posemill.models.estimators.openpifpaf.pickles import describe_code, looked_up
from posemill.transforms.skeletons import COCO_17

torch = pytest.importorskip("torch")

MakeShell = Callable[..., Any]


def save_pickled(shell: Any, path: Path) -> Path:
    torch.save({"model": shell, "epoch": 1, "meta": {}}, path)
    return path


def test_a_converted_network_answers_as_the_pickled_one(
    pickled: Path, converted: Path, tmp_path: Path
) -> None:
    """It must not share what is no state either: the normalisation's epsilon is openpifpaf's."""
    checkpoint, sha256 = load_checkpoint(converted)
    assert checkpoint.base_net == "shufflenetv2x1"
    assert checkpoint.keypoints == COCO_17.keypoints
    assert len(checkpoint.limbs) == 19
    assert checkpoint.limbs[0] == (15, 13)  # left ankle and left knee
    picture = torch.rand(2, 3, 65, 97, generator=torch.Generator().manual_seed(0))
    original = torch.load(pickled, weights_only=False)["model"].eval()
    with torch.inference_mode():
        for got, wanted in zip(build_shell(checkpoint)(picture), original(picture), strict=True):
            np.testing.assert_array_equal(got, wanted)
    again = convert_checkpoint(pickled, tmp_path / "again" / converted.name, trust=True)
    assert again.sha256 == sha256
    assert again.num_bytes == converted.stat().st_size


def test_a_real_checkpoint_runs_code_and_a_converted_one_none(
    pickled: Path, converted: Path
) -> None:
    assert "openpifpaf.network.nets.Shell" in looked_up(pickled)
    assert describe_code(converted) == ""
    with pytest.raises(InputError, match=r"runs code .*if you trust where it comes from"):
        convert_checkpoint(pickled, converted.with_name("never"), trust=False)
    assert not converted.with_name("never").exists()


def test_other_trunks_and_finer_heads_are_converted(
    make_shell: MakeShell, pifpaf: Any, tmp_path: Path
) -> None:
    metas = pifpaf.plugins.coco.CocoKp().head_metas
    for meta in metas:
        meta.upsample_stride = 2
    source = save_pickled(make_shell("mobilenetv3small", metas), tmp_path / "fine.pkl")
    convert_checkpoint(source, tmp_path / "fine.pt", trust=True)
    checkpoint, _ = load_checkpoint(tmp_path / "fine.pt")
    assert (checkpoint.base_net, checkpoint.upsample_stride) == ("mobilenetv3small", 2)
    with torch.inference_mode():
        cif, caf = build_shell(checkpoint)(torch.zeros(1, 3, 65, 97))
    # A cell every 8 pixels, on the first and on the last one.
    assert cif.shape == (1, 17, 5, 9, 13)
    assert caf.shape == (1, 19, 8, 9, 13)


def test_heads_beside_those_of_people_are_left_out(
    make_shell: MakeShell, pifpaf: Any, tmp_path: Path
) -> None:
    cif, caf = pifpaf.plugins.coco.CocoKp().head_metas
    boxes = pifpaf.headmeta.CifDet("cifdet", "cocodet", categories=["person"])
    source = save_pickled(make_shell(metas=[boxes, cif, caf]), tmp_path / "three.pkl")
    convert_checkpoint(source, tmp_path / "two.pt", trust=True)
    checkpoint, _ = load_checkpoint(tmp_path / "two.pt")
    heads = {name.split(".")[1] for name in checkpoint.state if name.startswith("head_nets.")}
    assert heads == {"0", "1"}
    assert checkpoint.state["head_nets.0.conv.weight"].shape[0] == 17 * 5


def test_another_skeleton_is_refused(make_shell: MakeShell, pifpaf: Any, tmp_path: Path) -> None:
    metas = pifpaf.plugins.coco.CocoKp().head_metas
    for meta in metas:
        meta.keypoints = ["beak", *meta.keypoints[1:]]
    source = save_pickled(make_shell(metas=metas), tmp_path / "birds.pkl")
    with pytest.raises(InputError, match=r"no Cif head for the 17 joints of COCO \(it has: cocokp"):
        convert_checkpoint(source, tmp_path / "birds.pt", trust=True)


def test_a_network_that_was_built_otherwise_is_refused(pickled: Path, tmp_path: Path) -> None:
    """Its numbers fit, but a convolution reads every second pixel."""
    shell = torch.load(pickled, weights_only=False)["model"]
    wide = shell.base_net.stage4[1].branch2[3]
    wide.dilation, wide.padding = (2, 2), (2, 2)
    source = save_pickled(shell, tmp_path / "wide.pkl")
    with pytest.raises(InputError, match="built with other settings"):
        convert_checkpoint(source, tmp_path / "wide.pt", trust=True)
    assert not (tmp_path / "wide.pt").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"epoch": 1}, "KeyError: 'model'"),
        ({"model": {"a": 1}}, "its model is a dict, expected a Shell"),
        ([1, 2], "no checkpoint of openpifpaf"),
    ],
)
def test_what_is_no_checkpoint_is_not_converted(
    pifpaf: Any, tmp_path: Path, content: Any, message: str
) -> None:
    source = tmp_path / "other.pkl"
    torch.save(content, source)
    with pytest.raises(InputError, match=message):
        convert_checkpoint(source, tmp_path / "out.pt", trust=True)
    source.write_bytes(b"no pickle at all")
    with pytest.raises(InputError, match="no checkpoint of openpifpaf"):
        convert_checkpoint(source, tmp_path / "out.pt", trust=True)
    with pytest.raises(InputError, match="there is no file"):
        convert_checkpoint(tmp_path / "absent", tmp_path / "out.pt", trust=True)


def test_a_wrong_architecture_is_refused(pifpaf: Any, converted: Path) -> None:
    checkpoint, _ = load_checkpoint(converted)
    with pytest.raises(WeightsUnavailable, match="do not fit openpifpaf's network resnet18"):
        build_shell(replace(checkpoint, base_net="resnet18"))
    with pytest.raises(WeightsUnavailable, match=r"no network .resnet1800.; it has: .*resnet18"):
        build_shell(replace(checkpoint, base_net="resnet1800"))
    state = dict(checkpoint.state)
    del state["head_nets.1.conv.bias"]
    with pytest.raises(WeightsUnavailable, match=r"head_nets\.1\.conv\.bias"):
        build_shell(replace(checkpoint, state=state))


def test_files_of_another_kind_are_refused(converted: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    with pytest.raises(WeightsUnavailable, match="are not at"):
        load_checkpoint(path)
    for content in (b"", b"text", converted.read_bytes()[:-1000]):
        path.write_bytes(content)
        with pytest.raises(WeightsUnavailable, match=r"does not hold weights|cannot be read"):
            load_checkpoint(path)
    torch.save({"format": "another 7"}, path)
    with pytest.raises(WeightsUnavailable, match=f"'another 7', expected '{FORMAT}'"):
        load_checkpoint(path)
    checkpoint, _ = load_checkpoint(converted)
    with pytest.raises(ValueError, match="tensors only"):
        save_checkpoint(replace(checkpoint, state={"a": 1}), path)  # type: ignore[dict-item]


def test_flipped_bits_are_noticed(converted: Path, tmp_path: Path) -> None:
    """The file is a zip file, whose members carry checksums."""
    content = bytearray(converted.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path = tmp_path / "flipped.pt"
    path.write_bytes(content)
    assert load_checkpoint(path)[1] != load_checkpoint(converted)[1]
