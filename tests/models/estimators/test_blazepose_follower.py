"""Following people, with networks played by a scene of made-up people."""

from dataclasses import dataclass, field, replace

import numpy as np

from posemill.models.estimators.blazepose.detector import Detections
from posemill.models.estimators.blazepose.follower import Follower
from posemill.models.estimators.blazepose.landmarks import Body
from posemill.models.estimators.blazepose.regions import region_around
from posemill.models.estimators.blazepose.rules import BlazePoseRules

RULES = BlazePoseRules()
RADIUS = 40.0


@dataclass
class Scene:
    """Who stands where (x of the hips), played to the follower as detector and reader."""

    people: dict[str, float] = field(default_factory=dict)
    frame: int = -1
    detections: list[int] = field(default_factory=list)
    looks: int = 0
    presence: float = 0.9
    up: float = -1.0
    """Where heads are, in y: -1 above the hips, 1 below."""

    def detect(self, _frame):
        self.detections.append(self.frame)
        keypoints = np.zeros((len(self.people), 4, 2), np.float32)
        for row, x in enumerate(self.people.values()):
            keypoints[row, 0] = (x, 100)
            keypoints[row, 1] = (x, 100 + self.up * RADIUS)
        count = len(self.people)
        return Detections(np.ones(count, np.float32), np.zeros((count, 4), np.float32), keypoints)

    def read(self, _frame, region):
        """The person nearest to the region's centre; nobody is seen further than 30 px away."""
        self.looks += 1
        near = [x for x in self.people.values() if abs(x - region.x_px) < 30]
        x = min(near, key=lambda x: abs(x - region.x_px), default=region.x_px)
        joints = np.linspace(-RADIUS, RADIUS, 17)
        middle, rim = np.array([x, 100.0]), np.array([x, 100.0 + self.up * RADIUS])
        return Body(
            xy_px=np.stack([x + joints / 4, 100 + joints], axis=1).astype(np.float32),
            score=np.full(17, 0.9, np.float32),
            presence=self.presence if near else 0.1,
            region=region_around(middle, rim, RULES.roi_scale),
        )


def play(scene, follower, frames):
    """Slots seen in each of the next frames."""
    picture = np.zeros((200, 400, 3), np.uint8)
    seen = []
    for _ in range(frames):
        scene.frame += 1
        seen.append([track.slot for track in follower.update(picture)])
    return seen


def start(**people):
    scene = Scene(people)
    return scene, Follower(scene.detect, scene.read, RULES)


def test_one_person_is_one_track():
    scene, follower = start(ann=100.0)
    seen = []
    for _ in range(30):
        scene.people["ann"] += 5.0
        seen += play(scene, follower, 1)
    assert seen == [[0]] * 30


def test_detection_is_rare_while_all_are_followed():
    scene, follower = start(ann=100.0)
    play(scene, follower, 25)
    assert scene.detections == [0, 10, 20]


def test_detection_is_frequent_while_nobody_is_there():
    scene, follower = start()
    assert play(scene, follower, 7) == [[]] * 7
    assert scene.detections == [0, 2, 4, 6]


def test_newcomers_are_met_at_the_next_detection():
    scene, follower = start(ann=100.0)
    play(scene, follower, 3)
    scene.people["bob"] = 250.0
    assert play(scene, follower, 8) == [[0]] * 7 + [[0, 1]]


def test_a_loss_is_followed_by_a_look_around_at_once_that_finds_the_same_person():
    scene, follower = start(ann=100.0, bob=300.0)
    play(scene, follower, 5)
    scene.people["bob"] = 335.0  # too far for the reader, near enough to be known again
    assert play(scene, follower, 1) == [[0, 1]]
    assert scene.detections == [0, 5]


def test_a_loss_right_after_a_detection_waits_for_the_pause():
    scene, follower = start(ann=100.0, bob=300.0)
    play(scene, follower, 1)
    del scene.people["bob"]
    play(scene, follower, 8)
    assert scene.detections == [0, 2]


def test_somebody_back_soon_keeps_the_number_and_late_gets_a_new_one():
    scene, follower = start(ann=100.0, bob=300.0)
    play(scene, follower, 2)
    gone = scene.people.pop("bob")
    play(scene, follower, 3)
    scene.people["bob"] = gone
    assert play(scene, follower, 10)[-1] == [0, 1]
    del scene.people["bob"]
    play(scene, follower, 30)
    scene.people["bob"] = gone
    assert play(scene, follower, 11)[-1] == [0, 2]


def test_nobody_flips_while_unseen_but_somebody_may_stand_on_the_head_later():
    scene, follower = start(ann=100.0)
    scene.presence = 0.98
    play(scene, follower, 2)
    gone = scene.people.pop("ann")
    play(scene, follower, 3)
    scene.people["ann"], scene.up = gone, 1.0
    assert play(scene, follower, 12) == [[]] * 12
    assert play(scene, follower, 4)[-1] == [1]


def test_somebody_found_elsewhere_is_somebody_else():
    scene, follower = start(ann=100.0, bob=300.0)
    play(scene, follower, 2)
    del scene.people["bob"]
    scene.people["cid"] = 200.0
    assert play(scene, follower, 2)[-1] == [0, 2]


def test_a_detection_of_somebody_known_is_not_looked_at():
    scene, follower = start(ann=100.0)
    play(scene, follower, 10)
    looks = scene.looks
    play(scene, follower, 1)  # detects again
    assert scene.detections == [0, 10]
    assert scene.looks == looks + 1  # following alone


def test_unsure_newcomers_are_turned_away_and_known_people_are_not():
    scene, follower = start(ann=100.0)
    scene.presence = 0.6
    assert play(scene, follower, 3) == [[]] * 3
    scene.presence = 0.9
    play(scene, follower, 2)
    scene.presence = 0.6
    assert play(scene, follower, 3) == [[0]] * 3


def test_two_who_meet_become_one_and_the_younger_gets_the_number_back():
    scene, follower = start(ann=100.0)
    play(scene, follower, 1)
    scene.people["bob"] = 300.0
    assert play(scene, follower, 10)[-1] == [0, 1]
    for step in range(1, 11):
        scene.people["bob"] = 300.0 - 19.5 * step  # 5 px apart at last
        seen = play(scene, follower, 1)[0]
    assert seen == [0]
    scene.people["bob"] = 140.0
    assert play(scene, follower, 12)[-1] == [0, 1]


def test_a_square_without_sense_is_never_read():
    scene, _ = start(ann=100.0)

    def detect_a_dot(_frame):
        keypoints = np.zeros((1, 4, 2), np.float32)
        return Detections(np.ones(1, np.float32), np.zeros((1, 4), np.float32), keypoints)

    assert play(scene, Follower(detect_a_dot, scene.read, RULES), 2) == [[], []]
    assert scene.looks == 0


def test_somebody_who_shrinks_to_a_dot_at_the_second_look_is_nobody():
    scene, _ = start(ann=100.0)

    def read_a_dot(frame, region):
        body = scene.read(frame, region)
        return replace(body, region=replace(body.region, side_px=0.0)) if scene.looks == 2 else body

    follower = Follower(scene.detect, read_a_dot, RULES)
    assert play(scene, follower, 2) == [[], []]
    assert scene.looks == 2
