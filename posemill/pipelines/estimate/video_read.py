"""One video on its way from frames to a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from posemill.errors import ContentError
from posemill.models.estimators.base import FrameResult
from posemill.pipelines.decode import ClipFrames
from posemill.pipelines.estimate.clip_poses import ClipPoses
from posemill.pipelines.pose_shard import without_poses
from posemill.pipelines.supervise.messages import Journal
from posemill.schema import Float32, UInt8, Video, VideoStatus
from posemill.storage.dense.spool import DenseSpool
from posemill.storage.pose_records import VideoRecord
from posemill.storage.video import Frame
from posemill.transforms.person_boxes import PersonBoxes
from posemill.transforms.tracking import TrackSettings


class VideoRead:
    """Read frames from it until there is none, and add the people of each; it is then finished.

    It is begun, for the journal, when its file is here: what a network takes is not
    the video's time.
    """

    def __init__(
        self,
        item_id: str,
        video: Video,
        clip: ClipFrames,
        skeleton: str,
        people: PersonBoxes | None,
        tracks: TrackSettings,
        journal: Journal,
        missing: Callable[[], VideoRecord],
        spool: DenseSpool | None,
    ) -> None:
        """`people` tells where they are, where the estimator is not to find them; `missing` makes
        the record of a video whose file is not there; `spool` takes the dense maps of its frames,
        where they are to be kept."""
        self._item_id, self._video, self._clip, self._journal = item_id, video, clip, journal
        self._poses = ClipPoses(video, skeleton, tracks, spool)
        self._people, self._missing = people, missing
        self._is_begun = False
        self._all_read = False
        self.is_finished = False

    @property
    def clip(self) -> ClipFrames:
        return self._clip

    def begin(self) -> None:
        """Once, when its file is here."""
        if not self._is_begun:
            self._is_begun = True
            self._journal.begin(self._item_id)

    def next_frame(self) -> Frame | None:
        """The next frame, waited for; None when all are read, or there is not one.

        Raises:
            EnvironmentFault: the file cannot be read on.
            ProcessLost: its decoder is.
        """
        try:
            frame = next(self._clip, None)
        except ContentError as error:
            self._finish(_quarantined(self._video, error))
            return None
        except FileNotFoundError:
            self._finish(self._missing())
            return None
        if frame is None:
            self._all_read = True
            self._finish_if_done()
            return None
        self._poses.saw(frame)
        self._journal.beat(f"estimating poses, at frame {frame.index}")
        return frame

    def boxes_px(self, frame: Frame) -> Float32 | None:
        """(N, 4) where people are in a frame; None leaves it to the estimator to find them."""
        if self._people is None:
            return None
        height, width = frame.rgb.shape[:2]
        return self._people.at(frame.pts_seconds, (width, height))

    def frames(self) -> Iterator[UInt8]:
        """The pictures of all frames."""
        while (frame := self.next_frame()) is not None:
            yield frame.rgb

    def add(self, result: FrameResult) -> None:
        """The people of the next frame, tracked, and its maps."""
        self._poses.add(result)
        self._journal.advance(self._item_id)
        self._finish_if_done()

    def _finish_if_done(self) -> None:
        if self._all_read and self._poses.num_added == self._poses.num_seen:
            self._finish(self._poses.record(self._clip))

    def _finish(self, record: VideoRecord) -> None:
        self._all_read = self.is_finished = True
        self._poses.close()
        self._journal.finish(self._item_id, record)


def _quarantined(video: Video, error: ContentError) -> VideoRecord:
    return without_poses(video, VideoStatus.QUARANTINED, error.reason, str(error))
