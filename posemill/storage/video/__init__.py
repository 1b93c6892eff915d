"""Reads videos: any file of a usual kind, damaged or not, and nothing else."""

from posemill.storage.video.facts import Completeness, Frame, Header, PtsSource, VideoFacts
from posemill.storage.video.limits import VideoLimits
from posemill.storage.video.options import DECODERS, FrameOptions, choose_decoder
from posemill.storage.video.reader import VideoReader, open_video

__all__ = [
    "DECODERS",
    "Completeness",
    "Frame",
    "FrameOptions",
    "Header",
    "PtsSource",
    "VideoFacts",
    "VideoLimits",
    "VideoReader",
    "choose_decoder",
    "open_video",
]
