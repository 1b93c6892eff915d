"""RGBPose-Conv3D (Duan et al., CVPR 2022, sections 3.3 and 4.3; schedules as its code has them).

    posemill train features.zarr --preset rgb-ntu60-xsub -o runs/rgb-ntu60-xsub
        published: pictures alone, one clip 94.1, ten 94.9
    posemill train features.zarr --preset rgb-finegym -o runs/rgb-finegym
        published: mean class, pictures alone, one clip 87.2, ten 88.5
    posemill train features.zarr --preset rgbpose-ntu60-xsub -o runs/rgbpose-ntu60-xsub
        published: 97.0
    posemill train features.zarr --preset rgbpose-ntu60-xview -o runs/rgbpose-ntu60-xview
        published: 99.6
    posemill train features.zarr --preset rgbpose-ntu120-xsub -o runs/rgbpose-ntu120-xsub
        published: 95.3
    posemill train features.zarr --preset rgbpose-ntu120-xset -o runs/rgbpose-ntu120-xset
        published: 96.4
    posemill train features.zarr --preset rgbpose-finegym -o runs/rgbpose-finegym
        published: mean class 95.6

The features are those of `--recipe rgbpose --set draw=cache` with the preset's lengths. Both
pathways are trained alone first: that of pictures by a preset rgb-*, that of poses by one of
poseconv3d-*; `posemill merge` joins the two runs, for `--init`. Tests take ten clips of the
features of `--set draw=test --set views=10`.
"""

from __future__ import annotations

from dataclasses import replace

from posemill.models.rgb import RgbModel
from posemill.models.rgbpose import RgbPoseModel
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.presets.base import Preset
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import (
    ClipSettings,
    OptimizerSettings,
    ScheduleSettings,
)

_OPEN = (
    "rates and schedule are the code's, whose processes take the batch together; of each of the "
    "pictures' segments three frames are kept, of the poses' five, where the code draws any"
)

_RGB = TrainConfig(
    model=RgbModel(backbone="slowonly-r50"),
    recipe="rgbpose",
    recipe_settings=("draw=cache", "length_rgb=8", "length=32"),
    split="xsub",
    epochs=18,
    batch_size=96,
    augmentation=Augmentation(flip=0.5),
    optimizer=OptimizerSettings(
        algorithm="sgd", learning_rate=0.15, momentum=0.9, weight_decay=1e-4, clip_norm=40.0
    ),
    schedule=ScheduleSettings(shape="cosine"),
    clips=ClipSettings(repeat=10),
)
_NTU60 = replace(
    _RGB,
    model=RgbPoseModel(),
    recipe_settings=("draw=cache", "length_rgb=16", "length=48"),
    epochs=20,
    batch_size=48,
    optimizer=replace(_RGB.optimizer, learning_rate=0.0075),
    schedule=ScheduleSettings(shape="steps", milestones="12,16"),
    clips=ClipSettings(),
)

PRESETS = (
    Preset("rgb-ntu60-xsub", "ntu60", "one clip 94.1, ten 94.9", _RGB, _OPEN),
    Preset(
        "rgb-finegym", "finegym", "mean class, one clip 87.2, ten 88.5",
        replace(_RGB, split="default"), f"{_OPEN}; those of NTU-60",
    ),
    Preset("rgbpose-ntu60-xsub", "ntu60", "97.0", _NTU60, _OPEN),
    Preset("rgbpose-ntu60-xview", "ntu60", "99.6", replace(_NTU60, split="xview"), _OPEN),
    Preset("rgbpose-ntu120-xsub", "ntu120", "95.3", _NTU60, _OPEN),
    Preset("rgbpose-ntu120-xset", "ntu120", "96.4", replace(_NTU60, split="xset"), _OPEN),
    Preset(
        "rgbpose-finegym", "finegym", "mean class 95.6", replace(_NTU60, split="default"),
        f"{_OPEN}; those of NTU-60",
    ),
)  # fmt: skip
