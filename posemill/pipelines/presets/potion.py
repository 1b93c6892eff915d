"""PoTion (Choutas et al., CVPR 2018, section 4) as presets.

    posemill train poses.zarr --preset potion-jhmdb -o runs/potion-jhmdb
        published: 57.0 mean over 3 splits (59.44 on split 1 as run again by JMRN)
    posemill train poses.zarr --preset potion-hmdb51 -o runs/potion-hmdb51
        published: 43.7 mean over 3 splits (42.04 on split 1 as run again by JMRN)
    posemill train poses.zarr --preset potion-ucf101 -o runs/potion-ucf101
        published: 65.2 mean over 3 splits

Adam at 1e-4, batches of 32, Xavier, dropout .25, flips; from scratch. Numbers of
epochs are not in the sources at hand: those here are ours, as is the constant rate.
"""

from __future__ import annotations

from posemill.models.potion_cnn import PotionModel
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.presets.base import Preset
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import OptimizerSettings, ScheduleSettings

_OPEN = "epochs and the constant rate are ours; joints instead of an estimator's heatmaps"


def _preset(dataset: str, published: str, epochs: int) -> Preset:
    config = TrainConfig(
        model=PotionModel(),
        recipe="potion",
        split="split1",
        epochs=epochs,
        batch_size=32,
        augmentation=Augmentation(flip=0.5, beta_px=0, gamma_px=0),
        optimizer=OptimizerSettings(algorithm="adam", learning_rate=1e-4),
        schedule=ScheduleSettings(shape="constant"),
    )
    return Preset(f"potion-{dataset}", dataset, published, config, _OPEN)


PRESETS = (
    _preset("jhmdb", "57.0, mean class accuracy over 3 splits", 200),
    _preset("hmdb51", "43.7, mean class accuracy over 3 splits", 100),
    _preset("ucf101", "65.2, accuracy over 3 splits", 50),
)
