"""Clips decoded by other processes, whose frames arrive in shared memory."""

from posemill.pipelines.decode.clip import ClipFrames
from posemill.pipelines.decode.messages import Ahead, Request
from posemill.pipelines.decode.pool import DecoderPool
from posemill.pipelines.decode.settings import DecodeSettings

__all__ = ["Ahead", "ClipFrames", "DecodeSettings", "DecoderPool", "Request"]
