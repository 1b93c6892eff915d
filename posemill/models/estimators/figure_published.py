"""The weights of `figure`, which are in this package."""

from __future__ import annotations

from posemill.models.estimators.weights.published import Packaged, PublishedFile, PublishedWeights

PUBLISHED = (
    PublishedWeights(
        estimator="figure",
        name="figure",
        licence="Apache-2.0",
        accuracy="fixture videos only: mean OKS .86",
        accuracy_source="docs/figure.md",
        source=Packaged("packaged"),
        files=(PublishedFile("figure.npz"),),
        entry="figure.npz",
        install="pip install 'posemill[torch]'",
        note="finds the people of the rendered fixture videos, and nobody else",
        default=True,
    ),
)
