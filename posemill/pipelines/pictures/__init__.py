"""Frames of videos decoded once more, for recipes that read them beside the poses."""

from posemill.pipelines.pictures.clip_pictures import ClipPictures, WantedFrames
from posemill.pipelines.pictures.places import VideoPlaces
from posemill.pipelines.pictures.posed_video import NoPictures
from posemill.pipelines.pictures.settings import PictureSettings

__all__ = ["ClipPictures", "NoPictures", "PictureSettings", "VideoPlaces", "WantedFrames"]
