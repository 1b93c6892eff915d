"""PA3D (Yan et al., CVPR 2019, section 4) as presets.

    posemill train poses.zarr --preset pa3d-jhmdb -o runs/pa3d-jhmdb
        published: 69.5 over 3 splits, all streams; on split 1: J 60.1, P 61.9, F 41.0
    posemill train poses.zarr --preset pa3d-hmdb51 -o runs/pa3d-hmdb51
        published: 55.3 over 3 splits, all streams; on split 1: J 47.8, P 48.0, F 40.9
    posemill train poses.zarr --preset pa3d-charades -o runs/pa3d-charades
        published: 13.8 video mAP, all streams

A preset is the stream of joints. The others are the same with `--recipe tempposeconv-p`, `-f`,
`-jdiff`, `-pdiff` and `-fdiff`, and `posemill fuse` averages the scores of all. No flips:
an estimator's features and its own part fields cannot be flipped, and the streams are to agree.

The other fusion of table 5 is one network over several modalities, read in step:

    posemill train poses.zarr --preset pa3d-hmdb51 --set model.fusion=channels -o runs/pa3d-jp
        --recipe tempposeconv-j,tempposeconv-p
        published on split 1, JHMDB and HMDB51: J and P 58.7 and 47.5, J and Jdiff 56.2 and 45.8
"""

from __future__ import annotations

from dataclasses import replace

from posemill.models.pa3d import Pa3dModel
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.presets.base import Preset
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import (
    ClipSettings,
    LossSettings,
    OptimizerSettings,
    ScheduleSettings,
)

_OPEN = (
    "momentum .9, the schedule (plateau of held-out training videos) and the number M = N of "
    "dilated maps are ours; joints instead of an estimator's heatmaps"
)

_JHMDB = TrainConfig(
    model=Pa3dModel(outputs=8),
    recipe="tempposeconv-j",
    recipe_settings=("length=4", "draw=train"),
    test_settings=("draw=test",),
    split="split1",
    epochs=150,
    batch_size=32,
    augmentation=Augmentation(flip=0.0, beta_px=0, gamma_px=0),
    optimizer=OptimizerSettings(algorithm="sgd", learning_rate=0.01, momentum=0.9),
    schedule=ScheduleSettings(shape="plateau", gamma=0.1, patience=10),
    clips=ClipSettings(hold_out=0.1),
)
_HMDB51 = replace(
    _JHMDB,
    model=Pa3dModel(outputs=6),
    recipe_settings=("length=8", "draw=train"),
    epochs=400,
    batch_size=64,
)
_CHARADES = replace(
    _HMDB51,
    split="default",
    epochs=60,
    batch_size=256,
    optimizer=OptimizerSettings(algorithm="adam", learning_rate=0.01),
    loss=LossSettings(of_classes="binary"),
)

PRESETS = (
    Preset("pa3d-jhmdb", "jhmdb", "69.5 of all streams over 3 splits", _JHMDB, _OPEN),
    Preset("pa3d-hmdb51", "hmdb51", "55.3 of all streams over 3 splits", _HMDB51, _OPEN),
    Preset(
        "pa3d-charades", "charades", "13.8, video mAP of all streams", _CHARADES,
        f"{_OPEN}; T and N are HMDB51's",
    ),
)  # fmt: skip
