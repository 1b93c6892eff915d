"""Runs a command and kills it, with all that it started, when its lifeline is cut.

Run as a script: `python guard.py LIFELINE_FD COMMAND...`, as the leader of a
new session. Nobody writes to the lifeline; its other end closes when the
process that holds it ends, whatever ended it. The guard is a process of its
own because a thread beside the work cannot run while that holds the
interpreter's lock. It imports next to nothing, so that it costs little.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

_SIGNALLED = 128  # added to a signal's number, as shells do


def _end_with_lifeline(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    lifeline, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(lifeline, False)
    pid = os.posix_spawn(command[0], command, os.environ)
    threading.Thread(target=_end_with_lifeline, args=(lifeline,), daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os._exit(code if code >= 0 else _SIGNALLED - code)


if __name__ == "__main__":
    main()
