"""ViTPose behind RT-DETR: finds people, then the joints in a crop of each (top-down)."""

from posemill.models.estimators.vitpose.estimator import create

__all__ = ["create"]
