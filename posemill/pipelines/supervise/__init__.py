"""Work that may crash, hang or eat all memory, done in a process that may be killed for it.

A `Supervisor` gives items to a child process, which keeps a journal of what it
begins and finishes. When the child is lost, the items begun and not finished
are tried alone, each in a fresh child in which known-good work went well
before; one that fails alone again is condemned, provided that known-good work
goes well afterwards, too. Anything else is the environment's fault.
"""

from posemill.pipelines.supervise.limits import GIB, Limits
from posemill.pipelines.supervise.messages import (
    Begun,
    Condemned,
    Finished,
    Item,
    JobSpec,
    Setback,
)
from posemill.pipelines.supervise.sharing import AllTaken, SharedSupervisor
from posemill.pipelines.supervise.supervisor import Supervisor

__all__ = [
    "GIB",
    "AllTaken",
    "Begun",
    "Condemned",
    "Finished",
    "Item",
    "JobSpec",
    "Limits",
    "Setback",
    "SharedSupervisor",
    "Supervisor",
]
