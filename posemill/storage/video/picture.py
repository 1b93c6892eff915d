"""Decoded pictures to RGB, scaled and turned.

Pictures of 4:2:0 8-bit video, which nearly all is, are scaled as the three
planes that they are and converted afterwards: half the values to scale, and
OpenCV's conversion is faster than FFmpeg's. All others go through FFmpeg's
swscale. Both take BT.601 for the matrix, as OpenCV's capture does, whatever
the file says.
"""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, VideoReformatter

from posemill.schema import UInt8

_ROTATIONS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


def scaled(picture: UInt8, width: int, height: int) -> UInt8:
    """A picture (H, W, 3) or a plane (H, W) in another size."""
    if picture.shape[:2] == (height, width):
        return picture
    kernel = _kernel(picture, width, height)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=kernel), np.uint8)


def turned(rgb: UInt8, degrees: int) -> UInt8:
    """`rgb` (H, W, 3) turned counter-clockwise by 0, 90, 180 or 270 degrees."""
    return rgb if degrees == 0 else np.asarray(cv2.rotate(rgb, _ROTATIONS[degrees]), np.uint8)


class RgbConverter:
    """Converts the frames of one video, all to one size; keeps its buffers. Not for threads."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        even_width, even_height = width + width % 2, height + height % 2
        # As OpenCV expects 4:2:0: all of Y, then all of U, then all of V.
        self._planes = np.empty((even_height * 3 // 2, even_width), np.uint8)
        luma, chroma = even_height * even_width, even_height * even_width // 4
        flat = self._planes.reshape(-1)
        self._y = flat[:luma].reshape(even_height, even_width)
        self._u = flat[luma : luma + chroma].reshape(even_height // 2, even_width // 2)
        self._v = flat[luma + chroma :].reshape(even_height // 2, even_width // 2)
        self._swscale = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> UInt8:
        """(H, W, 3) RGB."""
        if frame.format.name == "yuv420p" and frame.color_range != ColorRange.JPEG:
            return self._from_planes(frame)
        picture = self._swscale.reformat(frame, format="rgb24").to_ndarray()
        return scaled(np.asarray(picture, np.uint8), self._width, self._height)

    def _from_planes(self, frame: av.VideoFrame) -> UInt8:
        y, u, v = (_pixels(plane) for plane in frame.planes)
        luma = self._y[: self._height, : self._width]
        _fill(luma, y)
        # An odd size leaves a row or column over, which chroma needs: the one beside it.
        self._y[self._height :, : self._width] = luma[-1:]
        self._y[:, self._width :] = self._y[:, self._width - 1 : self._width]
        _fill(self._u, u)
        _fill(self._v, v)
        rgb = cv2.cvtColor(self._planes, cv2.COLOR_YUV2RGB_I420)
        if rgb.shape[:2] == (self._height, self._width):
            return np.asarray(rgb, np.uint8)
        return np.ascontiguousarray(rgb[: self._height, : self._width])


def _fill(target: UInt8, plane: UInt8) -> None:
    """Put a plane, scaled, in its place, which OpenCV can write to only where rows are whole."""
    height, width = target.shape
    if plane.shape == target.shape:
        target[...] = plane
    elif target.flags.c_contiguous:
        kernel = _kernel(plane, width, height)
        cv2.resize(plane, (width, height), dst=target, interpolation=kernel)
    else:
        target[...] = scaled(plane, width, height)


def _kernel(picture: UInt8, width: int, height: int) -> int:
    """Area means where it shrinks, so that nothing is skipped; else linear."""
    shrinks = width <= picture.shape[1] and height <= picture.shape[0]
    return cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR


def _pixels(plane: av.video.plane.VideoPlane) -> UInt8:
    """(H, W) view; FFmpeg pads rows."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]
