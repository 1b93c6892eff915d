"""PARNet (Cui et al., section IV).

    posemill train features.zarr --preset parnet-kth -o runs/parnet-kth
        published: 97.2
    posemill train features.zarr --preset parnet-penn-action -o runs/parnet-penn-action
        published: 99.2
    posemill train features.zarr --preset parnet-ucf11 -o runs/parnet-ucf11
        published: over 3 splits 97.0
    posemill train features.zarr --preset parnet-ucf101 -o runs/parnet-ucf101
        published: over 3 splits 91.1
    posemill train features.zarr --preset parnet-hmdb51 -o runs/parnet-hmdb51
        published: over 3 splits 64.6
    posemill train features.zarr --preset parnet-jhmdb -o runs/parnet-jhmdb
        published: over 3 splits 71.6
    posemill train features.zarr --preset parnet-ntu60-xsub -o runs/parnet-ntu60-xsub
        published: 79.9
    posemill train features.zarr --preset parnet-ntu60-xview -o runs/parnet-ntu60-xview
        published: 85.0

The features are those of `--recipe parnet-frames --set draw=cache`; BN-Inception begins with
weights of ImageNet (`--init`). Tests take the middle frame of each segment, in the centre crop:
the features of `--set draw=test`.
"""

from __future__ import annotations

from dataclasses import replace

from posemill.models.parnet import ParnetModel
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.presets.base import Preset
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import OptimizerSettings, ScheduleSettings

_OPEN = (
    "batch, epochs and what follows the warm-up are not told: 32 clips, 100 epochs and a constant "
    "rate here; three frames of each segment are kept, where any is drawn"
)

_KTH = TrainConfig(
    model=ParnetModel(),
    recipe="parnet-frames",
    recipe_settings=("draw=cache",),
    split="default",
    epochs=100,
    batch_size=32,
    augmentation=Augmentation(flip=0.3),
    optimizer=OptimizerSettings(
        algorithm="sgd", learning_rate=1e-3, momentum=0.9, weight_decay=4e-5
    ),
    schedule=ScheduleSettings(shape="constant", warmup_steps=200),
)
_SPLIT1 = replace(_KTH, split="split1")

PRESETS = (
    Preset("parnet-kth", "kth", "97.2", _KTH, _OPEN),
    Preset("parnet-penn-action", "penn-action", "99.2", _KTH, _OPEN),
    Preset(
        "parnet-ucf11", "ucf11", "over 3 splits 97.0", replace(_KTH, split="group01"),
        f"{_OPEN}; which three splits is not told, and one of the 25 groups is left out here",
    ),
    Preset("parnet-ucf101", "ucf101", "over 3 splits 91.1", _SPLIT1, _OPEN),
    Preset("parnet-hmdb51", "hmdb51", "over 3 splits 64.6", _SPLIT1, _OPEN),
    Preset("parnet-jhmdb", "jhmdb", "over 3 splits 71.6", _SPLIT1, _OPEN),
    Preset("parnet-ntu60-xsub", "ntu60", "79.9", replace(_KTH, split="xsub"), _OPEN),
    Preset("parnet-ntu60-xview", "ntu60", "85.0", replace(_KTH, split="xview"), _OPEN),
)  # fmt: skip
