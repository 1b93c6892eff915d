"""JMRN: a motion extractor that all joints share, and reasoning over what it finds in each.

Shah, Mishra, Bansal, Chen, Chellappa, Shrivastava: "Pose and Joint-Aware Action
Recognition", WACV 2022, section 3.1; layers in tables 9 to 11 of its supplement.
"""

from posemill.models.jmrn.model import JmrnModel
from posemill.models.jmrn.network import JmrnNetwork
from posemill.models.jmrn.selector import JOINT_WEIGHTS

__all__ = ["JOINT_WEIGHTS", "JmrnModel", "JmrnNetwork"]
