"""The estimator `blazepose`: works at once, on the CPU, with weights from the package registry.

detector.py   where people may be       tiles.py     windows of a frame
landmarks.py  one person's joints       regions.py   squares around people
people.py     who is who                follower.py  frame after frame
rules.py      every constant            network.py   the runtime, wrapped
"""

from posemill.models.estimators.blazepose.estimator import BlazePose, create
from posemill.models.estimators.blazepose.rules import BlazePoseRules

__all__ = ["BlazePose", "BlazePoseRules", "create"]
