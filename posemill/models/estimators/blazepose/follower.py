"""Follows the people of one video: landmarks every frame, detection now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from posemill.models.estimators.blazepose import people
from posemill.models.estimators.blazepose.detector import HIPS, RIM, Detections
from posemill.models.estimators.blazepose.landmarks import Body
from posemill.models.estimators.blazepose.people import Track
from posemill.models.estimators.blazepose.regions import Region, region_around
from posemill.models.estimators.blazepose.rules import BlazePoseRules
from posemill.schema import UInt8

Detect = Callable[[UInt8], Detections]
Read = Callable[[UInt8, Region], Body]


@dataclass(frozen=True, slots=True)
class Lost:
    """Somebody who was followed, and the frame in which that ended."""

    track: Track
    frame: int


class Follower:
    """Numbers and follows people; call `update` once a frame, in order."""

    def __init__(self, detect: Detect, read: Read, rules: BlazePoseRules) -> None:
        self._detect, self._read, self._rules = detect, read, rules
        self._tracks: list[Track] = []
        self._lost: list[Lost] = []
        self._next_slot = 0
        self._frame = -1
        self._last_detection: int | None = None
        self._somebody_left = False

    def update(self, frame: UInt8) -> list[Track]:
        """The people of the next frame (H, W, 3), oldest first."""
        self._frame += 1
        before = self._tracks
        followed = [track for old in before if (track := self._follow(frame, old))]
        self._tracks = people.without_duplicates(followed, self._rules)
        self._remember_lost(before)
        self._somebody_left |= len(followed) < len(before)
        if self._is_due():
            self._last_detection = self._frame
            self._somebody_left = False
            self._look_around(frame)
        return self._tracks

    def _follow(self, frame: UInt8, track: Track) -> Track | None:
        height, width = frame.shape[:2]
        body = self._read(frame, track.body.region)
        kept = people.is_kept(body, track.body.region, self._rules)
        if not kept or not people.is_plausible(body.region, width, height, self._rules):
            return None
        return replace(track, body=body)

    def _is_due(self) -> bool:
        if self._last_detection is None:
            return True
        # Someone lost as soon as found, again and again, must not cost a detection a frame.
        soon = self._somebody_left or not self._tracks
        pause = self._rules.detect_every_empty if soon else self._rules.detect_every
        return self._frame - self._last_detection >= pause

    def _look_around(self, frame: UInt8) -> None:
        for middle, rim in self._detect(frame).keypoints[:, (HIPS, RIM)]:
            body = self._meet(frame, region_around(middle, rim, self._rules.roi_scale))
            if body is not None:
                self._tracks = [*self._tracks, self._numbered(body)]

    def _meet(self, frame: UInt8, region: Region) -> Body | None:
        """Somebody new in the region, if there is."""
        height, width = frame.shape[:2]
        known = [track.body for track in self._tracks]
        centres = [body.region for body in known]
        # The second look is through a better square: the first comes from the detector.
        for _ in range(2):
            if not people.is_plausible(region, width, height, self._rules):
                return None
            if not people.is_new(region, centres, self._rules):
                return None
            body = self._read(frame, region)
            if not people.is_convincing(body, width, self._rules):
                return None
            region = body.region
        if not people.is_plausible(region, width, height, self._rules):
            return None
        if any(people.are_duplicates(other, body, self._rules) for other in known):
            return None
        turned = [lost.body.region.turn_degrees(body.region) for lost in self._back(body)]
        return None if max(turned, default=0.0) > self._rules.max_turn_degrees else body

    def _numbered(self, body: Body) -> Track:
        """A track for somebody new: that of the nearest of those lately lost here, or a new one."""
        if back := self._back(body):
            nearest = min(back, key=lambda track: track.body.region.distance_px(body.region))
            return replace(nearest, body=body)
        self._next_slot += 1
        return Track(slot=self._next_slot - 1, since=self._frame, body=body)

    def _back(self, body: Body) -> list[Track]:
        """Those lately lost who may be this somebody."""
        taken = {track.slot for track in self._tracks}
        return [
            lost.track
            for lost in self._lost
            if lost.track.slot not in taken
            and people.may_be_back(body.region, lost.track.body.region, self._rules)
        ]

    def _remember_lost(self, before: list[Track]) -> None:
        present = {track.slot for track in self._tracks}
        self._lost += [Lost(track, self._frame) for track in before if track.slot not in present]
        oldest = self._frame - self._rules.max_frames_lost
        self._lost = [
            lost for lost in self._lost if lost.frame >= oldest and lost.track.slot not in present
        ]
