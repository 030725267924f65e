"""redis-py's errors as those of `catchwater.errors`."""

from __future__ import annotations

import redis
import redis.sentinel

from catchwater.errors import (
    CatchwaterError,
    GrownError,
    MissingEpochError,
    MissingGroupError,
    RefusedError,
    UnavailableError,
)


class _MissingScriptError(RefusedError):
    """Redis does not know the script: it was restarted, or its scripts were flushed."""


ERRORS = (redis.RedisError, redis.exceptions.RedisClusterException)
"""What redis-py raises. The second, of a cluster as a whole, stands beside the first."""

CLUSTER_MODE = (
    "this Redis is a node of a cluster: write its address as redis+cluster://host:port,host:port"
)

NO_CLUSTER = "this Redis is no cluster: write its address as redis:// or rediss://"

_TRANSLATION: dict[type[BaseException] | str, type[CatchwaterError]] = {
    # These two are connection errors for redis-py, but no outage.
    redis.exceptions.AuthenticationError: RefusedError,
    redis.exceptions.AuthorizationError: RefusedError,
    TimeoutError: UnavailableError,
    redis.ConnectionError: UnavailableError,
    redis.TimeoutError: UnavailableError,
    redis.exceptions.OutOfMemoryError: UnavailableError,
    redis.exceptions.ReadOnlyError: UnavailableError,
    redis.exceptions.ClusterDownError: UnavailableError,
    redis.exceptions.TryAgainError: UnavailableError,
    redis.exceptions.MasterDownError: UnavailableError,
    redis.exceptions.RedisClusterException: UnavailableError,
    redis.exceptions.BusyLoadingError: UnavailableError,
    "BUSY": UnavailableError,
    "CLUSTERDOWN": UnavailableError,
    "LOADING": UnavailableError,
    "MASTERDOWN": UnavailableError,
    "MISCONF": UnavailableError,
    "NOREPLICAS": UnavailableError,
    "OOM": UnavailableError,
    "READONLY": UnavailableError,
    "TRYAGAIN": UnavailableError,
    "UNKILLABLE": UnavailableError,
    "WAIT": UnavailableError,  # cannot be used with replica instances: this master is none any more
    "NOSCRIPT": _MissingScriptError,
    redis.exceptions.NoScriptError: _MissingScriptError,
    "NOGROUP": MissingGroupError,
    "UNBLOCKED force": UnavailableError,  # this master is none any more: a read or a WAIT ends
    "UNBLOCKED": MissingGroupError,  # the stream was deleted under a blocking read
    "NOEPOCH": MissingEpochError,  # from commit.lua, as the next
    "GROWN": GrownError,
}
"""Our error for an exception of redis-py, or for the first words of an error reply.

redis-py cuts these off the replies for which it has an exception. All else is a RefusedError.
"""


def is_missing_script(error: object) -> bool:
    return isinstance(error, _MissingScriptError)


def translated(error: BaseException) -> CatchwaterError:
    """The error as one of ours."""
    text = str(error)
    matches = (
        ours
        for theirs, ours in _TRANSLATION.items()
        if (
            f"{text} ".startswith(f"{theirs} ")
            if isinstance(theirs, str)
            else isinstance(error, theirs)
        )
    )
    ours = next(matches, RefusedError)
    if isinstance(error, redis.exceptions.MovedError):
        return RefusedError(CLUSTER_MODE)
    if isinstance(error, redis.sentinel.MasterNotFoundError):
        return _no_master(text)
    if ours is UnavailableError:
        node = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
        return UnavailableError(f"Redis is away: {node}{text or type(error).__name__}")
    return ours(text)


def _no_master(text: str) -> CatchwaterError:
    """redis-py's own text has every setting in it, and each Sentinel's answer at its end."""
    if "AuthenticationError" in text:
        return RefusedError(
            "the Sentinels ask for a password: add ?sentinel_password=... to the Redis address"
        )
    name = text.partition(" : ")[0]
    return UnavailableError(f"Redis is away: {name}; each Sentinel was asked")


def unknown_topology(error: Exception) -> Exception:
    """Why the topology is not known: redis-py tells of it, but wraps it up."""
    cause = error.__cause__ or error
    refusal = cause.__context__
    if not isinstance(refusal, redis.ResponseError):
        return cause if isinstance(cause, redis.RedisError) else error
    is_other = "cluster support disabled" in str(refusal)
    return redis.ResponseError(NO_CLUSTER) if is_other else refusal
