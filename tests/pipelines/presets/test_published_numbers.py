"""The numbers of every preset beside those of its paper, written by hand and read from nowhere.

Where a paper is silent, the number is ours, as the preset's `open_points` say.
"""

from typing import Any

import pytest

from posemill.pipelines.presets import PRESETS
from posemill.pipelines.training.config import TrainConfig

# Where a table has no column for it.
PLAIN: dict[str, Any] = {
    "accumulate": 1, "momentum": None, "nesterov": False, "decay": 0.0, "clip": 0.0,
    "warmup": 0, "lambda": 0.0, "flip": 0.5, "beta": 0, "gamma": 0, "crop": (0, 0),
    "drop_joint": 0.0, "hold_out": 0.0, "repeat": 1, "balance": "none", "precision": "fp32",
    "freeze": False, "init": "", "loss": "cross-entropy", "tau": None, "contrast_from": None,
    "patience": None, "drop": None, "milestones": "",
}  # fmt: skip

# Choutas et al., section 4: Adam, batches of 32, flips; dropout .25, three blocks of two layers.
POTION = {
    "model": {"name": "potion", "width": 128, "depth": 2, "dropout": 0.25},
    "recipe": "potion", "batch": 32, "algorithm": "adam", "rate": 1e-4, "schedule": "constant",
}  # fmt: skip
# Shah et al., section 4.1: Adam, the rate divided by 10 on a plateau.
JMRN = {
    "recipe": "jmrn", "algorithm": "adam", "rate": 1e-4, "schedule": "plateau", "drop": 0.1,
    "patience": 10, "hold_out": 0.1,
}  # fmt: skip
# Yan et al., section 4: SGD at .01, no flips.
PA3D = {
    "recipe": "tempposeconv-j", "algorithm": "sgd", "rate": 0.01, "momentum": 0.9, "flip": 0.0,
    "schedule": "plateau", "drop": 0.1, "patience": 10, "hold_out": 0.1,
}  # fmt: skip
# Duan et al., section 4, and the schedules of its code.
POSECONV3D = {
    "model": {"name": "poseconv3d", "backbone": "slowonly", "base": 0, "dropout": 0.5},
    "recipe": "volume", "epochs": 24, "batch": 256, "algorithm": "sgd", "rate": 0.4,
    "momentum": 0.9, "decay": 3e-4, "clip": 40.0, "schedule": "cosine", "repeat": 10,
    "drawn": {"length=48", "size_hw=56,56", "sigma=0.6", "draw=train"},
    "tested": {"draw=test", "views=10", "size_hw=64,64"},
}  # fmt: skip
FINETUNED = {
    **POSECONV3D, "epochs": 12, "batch": 128, "rate": 0.01, "decay": 1e-4, "schedule": "steps",
    "drop": 0.1, "milestones": "9,11",
    "drawn": {"length=48", "size_hw=48,48", "sigma=0.6", "draw=train"},
    "tested": {"draw=test", "views=10", "size_hw=56,56"},
}  # fmt: skip
# Duan et al., table 12, and the schedules of its code.
RGB = {
    "model": {"name": "rgb", "backbone": "slowonly-r50", "width": 1.0, "dropout": 0.5},
    "recipe": "rgbpose", "epochs": 18, "batch": 96, "algorithm": "sgd", "rate": 0.15,
    "momentum": 0.9, "decay": 1e-4, "clip": 40.0, "schedule": "cosine", "repeat": 10,
    "drawn": {"draw=cache", "length_rgb=8", "length=32"},
}  # fmt: skip
RGBPOSE = {
    **RGB, "model": {"name": "rgbpose", "lateral": "both", "rgb_base": 64, "pose_base": 32},
    "epochs": 20, "batch": 48, "rate": 0.0075, "schedule": "steps", "drop": 0.1,
    "milestones": "12,16", "repeat": 1, "drawn": {"draw=cache", "length_rgb=16", "length=48"},
}  # fmt: skip
# Das et al., section 4.1: four clips on each of four GPUs, the rate divided by 10 every 10 epochs.
VPN = {
    "model": {
        "name": "vpn", "backbone": "i3d", "attention": "coupled", "pose_backbone": "gcn",
        "embedding": "euclidean", "alpha": 5.0, "beta": 2.0, "dropout": 0.3,
        "classes_weight": 0.8, "attention_weight": 1e-5, "skeleton": "ntu-25",
    },
    "recipe": "vpn-crops", "epochs": 30, "batch": 16, "algorithm": "sgd", "rate": 0.01,
    "momentum": 0.9, "schedule": "steps", "drop": 0.1, "milestones": "10,20", "flip": 0.0,
    "drawn": {"draw=cache", "space=3d", "length=20"},
}  # fmt: skip
SMARTHOME = {
    **VPN, "model": {"name": "vpn", "skeleton": "smarthome-13"},
    "drawn": {"draw=cache", "space=3d", "length=30"},
}  # fmt: skip
# Cui et al., section IV; flips with probability .3.
PARNET = {
    "model": {
        "name": "parnet", "modules": "full", "window": 5, "persons": "attention", "hidden": 512
    },
    "recipe": "parnet-frames", "epochs": 100, "batch": 32, "algorithm": "sgd", "rate": 1e-3,
    "momentum": 0.9, "decay": 4e-5, "schedule": "constant", "warmup": 200, "flip": 0.3,
    "drawn": {"draw=cache"},
}  # fmt: skip
WIDE = {"canvas_hw=64,114"}
PUBLISHED: dict[str, dict[str, Any]] = {
    "potion-jhmdb": {**POTION, "epochs": 200},
    "potion-hmdb51": {**POTION, "epochs": 100},
    "potion-ucf101": {**POTION, "epochs": 50},
    "jmrn-jhmdb": {
        **JMRN, "model": {"name": "jmrn", "cdim": 128, "dropout": 0.0, "selector": "sigmoid"},
        "epochs": 100, "batch": 16, "lambda": 0.05, "tau": 0.3,
        "contrast_from": 51,  # after 50 epochs
        "beta": 6, "gamma": 3,
    },
    "jmrn-hmdb51": {
        **JMRN, "model": {"name": "jmrn", "cdim": 64, "dropout": 0.0, "selector": "sigmoid"},
        "epochs": 200, "batch": 128, "lambda": 0.5, "tau": 0.1, "contrast_from": 1,
        "beta": 4, "gamma": 0, "crop": (64, 86), "drawn": WIDE,
    },
    "jmrn-charades": {
        **JMRN, "model": {"name": "jmrn", "cdim": 32, "dropout": 0.25, "selector": "sigmoid"},
        "epochs": 150, "batch": 128, "rate": 5e-4, "lambda": 0.5, "tau": 0.05, "contrast_from": 1,
        "beta": 8, "gamma": 4, "crop": (64, 64), "drawn": WIDE, "loss": "binary",
    },
    "jmrn-kinetics50": {
        **JMRN,
        "model": {
            "name": "jmrn", "cdim": 256, "dropout": 0.25, "selector": "gumbel", "contrast": False
        },
        "epochs": 100, "batch": 16, "algorithm": "sgd", "rate": 0.01, "momentum": 0.9,
        "lambda": 0.0, "beta": 3, "gamma": 0, "patience": 2,
    },
    "jmrn-ava": {
        **JMRN, "model": {"name": "jmrn", "cdim": 128, "dropout": 0.0, "selector": "sigmoid"},
        "epochs": 100, "batch": 64, "rate": 5e-4, "lambda": 0.5, "tau": 0.1, "contrast_from": 1,
        "beta": 3, "gamma": 0, "drawn": {"people=box"}, "loss": "binary",
    },
    "pa3d-jhmdb": {
        **PA3D, "model": {"name": "pa3d", "outputs": 8, "dilation": 2}, "epochs": 150, "batch": 32,
        "drawn": {"length=4", "draw=train"}, "tested": {"draw=test"},
    },
    "pa3d-hmdb51": {
        **PA3D, "model": {"name": "pa3d", "outputs": 6, "dilation": 2}, "epochs": 400, "batch": 64,
        "drawn": {"length=8", "draw=train"}, "tested": {"draw=test"},
    },
    "pa3d-charades": {
        **PA3D, "model": {"name": "pa3d", "outputs": 6, "dilation": 2}, "epochs": 60, "batch": 256,
        "algorithm": "adam", "momentum": None, "loss": "binary",
        "drawn": {"length=8", "draw=train"}, "tested": {"draw=test"},
    },
    "poseconv3d-ntu60-xsub": POSECONV3D,
    "poseconv3d-ntu60-xview": POSECONV3D,
    "poseconv3d-ntu120-xsub": POSECONV3D,
    "poseconv3d-ntu120-xset": POSECONV3D,
    "poseconv3d-kinetics400": {**POSECONV3D, "decay": 1e-4},
    "poseconv3d-finegym": POSECONV3D,
    "poseconv3d-volleyball": {
        **POSECONV3D,
        "model": {"name": "poseconv3d", "backbone": "slowonly", "base": 16, "dropout": 0.5},
        "drawn": {"length=12", "size_hw=64,64", "sigma=0.6", "draw=train"},
    },
    "poseconv3d-hmdb51": FINETUNED,
    "poseconv3d-ucf101": FINETUNED,
    "rgb-ntu60-xsub": RGB,
    "rgb-finegym": RGB,
    "rgbpose-ntu60-xsub": RGBPOSE,
    "rgbpose-ntu60-xview": RGBPOSE,
    "rgbpose-ntu120-xsub": RGBPOSE,
    "rgbpose-ntu120-xset": RGBPOSE,
    "rgbpose-finegym": RGBPOSE,
    "vpn-ntu60-xsub": VPN,
    "vpn-ntu60-xview": VPN,
    "vpn-ntu120-xsub": VPN,
    "vpn-ntu120-xset": VPN,
    "vpn-smarthome-cs": SMARTHOME,
    "vpn-smarthome-cv1": SMARTHOME,
    "vpn-smarthome-cv2": SMARTHOME,
    "vpn-n-ucla": {
        **VPN, "model": {"name": "vpn", "skeleton": "nucla-20"},
        "drawn": {"draw=cache", "space=3d", "length=5"},
    },
    "parnet-kth": PARNET,
    "parnet-penn-action": PARNET,
    "parnet-ucf11": PARNET,
    "parnet-ucf101": PARNET,
    "parnet-hmdb51": PARNET,
    "parnet-jhmdb": PARNET,
    "parnet-ntu60-xsub": PARNET,
    "parnet-ntu60-xview": PARNET,
}  # fmt: skip


