"""
The command line: `errorbudget`, or `python -m errorbudget`.

Here is the door alone. It turns whatever happens into an exit code and at most one line on standard
error; the commands live in files of their own and are loaded when they are called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from errno import EINVAL

__all__ = ["NO", "NO_DATA", "OK", "WRONG", "main"]

OK = 0
"""The question was answered, and the answer is not "no"."""
NO = 1
"""The answer is "no": a gate is closed, a specification is not valid."""
WRONG = 2
"""The question was wrong: usage, unreadable input."""
NO_DATA = 3
"""There is no data to answer with."""
DEFECT = 70
"""The program itself failed: neither an answer nor a wrong question."""
INTERRUPTED = 130
CLOSED_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        arguments: What stands after the program's name; by default that of this process.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        from errorbudget import __version__

        print(f"errorbudget {__version__}")
        return OK
    options = words[: words.index("--")] if "--" in words else words
    debug = "--debug" in options
    if debug:
        words.remove("--debug")
    _tolerant_streams()
    try:
        code = _run(words, debug=debug)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if _nobody_reads(error):
            # Python would complain when it closes the stream at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return CLOSED_PIPE
        if debug:
            raise
        # Never 1: whoever asked a gate must not take a defect for an answer.
        say(f"a defect, please report it: {type(error).__name__}: {error}; --debug shows where")
        return DEFECT
    return code


def _nobody_reads(error: Exception) -> bool:
    """Whether the other end of a pipe is closed; Windows calls that an invalid argument."""
    if isinstance(error, OSError) and error.errno == EINVAL and error.filename is None:
        return sys.platform == "win32"
    return isinstance(error, BrokenPipeError)


def say(message: str) -> None:
    """One line on standard error, in the program's name."""
    from errorbudget.addresses import without_secrets

    if sys.stderr is not None:
        print(f"errorbudget: {without_secrets(' '.join(message.split()))}", file=sys.stderr)


def _tolerant_streams() -> None:
    """A name that the terminal cannot show is escaped; it is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


_OF_SERVERS = (
    ("auth=Basic(...) or Bearer(...)", "--basic USER:@FILE or --bearer-file FILE"),
    ('try method="GET"', "try --get"),
    ('use method="POST"', "leave out --get"),
    ("params={...}", "--param NAME=VALUE"),
)


def as_typed(message: str) -> str:
    """
    A message with its cure as it is typed here, not as Python writes it.

    Example:
        >>> as_typed('say which, such as zone="UTC"'), as_typed('name it: columns={"time": ...}')
        ('say which, such as --zone UTC', 'name it: --columns time=NAME')
    """
    import re

    for written, typed in _OF_SERVERS:
        message = message.replace(written, typed)
    message = re.sub(r'\bcolumns=\{"(\w+)": [^}]*\}', r"--columns \1=NAME", message)
    found = re.sub(r'\b(zone|time_unit|duration_unit)="([^"]+)"', r"--\1 \2", message)
    return found.replace("--time_unit", "--time-unit").replace("--duration_unit", "--duration-unit")


def _run(words: list[str], *, debug: bool) -> int:
    import warnings

    try:
        import click

        from errorbudget.cli.app import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "errorbudget":
            raise
        say(f"the command line needs {error.name}: pip install 'errorbudget[cli]'")
        return WRONG
    from errorbudget.addresses import without_secrets
    from errorbudget.errors import ErrorBudgetError, NoDataError

    def warn(message: Warning | str, *_: object, **__: object) -> None:
        say(f"warning: {message}")

    try:
        if "_ERRORBUDGET_COMPLETE" in os.environ:  # a shell asks what could come next
            app.main(words, prog_name="errorbudget")
        # Not app.main: it answers an interrupt with an empty line, a closed pipe with exit code 1.
        with warnings.catch_warnings(), app.make_context("errorbudget", words) as context:
            warnings.showwarning = warn
            code = app.invoke(context)
        return code if isinstance(code, int) else OK
    except click.exceptions.Exit as left:
        return left.exit_code
    except click.UsageError as error:
        text = without_secrets(error.format_message())
        if debug:  # one of its own: click's keeps the word as it was typed
            raise click.UsageError(text).with_traceback(error.__traceback__) from None
        path = error.ctx.command_path if error.ctx is not None else "errorbudget"
        say(f"{text.rstrip('.')}; see: {path} --help")
        return WRONG
    except (click.ClickException, ErrorBudgetError, OSError) as error:
        if debug or _nobody_reads(error):
            raise
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        say(as_typed(text))
        return NO_DATA if isinstance(error, NoDataError) else WRONG
