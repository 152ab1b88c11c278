"""Files of which the smaller part could be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from errorbudget.cli import say
from errorbudget.errors import SourceFormatError

if TYPE_CHECKING:
    from errorbudget.events import Events

__all__ = ["doubt"]

_TABLES = ("CSV", "TSV", "Parquet")


def doubt(events: Events) -> None:
    """
    Say which files were mostly skipped: the requests of a log may stand between other lines.

    Raises:
        SourceFormatError: One is a table, whose rows should all be alike.
    """
    if events.reading is None:
        return
    for file in events.reading.files:
        if 2 * file.skipped <= file.lines:
            continue
        read = f"{file.skipped:,} of {file.lines:,} lines could not be read"
        most = f"{file.file}: {read}, more than half"
        if file.format.startswith(_TABLES):
            raise SourceFormatError(
                f"{most}, so its columns may mean something else; --columns names them, --strict "
                "shows the first line"
            )
        say(f"warning: {most}, and took no part; --strict shows the first")
