"""The exceptions of posemill, as one tree.

::

    PosemillError
    ├── InputError                 what the user gave cannot be used          exit status 2
    │   ├── ConfigurationMismatch  the store was made with another configuration
    │   ├── MissingDependency      an optional package is not installed
    │   └── WeightsUnavailable     an estimator's weights are not on this machine
    ├── ContentError               what a video holds: quarantines that video exit status 1
    │   ├── UnreadableVideo        no frame could be decoded
    │   └── UnreadablePoses        a pose file made elsewhere is not what it should be
    ├── EnvironmentFault           GPU, disk, network, permission             exit status 3
    │   ├── DeviceOutOfMemory      a GPU, for a batch of this size
    │   └── DiskRefused            a disk, at one place of it
    └── StoreCorrupted             bytes on disk are not what was committed   exit status 3

A message says what was got, what was expected, and what to do about it.
Content never stops a job; the environment never condemns a video.
"""

from __future__ import annotations


class PosemillError(Exception):
    """Root of every error that posemill raises on purpose."""

    exit_status: int = 3


class InputError(PosemillError):
    """An argument, a file or a configuration that cannot be used as it is."""

    exit_status = 2


class ConfigurationMismatch(InputError):
    """A store on disk was made with another configuration than the one asked for."""


class MissingDependency(InputError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str, *, install: str = "") -> None:
        """`install` is the command, where the extra's own does not do."""
        self.package = package
        self.extra = extra
        command = install or f"pip install 'posemill[{extra}]'"
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed; "
            f"install it with: {command}"
        )


class WeightsUnavailable(InputError):
    """An estimator's weights are neither cached nor given, or differ from their hash."""


class ContentError(PosemillError):
    """A video's content prevents its use; the video is quarantined under `reason`."""

    exit_status = 1
    reason: str = "content"


class UnreadableVideo(ContentError):
    """Not one frame could be decoded."""

    reason = "unreadable"


class UnreadablePoses(ContentError):
    """A pose file made elsewhere does not hold what its format says, or what poses can be."""

    reason = "unreadable"


class EnvironmentFault(PosemillError):
    """The machine failed, not the video: the attempt ends without a commit."""


class DeviceOutOfMemory(EnvironmentFault):
    """A device has no memory for a batch; for a smaller one it may have."""


class DiskRefused(EnvironmentFault):
    """A disk refused something at one place; there may be others that it gives."""


class StoreCorrupted(PosemillError):
    """Files of a committed shard are missing or differ from their commit record."""
