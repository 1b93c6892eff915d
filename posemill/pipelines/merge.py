"""Two finished runs, one on pictures and one on poses, to weights that RGBPose-Conv3D begins with.

posemill merge runs/rgb runs/pose -o merged.pt
posemill train features.zarr --model rgbpose --init merged.pt -o runs/rgbpose
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from posemill.errors import InputError
from posemill.models.base import Model
from posemill.models.checkpoints import MODEL, WEIGHTS, dump_checkpoint
from posemill.models.poseconv3d import PoseConv3dModel
from posemill.models.rgb import RgbModel
from posemill.models.rgbpose import MergeReport, RgbPoseModel, RgbPoseNetwork, merge_pretrained
from posemill.models.rgbpose.lateral import Direction
from posemill.models.rgbpose.merge import POSE_BACKBONE, RGB_BACKBONE
from posemill.models.rgbpose.model import PIXELS
from posemill.pipelines.data import JOINED
from posemill.pipelines.evaluate import Weights, load_network
from posemill.pipelines.runs import CONFIG, open_run
from posemill.pipelines.training.config import config_from_identity
from posemill.settings import as_text, option
from posemill.storage.durable import disk_faults, replace_file

_POSE_BACKBONES = ("slowonly", "slowonly-wd")
_POSE_RECIPE = "volume"
_STEM = "0.weight"
_ANY_PX = 8
"""Of a volume's side: no weight depends on it."""


@dataclass(frozen=True, slots=True)
class MergeResult:
    """A file of weights, and what it is made of."""

    path: Path
    model: RgbPoseModel
    num_classes: int
    report: MergeReport

    @property
    def train_settings(self) -> list[str]:
        """`key=value` that `train --set` needs, so that the weights fit."""
        return [
            f"{option(self.model, each.name)}={as_text(getattr(self.model, each.name))}"
            for each in fields(self.model)
            if getattr(self.model, each.name) != each.default
        ]

    def as_dict(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "model": self.model.configuration(),
            "train_settings": self.train_settings,
            "classes": self.num_classes,
            "tensors_taken": self.report.num_taken,
            "tensors_padded": list(self.report.padded),
            "tensors_new": list(self.report.new),
        }


@dataclass(frozen=True, slots=True)
class _Trained:
    """What a merge needs of a run."""

    root: Path
    model: Model
    classes: list[str]
    recipes: list[str]
    shapes: Mapping[str, list[int]]
    weights: Mapping[str, Tensor]


def merge_runs(
    rgb_run: Path,
    pose_run: Path,
    out: Path,
    *,
    lateral: Direction = "both",
    weights: Weights = "last",
    seed: int = 0,
) -> MergeResult:
    """Write a checkpoint of RGBPose-Conv3D that answers as both runs do.

    Args:
        rgb_run: of the model rgb with the backbone slowonly-r50.
        pose_run: of the model poseconv3d with the backbone slowonly or slowonly-wd, on
            volumes of joints.
        out: the file; what is there is replaced.
        lateral: which pathway tells the other.
        weights: of both runs' last epochs, or best.
        seed: of the lateral connections' weights, which neither run has.

    Raises:
        InputError: runs of other models, unfinished ones, or of other classes than each other;
            or `out` is no place for a file of weights.
        StoreCorrupted: a damaged checkpoint.
        EnvironmentFault: the disk refuses.
    """
    _require_choice("lateral", lateral, get_args(Direction))
    _require_choice("weights", weights, get_args(Weights))
    _require_place(out)
    rgb, pose = _read(rgb_run, weights), _read(pose_run, weights)
    _require_mergeable(rgb, pose)
    model = _merged_model(rgb, pose, lateral)
    torch.manual_seed(seed)
    network = _network(model, pose)
    report = merge_pretrained(network, rgb.weights, pose.weights)
    state = {MODEL: model.configuration(), WEIGHTS: network.state_dict()}
    with disk_faults(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(out, dump_checkpoint(state))
    return MergeResult(out, model, len(rgb.classes), report)


def _require_choice(name: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise InputError(f"{name} must be {' or '.join(known)}, got {given!r}")


def _require_place(out: Path) -> None:
    if out.is_dir() or (out.parent / CONFIG).exists():
        what = "is a folder" if out.is_dir() else "is in the folder of a run, whose files are its"
        raise InputError(f"{out} {what}; choose another file, as merged.pt, for the weights")


def _read(root: Path, weights: Weights) -> _Trained:
    run = open_run(root)
    config = config_from_identity(run.identity["config"])
    features = run.identity["features"]["configuration"]
    return _Trained(
        root,
        config.model,
        run.identity["classes"],
        [part["recipe"]["name"] for part in features.get(JOINED, [features])],
        run.identity["shapes"],
        load_network(run, weights, config).state_dict(),
    )


def _require_mergeable(rgb: _Trained, pose: _Trained) -> None:
    """Raises:
    InputError: a run of another model or backbone, poses that are no joints, or other classes.
    """
    if not isinstance(rgb.model, RgbModel) or rgb.model.backbone != "slowonly-r50":
        raise InputError(
            f"{rgb.root} is a run of {_named(rgb.model)}; the first run of a merge is of the model "
            "rgb with backbone=slowonly-r50"
        )
    if not isinstance(pose.model, PoseConv3dModel) or pose.model.backbone not in _POSE_BACKBONES:
        raise InputError(
            f"{pose.root} is a run of {_named(pose.model)}; the second run of a merge is of the "
            f"model poseconv3d with backbone={' or '.join(_POSE_BACKBONES)}"
        )
    if pose.recipes != [_POSE_RECIPE]:
        raise InputError(
            f"{pose.root} was trained on {' and '.join(pose.recipes)}, and rgbpose reads joints: "
            f"train poseconv3d on the recipe {_POSE_RECIPE}"
        )
    if rgb.classes != pose.classes:
        odd = sorted(set(rgb.classes) ^ set(pose.classes))
        raise InputError(
            f"{rgb.root} knows {len(rgb.classes)} classes, and {pose.root} {len(pose.classes)}; "
            + (f"they differ, as {odd[0]}" if odd else "they are in another order")
            + "; train both on equal classes"
        )


def _merged_model(rgb: _Trained, pose: _Trained, lateral: Direction) -> RgbPoseModel:
    """As wide and deep as what was trained."""
    assert isinstance(pose.model, PoseConv3dModel)  # noqa: S101  (required before)
    return RgbPoseModel(
        lateral=lateral,
        rgb_base=len(rgb.weights[f"{RGB_BACKBONE}{_STEM}"]),
        pose_base=len(pose.weights[f"{POSE_BACKBONE}{_STEM}"]),
        pose_blocks=pose.model.blocks,
    )


def _network(model: RgbPoseModel, pose: _Trained) -> RgbPoseNetwork:
    """Of the joints and classes of a run; its weights fit views of any size and length."""
    side = PIXELS * _ANY_PX
    shapes = {
        "frames": (2, side, side, 3),
        "volume": (pose.shapes["volume"][0], 2, _ANY_PX, _ANY_PX),
    }
    return model.network(shapes, len(pose.classes))


def _named(model: Model) -> str:
    backbone = getattr(model, "backbone", None)
    return f"the model {model.name}" + (f" with backbone={backbone}" if backbone else "")
