"""PoseConv3D (Duan et al., CVPR 2022, section 4 and appendix; schedules as its code has them).

    posemill train poses.zarr --preset poseconv3d-ntu60-xsub -o runs/poseconv3d-ntu60-xsub
        published: joints 93.7, with limbs 94.1
    posemill train poses.zarr --preset poseconv3d-ntu60-xview -o runs/poseconv3d-ntu60-xview
        published: joints 96.6, with limbs 97.1
    posemill train poses.zarr --preset poseconv3d-ntu120-xsub -o runs/poseconv3d-ntu120-xsub
        published: joints 86.0, with limbs 86.9
    posemill train poses.zarr --preset poseconv3d-ntu120-xset -o runs/poseconv3d-ntu120-xset
        published: joints 89.6, with limbs 90.3
    posemill train poses.zarr --preset poseconv3d-kinetics400 -o runs/poseconv3d-kinetics400
        published: joints 46.0, with limbs 47.7
    posemill train poses.zarr --preset poseconv3d-finegym -o runs/poseconv3d-finegym
        published: mean class joints 93.2, with limbs 94.3
    posemill train poses.zarr --preset poseconv3d-volleyball -o runs/poseconv3d-volleyball
        published: 91.3
    posemill train poses.zarr --preset poseconv3d-hmdb51 --init runs/poseconv3d-kinetics400 -o ...
        published: 69.3; as a linear probe, --freeze, 64.9; from scratch, without --init, 58.6
    posemill train poses.zarr --preset poseconv3d-ucf101 --init runs/poseconv3d-kinetics400 -o ...
        published: 87.0; as a linear probe, --freeze, 83.1; from scratch, without --init, 79.1

A preset is the stream of joints. That of limbs is the same with `--recipe limb-volume`; `posemill
fuse` averages both. Tests take ten clips of each video and their mirror images:
`posemill evaluate --flip`.
"""

from __future__ import annotations

from dataclasses import replace

from posemill.models.poseconv3d import PoseConv3dModel
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.presets.base import Preset
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import (
    ClipSettings,
    OptimizerSettings,
    ScheduleSettings,
)

_OPEN = "rates and schedule are the code's, whose processes take 256 clips a step together"
_OPEN_FINETUNE = (
    "the code's finetuning, of 128 clips a step and smaller maps; its blocks are 3,4,6 there; how "
    "the linear probe and the training from scratch went is not told"
)

_TRAIN = ("draw=train", "length=48", "size_hw=56,56", "sigma=0.6")
_TEST = ("draw=test", "views=10", "size_hw=64,64")
_NTU60 = TrainConfig(
    model=PoseConv3dModel(backbone="slowonly"),
    recipe="volume",
    recipe_settings=_TRAIN,
    test_settings=_TEST,
    split="xsub",
    epochs=24,
    batch_size=256,
    augmentation=Augmentation(flip=0.5, beta_px=0, gamma_px=0),
    optimizer=OptimizerSettings(
        algorithm="sgd",
        learning_rate=0.4,
        momentum=0.9,
        weight_decay=3e-4,
        clip_norm=40.0,
    ),
    schedule=ScheduleSettings(shape="cosine"),
    clips=ClipSettings(repeat=10),
)
_KINETICS = replace(
    _NTU60,
    split="default",
    optimizer=replace(_NTU60.optimizer, weight_decay=1e-4),
)
_FINETUNE = replace(
    _NTU60,
    recipe_settings=("draw=train", "length=48", "size_hw=48,48", "sigma=0.6"),
    test_settings=("draw=test", "views=10", "size_hw=56,56"),
    split="split1",
    epochs=12,
    batch_size=128,
    optimizer=replace(_NTU60.optimizer, learning_rate=0.01, weight_decay=1e-4),
    schedule=ScheduleSettings(shape="steps", milestones="9,11"),
)
_VOLLEYBALL = replace(
    _NTU60,
    model=PoseConv3dModel(backbone="slowonly", base=16),
    recipe_settings=("draw=train", "length=12", "size_hw=64,64", "sigma=0.6"),
    split="default",
)

PRESETS = (
    Preset("poseconv3d-ntu60-xsub", "ntu60", "93.7; with limbs 94.1", _NTU60, _OPEN),
    Preset(
        "poseconv3d-ntu60-xview", "ntu60", "96.6; with limbs 97.1",
        replace(_NTU60, split="xview"), _OPEN,
    ),
    Preset("poseconv3d-ntu120-xsub", "ntu120", "86.0; with limbs 86.9", _NTU60, _OPEN),
    Preset(
        "poseconv3d-ntu120-xset", "ntu120", "89.6; with limbs 90.3",
        replace(_NTU60, split="xset"), _OPEN,
    ),
    Preset("poseconv3d-kinetics400", "kinetics", "46.0; with limbs 47.7", _KINETICS, _OPEN),
    Preset(
        "poseconv3d-finegym", "finegym", "mean class 93.2; with limbs 94.3",
        replace(_NTU60, split="default"), _OPEN,
    ),
    Preset(
        "poseconv3d-volleyball", "volleyball", "91.3", _VOLLEYBALL,
        f"{_OPEN}, as for NTU-60",
    ),
    Preset(
        "poseconv3d-hmdb51", "hmdb51", "69.3; linear probe 64.9; from scratch 58.6", _FINETUNE,
        _OPEN_FINETUNE,
    ),
    Preset(
        "poseconv3d-ucf101", "ucf101", "87.0; linear probe 83.1; from scratch 79.1", _FINETUNE,
        _OPEN_FINETUNE,
    ),
)  # fmt: skip
