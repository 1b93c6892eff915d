"""VPN: poses tell a network over videos where and when to look, in a space that both share.

Das, Sharma, Dai, Bremond, Thonnat: "VPN: Learning Video-Pose Embedding for
Activities of Daily Living", ECCV 2020, sections 3 and 4. Where the paper and its
published code differ, as in the graph and the embedding's loss, this is the paper's.
"""

from posemill.models.vpn.coupler import SPACE, SPACE_TIME, TIME
from posemill.models.vpn.model import VpnModel
from posemill.models.vpn.network import VpnNetwork
from posemill.models.vpn.pose_backbone import JOINTS

__all__ = ["JOINTS", "SPACE", "SPACE_TIME", "TIME", "VpnModel", "VpnNetwork"]
