"""Folders that do not hold what they should: one clear line each, and nothing is run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_vitpose import save_detector, save_pose

from posemill.errors import WeightsUnavailable
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.vitpose import create

SAFE = "model.safetensors"
CONFIG = "config.json"


def truncated(folder: Path) -> None:
    content = (folder / SAFE).read_bytes()
    (folder / SAFE).write_bytes(content[: len(content) // 2])


def overwritten(folder: Path) -> None:
    (folder / SAFE).write_bytes(b"not tensors at all" * 10)


def pickled(folder: Path) -> None:
    (folder / SAFE).rename(folder / "pytorch_model.bin")


def changed(folder: Path, **values: object) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | values))


def other_size(folder: Path) -> None:
    config = json.loads((folder / CONFIG).read_text())
    config["backbone_config"]["hidden_size"] = 64
    (folder / CONFIG).write_text(json.dumps(config))


def more_layers(folder: Path) -> None:
    config = json.loads((folder / CONFIG).read_text())
    config["backbone_config"]["num_hidden_layers"] = 3
    (folder / CONFIG).write_text(json.dumps(config))


def indexed_elsewhere(folder: Path) -> None:
    (folder / SAFE).unlink()
    index = {"metadata": {}, "weight_map": {"head.conv.weight": "../../secret.safetensors"}}
    (folder / f"{SAFE}.index.json").write_text(json.dumps(index))


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: (folder / CONFIG).unlink(), "No such file"),
    (lambda folder: (folder / CONFIG).write_text("{oops"), "is no JSON"),
    (lambda folder: (folder / CONFIG).write_text("[]"), "is no configuration"),
    (lambda folder: changed(folder, model_type="vit"), "of type 'vit', expected vitpose"),
    (lambda folder: changed(folder, backbone_config={"model_type": "nothing"}), "cannot be used"),
    (lambda folder: (folder / SAFE).unlink(), "has no model.safetensors"),
    (truncated, "cannot be used"),
    (overwritten, "cannot be used"),
    (pickled, "pickles, which can run code"),
    (other_size, "cannot be used"),
    (more_layers, "lack 16 of the arrays"),
    (indexed_elsewhere, "not beside it"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_pose_weights_that_cannot_be_used(
    weights: Path, tmp_path: Path, damage: Callable[[Path], object], message: str
):
    shutil.copytree(weights / "pose", tmp_path / "pose")
    damage(tmp_path / "pose")
    with pytest.raises(WeightsUnavailable, match=message) as caught:
        create(EstimatorOptions(weights=tmp_path, boxes_given=True))
    assert "\n" not in str(caught.value)


def test_another_number_of_joints_is_refused(tmp_path: Path):
    folder = save_pose(tmp_path / "pose", num_joints=14)
    with pytest.raises(WeightsUnavailable, match="for 14 joints, expected COCO's 17"):
        create(EstimatorOptions(weights=folder, boxes_given=True))


def test_a_detector_of_another_type_is_refused(weights: Path, tmp_path: Path):
    shutil.copytree(weights / "pose", tmp_path / "pose")
    shutil.copytree(weights / "pose", tmp_path / "detector")
    with pytest.raises(WeightsUnavailable, match="expected rt_detr or rt_detr_v2"):
        create(EstimatorOptions(weights=tmp_path))


def test_a_detector_without_people_is_refused(weights: Path, tmp_path: Path):
    shutil.copytree(weights / "pose", tmp_path / "pose")
    save_detector(tmp_path / "detector", classes=("cat", "dog"))
    with pytest.raises(WeightsUnavailable, match="names no class 'person'"):
        create(EstimatorOptions(weights=tmp_path))


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(WeightsUnavailable, match=r"config\.json: No such file"):
        create(EstimatorOptions(weights=tmp_path / "nothing"))


def test_code_beside_the_weights_is_not_run(weights: Path, tmp_path: Path):
    shutil.copytree(weights / "pose", tmp_path / "pose")
    changed(tmp_path / "pose", auto_map={"AutoModel": "evil.Net"}, architectures=["Net"])
    (tmp_path / "pose" / "evil.py").write_text(
        f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\nclass Net: pass\n"
    )
    create(EstimatorOptions(weights=tmp_path, boxes_given=True))
    assert not (tmp_path / "ran").exists()
