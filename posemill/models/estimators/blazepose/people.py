"""Who is followed, who is dropped, and who is the same person twice."""

from __future__ import annotations

from dataclasses import dataclass

from posemill.models.estimators.blazepose.landmarks import Body
from posemill.models.estimators.blazepose.regions import Region
from posemill.models.estimators.blazepose.rules import BlazePoseRules
from posemill.schema import Float32
from posemill.transforms.oks import oks_matrix


@dataclass(frozen=True, slots=True)
class Track:
    """A person followed through the frames."""

    slot: int
    since: int
    """The frame in which the person was first seen."""
    body: Body
    """As last seen."""


def is_plausible(region: Region, width: int, height: int, rules: BlazePoseRules) -> bool:
    """Whether a person could fill that square of a frame of `width` x `height`."""
    greatest = rules.max_side_frames * max(width, height)
    return region.is_finite() and rules.min_side_px <= region.side_px <= greatest


def is_kept(body: Body, before: Region, rules: BlazePoseRules) -> bool:
    """Whether `body`, found in the square `before`, still is the person followed."""
    return (
        body.presence >= rules.keep_presence
        and float(body.score.mean()) >= rules.keep_score
        and _sizes_agree(body.region, before, rules)
    )


def may_be_back(region: Region, lost: Region, rules: BlazePoseRules) -> bool:
    """Whether somebody new may be the person who was lost: about there, about as large."""
    reach = rules.back_distance * max(region.side_px, lost.side_px)
    return region.distance_px(lost) <= reach and _sizes_agree(region, lost, rules)


def _sizes_agree(now: Region, before: Region, rules: BlazePoseRules) -> bool:
    return rules.min_side_ratio <= now.side_px / before.side_px <= rules.max_side_ratio


def is_convincing(body: Body, width: int, rules: BlazePoseRules) -> bool:
    """Whether a body never seen before is a person, in a frame of `width`.

    The hips may be below the frame (people filmed from the waist up), not
    beside or above it: what is found there is mostly arms, feet and balls.
    """
    region = body.region
    tilted = region.tilt_degrees > rules.tilted_degrees
    least = rules.new_presence_tilted if tilted else rules.new_presence
    within = 0 <= region.x_px < width and region.y_px >= 0
    return body.presence >= least and within and float(body.score.mean()) >= rules.keep_score


def is_new(region: Region, others: list[Region], rules: BlazePoseRules) -> bool:
    """Whether a detection's centre is far enough from everyone who is known."""
    return all(
        region.distance_px(other) >= rules.new_distance * region.side_px / rules.roi_scale
        for other in others
    )


def are_duplicates(older: Body, younger: Body, rules: BlazePoseRules) -> bool:
    """Whether the `younger` is the `older` again: alike, or a ghost inside the older's box."""
    first = older.xy_px[None], older.score[None]
    alike = oks_matrix(*first, younger.xy_px[None], younger.score[None])[0, 0]
    if alike > rules.duplicate_oks:
        return True
    return part_inside(younger, older, rules.duplicate_margin) > rules.duplicate_inside


def part_inside(inner: Body, outer: Body, margin: float) -> float:
    """Part of the joints of `inner` in the box around those of `outer`, grown by `margin`."""
    low, high = _box(outer.xy_px[outer.score > 0])
    grown = margin * (high - low)
    joints = inner.xy_px[inner.score > 0]
    inside = ((joints >= low - grown) & (joints <= high + grown)).all(axis=1)
    return float(inside.mean())


def _box(xy_px: Float32) -> tuple[Float32, Float32]:
    return xy_px.min(axis=0), xy_px.max(axis=0)


def without_duplicates(tracks: list[Track], rules: BlazePoseRules) -> list[Track]:
    """The tracks, oldest first, less those that are an older one again."""
    kept: list[Track] = []
    for track in sorted(tracks, key=lambda track: (track.since, track.slot)):
        if not any(are_duplicates(older.body, track.body, rules) for older in kept):
            kept.append(track)
    return kept
