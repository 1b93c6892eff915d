"""Why a process was lost, told from how it ended or from its exception."""

from __future__ import annotations

import contextlib
import signal
import traceback
from pathlib import Path

from posemill.errors import PosemillError
from posemill.pipelines.supervise.messages import Cause, Loss

# Sent by people and schedulers. The kernel sends SIGKILL, too, when memory runs
# out, and counts that.
_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}


class ProcessLost(Exception):
    """A process is no more, or must be killed."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.message)
        self.loss = loss


def loss_of_signal(number: int, oom_kills_before: int | None) -> Loss:
    """Of a process that this signal ended; `oom_kills_before` is of the time of its start."""
    name = _signal_name(number)
    if number == signal.SIGKILL and oom_kills() != oom_kills_before:
        return Loss(Cause.MEMORY, f"killed by {name} while the machine was short of memory")
    cause = Cause.KILLED if number in _FROM_OUTSIDE else Cause.CRASHED
    return Loss(cause, f"killed by {name}")


def loss_of_exit(status: int) -> Loss:
    """Of a process that ended by itself before it was done."""
    return Loss(Cause.CRASHED, f"ended by itself with exit status {status}")


def loss_of_error(error: Exception) -> Loss:
    """Of a process that ends with this exception."""
    cause = Cause.MEMORY if isinstance(error, MemoryError) else Cause.FAILED
    return Loss(cause, describe(error))


def during(loss: Loss, activity: str) -> Loss:
    """The loss with what the process was doing, where that is known."""
    return Loss(loss.cause, f"{loss.message} while {activity}") if activity else loss


def describe(error: Exception) -> str:
    """The error, its type where the text alone would not do, and where it came from."""
    if isinstance(error, PosemillError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


def oom_kills() -> int | None:
    """How often the kernel killed for want of memory; None where it does not tell."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
