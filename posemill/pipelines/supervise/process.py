"""A child process, seen from its parent: started, spoken with, killed with all its kin."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import Pipe
from time import monotonic, sleep
from typing import Any

from posemill.pipelines.supervise import guard
from posemill.pipelines.supervise.kin import environment
from posemill.pipelines.supervise.losses import (
    ProcessLost,
    loss_of_exit,
    loss_of_signal,
    oom_kills,
)
from posemill.pipelines.supervise.messages import Cause, JobSpec, Loss, Message
from posemill.pipelines.supervise.pulse import PulseReader

_POLL_SECONDS = 0.1
_END_SECONDS = 5.0
_SIGNALLED = 128


class ChildProcess:
    """Starts at once; use `end` when done. Not for several threads."""

    def __init__(self, spec: JobSpec) -> None:
        self.pulse = PulseReader()
        self.pid = 0
        """Of the process that works, not of its guard; set when that has told it."""
        self.used = False
        """Whether it was ever given an item."""
        self.wants = False
        """Whether it waits for an item, or for None."""
        self._oom_kills = oom_kills()
        requests, self._requests = Pipe(duplex=False)
        self._answers, answers = Pipe(duplex=False)
        lifeline, self._lifeline = os.pipe()
        theirs = [requests.fileno(), answers.fileno(), self.pulse.fd]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    *(sys.executable, "-I", "-S", guard.__file__, str(lifeline)),
                    *(sys.executable, "-m", "posemill.pipelines.supervise.child"),
                    *map(str, theirs),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[lifeline, *theirs],
                env=environment(),
                start_new_session=True,
            )
        finally:
            requests.close()
            answers.close()
            os.close(lifeline)
        self.send(spec)

    def send(self, message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # it died: the next receive sees that
            self._requests.send(message)

    def receive(self, overrun: Callable[[], Loss | None]) -> Message:
        """The child's next message; asks `overrun` ten times a second whether to wait on.

        Raises:
            ProcessLost: it ended, or `overrun` gave a reason to kill it.
        """
        while True:
            try:
                if self._answers.poll(_POLL_SECONDS):
                    message: Message = self._answers.recv()
                    return message
            except (EOFError, OSError):  # also a message cut short by its sender's death
                raise ProcessLost(self._death()) from None
            if self._ended() is not None and not self._answers.poll(0):
                raise ProcessLost(self._death())
            if (loss := overrun()) is not None:
                raise ProcessLost(loss)

    def end(self, *, kill: bool) -> None:
        """End the child and whatever it started: politely, or at once."""
        if self._process.returncode is not None:
            return
        self._requests.close()
        if not kill:
            self._wait(_END_SECONDS)
        # Before it is reaped, so that its number cannot be another group's by now.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._answers.close()
        os.close(self._lifeline)
        self.pulse.close()

    def _ended(self) -> os.waitid_result | None:
        """How the guard ended, without reaping it: its group is yet to be killed."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags)

    def _wait(self, seconds: float) -> None:
        deadline = monotonic() + seconds
        while self._ended() is None and monotonic() < deadline:
            sleep(0.01)

    def _death(self) -> Loss:
        """Why the child ended by itself."""
        self._wait(_END_SECONDS)
        ended = self._ended()
        if ended is None:
            return Loss(Cause.CRASHED, "closed its pipe and did not end")
        by_signal = ended.si_code != os.CLD_EXITED  # the guard itself
        number = ended.si_status if by_signal else ended.si_status - _SIGNALLED
        if number <= 0:
            return loss_of_exit(ended.si_status)
        return loss_of_signal(number, self._oom_kills)
