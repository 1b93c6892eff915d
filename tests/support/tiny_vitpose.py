"""Small networks with random weights, saved as the hub has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

POSE_SIZE_WH = (48, 64)


def transformers() -> Any:
    """transformers, importable beside any torch; skips the test where it is not installed."""
    pytest.importorskip("transformers", exc_type=ImportError)
    from posemill.models.estimators.vitpose.loading import import_transformers

    return import_transformers()


def save_pose(folder: Path, *, num_joints: int = 17, num_experts: int = 1, seed: int = 0) -> Path:
    """A ViTPose for crops of `POSE_SIZE_WH`."""
    import torch

    package = transformers()
    torch.manual_seed(seed)
    backbone = package.VitPoseBackboneConfig(
        image_size=POSE_SIZE_WH[::-1],
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        num_experts=num_experts,
        part_features=8,
        out_indices=[2],
    )
    config = package.VitPoseConfig(
        backbone_config=backbone, num_labels=num_joints, use_simple_decoder=False
    )
    return _save(package.VitPoseForPoseEstimation(config), folder)


def save_detector(folder: Path, *, classes: tuple[str, ...] = ("person", "dog")) -> Path:
    import torch

    package = transformers()
    torch.manual_seed(1)
    backbone = package.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = package.RTDetrConfig(
        backbone_config=backbone,
        encoder_in_channels=[16, 16, 16],
        encoder_hidden_dim=32,
        encoder_ffn_dim=32,
        encoder_attention_heads=2,
        d_model=32,
        decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=32,
        decoder_attention_heads=2,
        decoder_layers=2,
        num_queries=10,
        num_denoising=4,
        id2label=dict(enumerate(classes)),
        label2id={name: number for number, name in enumerate(classes)},
    )
    return _save(package.RTDetrForObjectDetection(config), folder)


def _save(net: Any, folder: Path) -> Path:
    net.eval().save_pretrained(folder)
    return folder
