"""What goes wrong between us and an object store, as errors of ours that name the place."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from posemill.errors import EnvironmentFault, InputError

_REFUSED = ("403 Forbidden", "401 Unauthorized")  # listings tell so by their text only
_users: set[int] = set()  # this process, and the one that it was forked from if that one was first


def contended(place: str, num_tries: int) -> EnvironmentFault:
    """What to say where others were always first."""
    return EnvironmentFault(
        f"{place}: others wrote it in each of {num_tries} tries; expected to be next sooner. "
        "Run the same command again, with fewer jobs at once."
    )


@contextmanager
def remote_faults(place: str) -> Iterator[None]:
    """Turn obstore's errors into ours, which name the place; lost races are left to the caller."""
    from obstore.exceptions import (
        AlreadyExistsError,
        BaseError,
        PermissionDeniedError,
        PreconditionError,
        UnauthenticatedError,
    )

    _require_not_forked(place)
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise
    except (FileNotFoundError, BaseError) as error:
        if "NoSuchBucket" in str(error):
            raise InputError(
                f"{place}: there is no such bucket. Create it, or correct the address or "
                "AWS_ENDPOINT_URL."
            ) from error
        if isinstance(error, FileNotFoundError):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place) from error
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or any(
            status in str(error) for status in _REFUSED
        ):
            raise EnvironmentFault(
                f"{place}: access was refused ({_brief(error)}); expected credentials that may "
                "read and write there. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then run "
                "the same command again."
            ) from error
        raise EnvironmentFault(
            f"{place}: the object store failed ({_brief(error)}); expected an answer. Check the "
            "network, the credentials and AWS_ENDPOINT_URL, then run the same command again: what "
            "was committed is kept."
        ) from error


def _require_not_forked(place: str) -> None:
    """Refuse to wait for ever for threads that a fork left behind in the parent."""
    _users.add(os.getpid())
    if len(_users) > 1:
        raise EnvironmentFault(
            f"{place}: cannot be used in a process that was forked from one that used an object "
            "store; expected a new process. Start worker processes by `spawn`."
        )


def _brief(error: Exception) -> str:
    """Without the library's own debugging, in one line."""
    return " ".join(str(error).partition("Debug source")[0].split())[:300]
