"""Answers of several models for the same clips, fused into one: late, or by learnt weights."""

from posemill.pipelines.fuse.folders import FuseConfig, FusionResult, fuse
from posemill.pipelines.fuse.learnt import LearntFusion

__all__ = ["FuseConfig", "FusionResult", "LearntFusion", "fuse"]
