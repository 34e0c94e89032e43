"""The commands. No logic here: each command calls the library and says what it did."""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Any

import typer

from pharmsim.cli import (  # noqa: F401 - they add commands
    calibrating,
    choosing,
    data,
    forecasting,
    running,
    scenarios,
    sensitivity,
)
from pharmsim.cli.shared import app
from pharmsim.errors import InterruptionError, PharmsimError

INTERRUPTED = InterruptionError.exit_code


def _version(value: bool) -> None:
    if value:
        from pharmsim import __version__

        typer.echo(f"pharmsim {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the program an error arose.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Workforce supply simulation from scenario files."""


def main() -> None:
    """Entry point: messages without traceback (unless --debug), and exit codes.

    0: done; 1: a run failed, was not reproduced, or a target is out of reach; 2: bad input; 130: interrupted.
    """
    sys.exit(call(sys.argv[1:]))


def call(words: list[str]) -> int:
    """Carry out a command line and return its exit code."""
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    # A terminated run leaves nothing behind either, like one interrupted at the keyboard.
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        return _call(words)
    except PharmsimError as error:
        if debug:
            raise
        print(error, *_notes(error), sep="\n", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; nothing was left behind", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    except Exception as error:
        if debug:
            raise
        name = type(error).__name__
        told = f"fault of pharmsim ({name}: {error}); run again with --debug and report it"
        print(told, *_notes(error), sep="\n", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)


def _notes(error: BaseException) -> list[str]:
    """What is known about an error besides its message, such as how to continue."""
    return getattr(error, "__notes__", [])


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _call(words: list[str]) -> int:
    """Run typer's command, with its own errors shown as it shows them."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args=words, prog_name="pharmsim", standalone_mode=False)
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except Exception as error:
        shown = getattr(error, "show", None)  # a usage error of click, whichever copy typer uses
        if shown is None:
            raise
        told = _value(error)
        if told:
            print(told, file=sys.stderr)
        else:
            shown()
        return int(getattr(error, "exit_code", 2))
    if code == INTERRUPTED:  # what typer makes of it
        raise KeyboardInterrupt
    return int(code or 0)


def _value(error: Exception) -> str:
    """A wrong value of an option as other bad input is told; nothing for other errors of usage."""
    found = getattr(error.__cause__, "errors", None)
    option, context = (getattr(error, name, None) for name in ("param", "ctx"))
    if found is None or option is None or context is None:
        return ""
    first = found()[0]
    must, _, choices = first["msg"].rpartition(" is not one of ")
    if must:
        *others, last = choices.rstrip(".").replace("'", "").split(", ")
        must = f"must be {', '.join(others)} or {last}"
    else:
        must = first["msg"].partition(", unable")[0].removeprefix("Value error, ")
        must = must.replace("Input should", "must").replace("a valid integer", "a whole number")
    name = option.opts[0] if option.opts[0].startswith("-") else option.name.upper()
    return f"{name} — {must} — got {first['input']} — see {context.command_path} --help"
