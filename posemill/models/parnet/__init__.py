"""PARNet: people's poses through time, what the frames show, and where the pose says to look.

Cui, Wang, Zhang, Sun, Wang: "Pose-Appearance Relational Modeling for Video Action
Recognition", IEEE Transactions on Image Processing 32, 2023; equations by its numbers.
"""

from posemill.models.parnet.model import ParnetModel
from posemill.models.parnet.network import BRANCH_LOGITS, ParnetNetwork

__all__ = ["BRANCH_LOGITS", "ParnetModel", "ParnetNetwork"]
