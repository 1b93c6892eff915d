"""Clips decoded by other processes, whose frames arrive in shared memory."""

from posemill.pipelines.decode.clip import ClipFrames
from posemill.pipelines.decode.messages import Ahead, Request
from posemill.pipelines.decode.pool import DecoderPool

__all__ = ["Ahead", "ClipFrames", "DecoderPool", "Request"]
