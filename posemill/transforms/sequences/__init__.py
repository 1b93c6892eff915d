"""Poses as coordinates: PARNet's and VPN's inputs, bones, motion, graphs; and their mirror images.

All functions take dense arrays, as `people.padded_people` makes them: positions
(T, M, K, D) with D = 2 (pixels) or 3 (metres) and scores (T, M, K) of M people
in T frames. A joint is missing where its score is 0 (or NaN) or its position is
not finite; an absent person misses all joints. What is missing stays at 0 in
every result, whatever the argument held there. Arguments are never changed.
"""

from posemill.transforms.sequences.bones import bones, motion
from posemill.transforms.sequences.flips import (
    flip_graph_bones,
    flip_graph_joints,
    flip_parnet_candidates,
    flip_parnet_poses,
    flip_vpn_poses,
)
from posemill.transforms.sequences.graphs import (
    centre,
    graph_sequence,
    normalise_2d,
    normalise_3d,
    scale,
)
from posemill.transforms.sequences.parnet import PARNET_PEOPLE, parnet_poses
from posemill.transforms.sequences.vpn import vpn_poses, vpn_root

__all__ = [
    "PARNET_PEOPLE",
    "bones",
    "centre",
    "flip_graph_bones",
    "flip_graph_joints",
    "flip_parnet_candidates",
    "flip_parnet_poses",
    "flip_vpn_poses",
    "graph_sequence",
    "motion",
    "normalise_2d",
    "normalise_3d",
    "parnet_poses",
    "scale",
    "vpn_poses",
    "vpn_root",
]
