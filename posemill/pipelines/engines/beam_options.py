"""What `--engine beam` takes of its own, and what of Beam's runners."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from apache_beam.options.pipeline_options import PipelineOptions

from posemill.errors import InputError

_OWN = {
    "mailbox": "where workers leave messages for the driver, a path or s3://...; "
    "by default below the store",
    "dead_letter": "write the results of shards that failed to files whose paths begin so",
}
_DOWNLOADING = ("directrunner", "direct", "switchingdirectrunner", "switchingdirect")
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class BeamParameters:
    """`EngineOptions.parameters`, as this engine understands them."""

    mailbox: str | None
    dead_letter: str | None
    flags: tuple[str, ...]
    """Beam's pipeline options, as on its command lines."""
    runner: str | None
    """None is the local one."""
    job_endpoint: str | None

    @classmethod
    def parse(cls, parameters: Mapping[str, str]) -> Self:
        """Raises:
        InputError: a parameter that neither this engine nor Beam knows, a value that Beam does
            not take, an option of a runner without one, or a job server that is not named.
        """
        beams = {name: value for name, value in parameters.items() if name not in _OWN}
        flags = _flags(beams)
        runner = beams.get("runner")
        if runner is None and beams:
            raise InputError(
                f"--engine-option {', '.join(beams)}: of a Beam runner that is not named; name it "
                "with --engine-option runner=PortableRunner, say, or leave the option out"
            )
        if runner is not None and runner.lower().rpartition(".")[2] in _DOWNLOADING:
            raise InputError(
                f"--engine-option runner={runner}: not run, as it may download another program "
                "and run that; leave the option out for the local runner of this engine"
            )
        if runner is not None and runner.rpartition(".")[2] == "PortableRunner":
            _require_endpoint(beams)
        return cls(
            parameters.get("mailbox"),
            parameters.get("dead_letter"),
            flags,
            runner,
            beams.get("job_endpoint"),
        )

    def pipeline_options(self) -> PipelineOptions:
        return PipelineOptions(list(self.flags))


def _require_endpoint(options: Mapping[str, str]) -> None:
    if not options.get("job_endpoint"):
        raise InputError(
            "--engine-option runner=PortableRunner: needs a job server; name it with "
            "--engine-option job_endpoint=HOST:PORT"
        )


def _flags(options: Mapping[str, str]) -> tuple[str, ...]:
    known = _known_options()
    if unknown := sorted(set(options) - set(known)):
        own = "; ".join(f"{name}: {meaning}" for name, meaning in _OWN.items())
        raise InputError(
            f"--engine beam has no option {', '.join(unknown)}, nor has Beam; of its own it has "
            f"{own}. Beam's are those of its PipelineOptions, without --"
        )
    return tuple(
        flag for name, value in options.items() for flag in _flag(name, value, known[name])
    )


def _flag(name: str, value: str, option: argparse.Action) -> list[str]:
    if option.nargs != 0:
        _require_value(name, value, option)
        return [f"--{name}={value}"]
    if value.lower() not in (*_TRUE, *_FALSE):
        raise InputError(f"--engine-option {name}={value}: expected true or false")
    return [f"--{name}"] if value.lower() in _TRUE else []


def _require_value(name: str, value: str, option: argparse.Action) -> None:
    """Raises:
    InputError: Beam would refuse the value, by ending the process.
    """
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser._add_action(option)
    try:
        parser.parse_args([f"--{name}={value}"])
    except (argparse.ArgumentError, ValueError, TypeError) as error:
        raise InputError(f"--engine-option {name}={value}: {error}") from error


def _known_options() -> dict[str, argparse.Action]:
    """Every option of every class of them that Beam has loaded, by name without its dashes."""
    found: dict[str, argparse.Action] = {}

    def note(parser: argparse.ArgumentParser) -> None:
        for option in parser._actions:
            for name in option.option_strings:
                if name.startswith("--") and name != "--help":
                    found[name.removeprefix("--")] = option

    PipelineOptions([]).get_all_options(add_extra_args_fn=note)
    return found
