"""The published weights of ViTPose and of RT-DETR, as data; the files are the hub's."""

from __future__ import annotations

from posemill.models.estimators.weights.published import (
    HubRepo,
    PublishedFile,
    PublishedWeights,
)

ESTIMATOR = "vitpose"
DETECTORS = "rt-detr"
DEFAULT = "vitpose-b"
DEFAULT_DETECTOR = "rtdetr-r50vd-coco-o365"

_FILES = (PublishedFile("config.json"), PublishedFile("model.safetensors"))
_INSTALL = "pip install 'posemill[vitpose]'"
_ONE_DATASET = "trained on COCO"
_MANY_DATASETS = (
    "trained on COCO, AI Challenger, MPII, AP-10K, APT-36K and COCO-WholeBody, "
    "with experts for each"
)


def _vitpose(
    name: str, repo: str, average_precision: float, note: str, num_bytes: int | None = None
) -> PublishedWeights:
    return PublishedWeights(
        estimator=ESTIMATOR,
        name=name,
        licence="Apache-2.0",
        accuracy=f"COCO val2017 AP {average_precision}, people found by a detector",
        accuracy_source="https://github.com/ViTAE-Transformer/ViTPose",
        source=HubRepo(f"usyd-community/{repo}"),
        files=_FILES,
        num_bytes=num_bytes,
        companions=((DETECTORS, DEFAULT_DETECTOR),),
        install=_INSTALL,
        note=note,
        default=name == DEFAULT,
    )


def _rt_detr(
    name: str, average_precision: float, millions: int, num_bytes: int | None = None
) -> PublishedWeights:
    return PublishedWeights(
        estimator=DETECTORS,
        name=name,
        licence="Apache-2.0",
        accuracy=f"COCO val2017 box AP {average_precision}",
        accuracy_source="https://github.com/lyuwenyu/RT-DETR",
        source=HubRepo(f"PekingU/{name.replace('-', '_')}"),
        files=_FILES,
        num_bytes=num_bytes,
        num_parameters=millions * 10**6,
        skeleton="",
        install=_INSTALL,
        note="finds the people for vitpose",
        default=name == DEFAULT_DETECTOR,
    )


POSE_WEIGHTS = (
    _vitpose(DEFAULT, "vitpose-base", 75.8, _ONE_DATASET, 360_000_000),
    _vitpose("vitpose-b-simple", "vitpose-base-simple", 75.5, _ONE_DATASET, 344_000_000),
    _vitpose(
        "vitpose-b-coco-aic-mpii",
        "vitpose-base-coco-aic-mpii",
        77.1,
        "trained on COCO, AI Challenger and MPII",
    ),
    _vitpose("vitpose-plus-s", "vitpose-plus-small", 75.8, _MANY_DATASETS),
    _vitpose("vitpose-plus-b", "vitpose-plus-base", 77.0, _MANY_DATASETS, 502_000_000),
    _vitpose("vitpose-plus-l", "vitpose-plus-large", 78.6, _MANY_DATASETS),
    _vitpose("vitpose-plus-h", "vitpose-plus-huge", 79.4, _MANY_DATASETS),
)
"""Those of ViTPose that the hub has for transformers: of S, L and H only the plus ones."""

DETECTOR_WEIGHTS = (
    _rt_detr(DEFAULT_DETECTOR, 55.2, 42, 172_000_000),
    _rt_detr("rtdetr-r18vd-coco-o365", 49.0, 20, 80_900_000),
    _rt_detr("rtdetr-r101vd-coco-o365", 56.2, 76),
    _rt_detr("rtdetr-r18vd", 46.4, 20, 80_900_000),
    _rt_detr("rtdetr-r34vd", 48.9, 31, 126_000_000),
    _rt_detr("rtdetr-r50vd", 53.1, 42, 172_000_000),
    _rt_detr("rtdetr-r101vd", 54.3, 76),
)
