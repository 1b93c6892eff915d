"""What a store holds, as pictures: skeletons on frames, and what every recipe makes of them."""

from posemill.pipelines.preview.features import preview_features
from posemill.pipelines.preview.poses import preview_poses

__all__ = ["preview_features", "preview_poses"]
