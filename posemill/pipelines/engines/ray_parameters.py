"""What the Ray engine takes of its own, by `--engine-option`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import yaml

from posemill.errors import InputError
from posemill.pipelines.engines.base import refuse_parameters

EMBEDDED, RUNNING = "local", "auto"
LEAST_AMOUNT = 0.0001  # of a resource, as Ray counts them

KNOWN: Mapping[str, str] = MappingProxyType(
    {
        "address": f"HOST:PORT of a running cluster, {RUNNING} for the one that runs on this "
        f"machine or that RAY_ADDRESS names, or {EMBEDDED} for one that lives as long as the run "
        f"[default: {EMBEDDED}]",
        "cpus": "logical CPUs that each worker asks for [default: 1]",
        "resources": "custom resources that each worker asks for, as NAME:AMOUNT,... or JSON",
        "namespace": "the namespace in which Ray knows the workers by name",
        "runtime_env": "a YAML or JSON file with the runtime environment of the job",
        "dashboard": "true starts a dashboard with the embedded cluster [default: false]",
    }
)


@dataclass(frozen=True, slots=True)
class RayParameters:
    """Where the cluster is, and what each worker asks of it.

    Raises:
        InputError: an address that is none, amounts below 0, or what the embedded cluster has not.
    """

    address: str = EMBEDDED
    cpus: float = 1.0
    resources: Mapping[str, float] = field(default_factory=dict)
    namespace: str | None = None
    runtime_env: Mapping[str, Any] | None = None
    dashboard: bool = False

    def __post_init__(self) -> None:
        require_address(self.address)
        if own := sorted({"CPU", "GPU"} & set(self.resources)):
            raise InputError(
                f"resources: {', '.join(own)} of a worker is told by cpus and --gpus-per-worker"
            )
        for name, amount in (("cpus", self.cpus), *self.resources.items()):
            require_amount(name, amount)
        if self.is_embedded and self.resources:
            raise InputError(
                "resources: the embedded cluster has no custom resources; leave them out, or give "
                "the address of a cluster that has them"
            )
        if not self.is_embedded and self.dashboard:
            raise InputError(
                f"dashboard: only the embedded cluster is started here; {self.address} has a "
                "dashboard or has none"
            )

    @property
    def is_embedded(self) -> bool:
        return self.address == EMBEDDED

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> Self:
        """Of an engine's `parameters`.

        Raises:
            InputError: one that is not known, or a value that cannot be.
        """
        refuse_parameters("ray", texts, KNOWN)
        parsed: dict[str, Any] = {}
        for name, text in texts.items():
            parsed[name] = _PARSERS[name](name, text)
        return cls(**parsed)


def require_amount(name: str, amount: float) -> None:
    """Raises:
    InputError: Ray deals out no such part of a resource.
    """
    parts = amount / LEAST_AMOUNT
    if (
        not 0 <= amount < float("inf")
        or (amount > 1 and amount != int(amount))
        or (abs(parts - round(parts)) > 1e-6)
    ):
        raise InputError(
            f"{name} is an amount of a Ray resource: a whole number, or a fraction between 0 and "
            f"1 with at most 4 decimal places, got {amount:g}"
        )


def require_address(address: str) -> None:
    if address in (EMBEDDED, RUNNING):
        return
    host, _, port = address.rpartition(":")
    if "://" in address:
        raise InputError(
            f"address={address}: Ray's client is not supported; start posemill on a machine of the "
            f"cluster, and give HOST:PORT of its head (ray start says it), or {RUNNING}"
        )
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise InputError(f"address is {KNOWN['address']}; got {address!r}")


def _text(name: str, text: str) -> str:
    if not text:
        raise InputError(f"{name} is {KNOWN[name]}; got nothing")
    return text


def _amount(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{name}: expected a number, got {text!r}") from None


def _resources(name: str, text: str) -> dict[str, float]:
    if text.lstrip().startswith("{"):
        pairs = _json_object(name, text).items()
    else:
        parts = (part.rpartition(":") for part in text.split(","))
        found = [(key.strip(), amount) for key, _, amount in parts]
        pairs = dict(found).items()
        if len(pairs) < len(found):
            raise InputError(f"{name}={text}: a resource is named twice")
    if not all(key for key, _ in pairs):
        raise InputError(f"{name} is {KNOWN[name]}; got {text!r}")
    return {key: _amount(f"{name} {key}", str(amount)) for key, amount in pairs}


def _json_object(name: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"{name} is {KNOWN[name]}; got {text!r}: {error}") from error
    return dict(found)


def _file(name: str, text: str) -> dict[str, Any]:
    path = Path(text).expanduser()
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{name} is {KNOWN[name]}; {path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{name} is {KNOWN[name]}; {path} holds no mapping")
    return found


def _truth(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise InputError(f"{name} is true or false, got {text!r}")
    return text == "true"


_PARSERS = MappingProxyType(
    {
        "address": _text,
        "cpus": _amount,
        "resources": _resources,
        "namespace": _text,
        "runtime_env": _file,
        "dashboard": _truth,
    }
)