def numbers_of(config: TrainConfig) -> dict[str, Any]:
    """What decides a training; None for what its algorithm, schedule or loss does not look at."""
    optimizer, schedule, loss = config.optimizer, config.schedule, config.loss
    augmentation, clips = config.augmentation, config.clips
    stored = config.model.configuration()
    contrasted, drops = loss.contrast > 0, schedule.shape in ("plateau", "steps")
    return {
        "model": {"name": stored["name"], **stored["settings"]},
        "recipe": config.recipe,
        "drawn": set(config.recipe_settings),
        "tested": set(config.test_settings),
        "epochs": config.epochs,
        "batch": config.batch_size,
        "accumulate": config.accumulate,
        "precision": config.precision,
        "freeze": config.freeze,
        "init": config.init,
        "algorithm": optimizer.algorithm,
        "rate": optimizer.learning_rate,
        "momentum": optimizer.momentum if optimizer.algorithm == "sgd" else None,
        "nesterov": optimizer.nesterov,
        "decay": optimizer.weight_decay,
        "clip": optimizer.clip_norm,
        "schedule": schedule.shape,
        "warmup": schedule.warmup_steps,
        "milestones": schedule.milestones,
        "drop": schedule.gamma if drops else None,
        "patience": schedule.patience if schedule.shape == "plateau" else None,
        "loss": loss.of_classes,
        "lambda": loss.contrast,
        "tau": loss.temperature if contrasted else None,
        "contrast_from": loss.contrast_from if contrasted else None,
        "flip": augmentation.flip,
        "beta": augmentation.beta_px,
        "gamma": augmentation.gamma_px,
        "crop": augmentation.crop_hw,
        "drop_joint": augmentation.drop_joint,
        "hold_out": clips.hold_out,
        "repeat": clips.repeat,
        "balance": clips.balance,
    }


def test_every_preset_is_in_the_table() -> None:
    assert PUBLISHED.keys() == PRESETS.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_its_numbers_are_those_of_its_paper(name: str) -> None:
    expected = {**PLAIN, "drawn": set(), "tested": set(), **PUBLISHED[name]}
    found = numbers_of(PRESETS[name].config)
    model, settings = expected.pop("model"), found.pop("model")
    assert {key: settings[key] for key in model} == model
    assert found == expected
