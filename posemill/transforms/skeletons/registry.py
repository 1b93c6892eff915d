"""All skeletons by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from posemill.errors import InputError
from posemill.schema import Skeleton
from posemill.transforms.skeletons.blazepose import BLAZEPOSE_33
from posemill.transforms.skeletons.coco import COCO_17, COCO_17_NECK
from posemill.transforms.skeletons.jhmdb import JHMDB_15
from posemill.transforms.skeletons.ntu import NTU_25, NUCLA_20
from posemill.transforms.skeletons.openpose import BODY_25, COCO_18
from posemill.transforms.skeletons.parnet import PARNET_14
from posemill.transforms.skeletons.penn import PENN_13
from posemill.transforms.skeletons.smarthome import SMARTHOME_13

SKELETONS: Mapping[str, Skeleton] = MappingProxyType(
    {
        skeleton.name: skeleton
        for skeleton in (
            COCO_17,
            COCO_17_NECK,
            COCO_18,
            BODY_25,
            NTU_25,
            NUCLA_20,
            JHMDB_15,
            PENN_13,
            PARNET_14,
            SMARTHOME_13,
            BLAZEPOSE_33,
        )
    }
)


def get_skeleton(name: str) -> Skeleton:
    """The skeleton called `name`.

    Raises:
        InputError: no skeleton has that name.
    """
    if name not in SKELETONS:
        raise InputError(f"no skeleton is called {name!r}; there are: {', '.join(SKELETONS)}")
    return SKELETONS[name]
