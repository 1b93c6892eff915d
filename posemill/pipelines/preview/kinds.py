"""Which outputs can be drawn, and how: told by the names of their dimensions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from posemill.pipelines.preview.clip import ClipFeatures
from posemill.pipelines.preview.maps import (
    draw_field_changes,
    draw_fields,
    draw_joint_changes,
    draw_joints,
    draw_pictures,
    draw_strength,
    draw_ways,
)
from posemill.pipelines.preview.sequences import draw_graph, draw_poses
from posemill.pipelines.preview.sheets import Drawing, Times
from posemill.transforms.outputs import OutputSpec

CHANGES = "_differences"
"""How the names of signed outputs end."""
Draw = Callable[[ClipFeatures, Times], Drawing]
_OPTIONAL = {"view", "person", "role"}


@dataclass(frozen=True, slots=True)
class Kind:
    """Outputs that look alike: their dimensions, in any order, and how they are drawn."""

    dims: frozenset[str]
    draw: Draw
    together: bool = False
    """All clips on one sheet."""
    changes: bool = False

    def fits(self, spec: OutputSpec) -> bool:
        same = set(spec.dims) - _OPTIONAL == self.dims
        return same and self.changes == spec.name.endswith(CHANGES)


def _kind(dims: str, draw: Draw, **options: bool) -> Kind:
    return Kind(frozenset(dims.split()), draw, **options)


KINDS = (
    _kind("keypoint channel y x", draw_ways, together=True),
    _kind("keypoint time y x", draw_joints),
    _kind("limb time y x", draw_joints),
    _kind("part time y x", draw_fields),
    _kind("channel time y x", draw_strength),
    _kind("keypoint time y x", draw_joint_changes, changes=True),
    _kind("part time y x", draw_field_changes, changes=True),
    _kind("channel time y x", draw_strength, changes=True),
    _kind("time picture_y picture_x colour", draw_pictures),
    _kind("picture picture_y picture_x colour", draw_pictures),
    _kind("time keypoint space", draw_poses),
    _kind("channel time keypoint", draw_graph),
    _kind("channel time limb", draw_graph),
)


def find_kind(spec: OutputSpec) -> Kind | None:
    """How `spec` is drawn; None where it is not."""
    return next((kind for kind in KINDS if kind.fits(spec)), None)
