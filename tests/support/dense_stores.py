"""How the tests extract with dense maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from chain import extract_config

from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.extract import ExtractConfig

KEPT = EstimatorOptions(
    reproducible=True, keep=frozenset({"joints", "parts", "features"}), scales=(0.5, 1.0)
)


def keeping(catalog: Path, out: Path, options: EstimatorOptions = KEPT) -> ExtractConfig:
    return replace(extract_config(catalog, out, workers=1), options=options)
