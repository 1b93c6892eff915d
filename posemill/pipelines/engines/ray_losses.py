"""Why an actor answers no more, of what Ray says about it."""

from __future__ import annotations

from ray.exceptions import RayActorError, RayError, RayTaskError, RuntimeEnvSetupError

from posemill.pipelines.engines.worker_link import LinkLost

_SIGNS = (
    ("node running low on memory", "Ray ended a worker, as its node was short of memory"),
    ("node has died", "the node of a worker was lost"),
    ("node failure", "the node of a worker was lost"),
    ("ray.kill", "somebody ended a worker"),
    ("worker process has died", "the actor of a worker died"),
    ("unavailable", "a worker cannot be reached"),
)
"""What is in a message of Ray's, and what it means for us; the first found counts."""
_NOT_IMPORTED = "unexpected internal error"
_LONGEST = 300


def link_lost(error: RayError) -> LinkLost:
    """Every such actor may be alive, and only cut off.

    One that could not be made would fail again; that is what `gave_up` says.
    """
    failed_to_start = isinstance(error, RayActorError) and error.actor_init_failed
    if failed_to_start or isinstance(error, RayTaskError | RuntimeEnvSetupError):
        return LinkLost(f"a worker could not be made: {_last_line(error)}", gave_up=True)
    text = str(error)
    if _NOT_IMPORTED in text:
        return LinkLost(
            "the actor of a worker could not be made; posemill may not be installed on its node, "
            f"which says more in its log (Ray: {_last_line(error)})",
            gave_up=True,
        )
    kind = next((kind for sign, kind in _SIGNS if sign in text), "a worker was lost")
    return LinkLost(f"{kind} (Ray: {_last_line(error)})")


def _last_line(error: RayError) -> str:
    line = str(error).strip().splitlines()[-1].strip()
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " ..."
