"""VPN (Das et al., ECCV 2020, section 4.1).

    posemill train features.zarr --preset vpn-ntu60-xsub -o runs/vpn-ntu60-xsub
        published: 93.5
    posemill train features.zarr --preset vpn-ntu60-xview -o runs/vpn-ntu60-xview
        published: 96.2
    posemill train features.zarr --preset vpn-ntu120-xsub -o runs/vpn-ntu120-xsub
        published: 86.3
    posemill train features.zarr --preset vpn-ntu120-xset -o runs/vpn-ntu120-xset
        published: 87.8
    posemill train features.zarr --preset vpn-smarthome-cs -o runs/vpn-smarthome-cs
        published: mean class 60.8
    posemill train features.zarr --preset vpn-smarthome-cv1 -o runs/vpn-smarthome-cv1
        published: mean class 43.8
    posemill train features.zarr --preset vpn-smarthome-cv2 -o runs/vpn-smarthome-cv2
        published: mean class 53.5
    posemill train features.zarr --preset vpn-n-ucla -o runs/vpn-n-ucla
        published: 93.5

The features are those of `--recipe vpn-crops --set draw=cache` with the preset's settings;
poses are three-dimensional, so the data set's own are imported. The backbone begins with
weights of Kinetics (`--init`), or for N-UCLA of a run on NTU-60. Tests take ten windows of the
features of `--set draw=test`, whose greatest probability counts.
"""

from __future__ import annotations

from dataclasses import replace

from posemill.models.vpn import VpnModel
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.presets.base import Preset
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import OptimizerSettings, ScheduleSettings

_OPEN = (
    "the momentum is not told, .9 here, nor whether clips are mirrored, not here; three windows of "
    "a clip are kept, where the code draws any"
)


def _config(split: str, skeleton: str, num_poses: int) -> TrainConfig:
    return TrainConfig(
        model=VpnModel(skeleton=skeleton),
        recipe="vpn-crops",
        recipe_settings=("draw=cache", "space=3d", f"length={num_poses}"),
        split=split,
        epochs=30,
        batch_size=16,
        augmentation=Augmentation(flip=0.0),
        optimizer=OptimizerSettings(algorithm="sgd", learning_rate=0.01, momentum=0.9),
        schedule=ScheduleSettings(shape="steps", milestones="10,20"),
    )


_NTU60 = _config("xsub", "ntu-25", 20)
_SMARTHOME = _config("cs", "smarthome-13", 30)

PRESETS = (
    Preset("vpn-ntu60-xsub", "ntu60", "93.5", _NTU60, _OPEN),
    Preset("vpn-ntu60-xview", "ntu60", "96.2", replace(_NTU60, split="xview"), _OPEN),
    Preset("vpn-ntu120-xsub", "ntu120", "86.3", _NTU60, _OPEN),
    Preset("vpn-ntu120-xset", "ntu120", "87.8", replace(_NTU60, split="xset"), _OPEN),
    Preset("vpn-smarthome-cs", "smarthome", "mean class 60.8", _SMARTHOME, _OPEN),
    Preset(
        "vpn-smarthome-cv1", "smarthome", "mean class 43.8", replace(_SMARTHOME, split="cv1"),
        _OPEN,
    ),
    Preset(
        "vpn-smarthome-cv2", "smarthome", "mean class 53.5", replace(_SMARTHOME, split="cv2"),
        _OPEN,
    ),
    Preset("vpn-n-ucla", "n-ucla", "93.5", _config("xview3", "nucla-20", 5), _OPEN),
)  # fmt: skip
