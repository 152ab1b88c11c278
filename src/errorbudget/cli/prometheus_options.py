"""Figures from a server's counters instead of files: which server, and how to read it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from errorbudget.cli import say
from errorbudget.durations import MINUTE_NS, format_duration, parse_duration
from errorbudget.errors import GapWarning, InvalidInputError, NoDataError, SourceError
from errorbudget.times import format_time

if TYPE_CHECKING:
    from errorbudget.counters import Rules
    from errorbudget.counts import Counts
    from errorbudget.slo import SLO
    from errorbudget.sources.prometheus import TLS, PrometheusCounts
    from errorbudget.sources.prometheus.http import Request, Response, Transport
    from errorbudget.status import Status

__all__ = ["Extrapolated", "fetch", "prometheus_options", "refuse_without_server"]

Command = TypeVar("Command", bound=Callable[..., Any])
_MOST_SAID = 12
_KEPT = "the rest came, and is kept"
_CURE = "with --keep FOLDER, what came is not asked for again"
_OTHERS = (
    "header",
    "bearer_file",
    "basic",
    "tenant",
    "param",
    "ca",
    "cert",
    "key",
    "reading",
    "bin",
    "timeout",
    "deadline",
    "metrics",
    "partial",
    "keep",
    "get",
)
_OF_FILES = ("columns", "zone", "time_unit", "duration_unit", "strict")


def prometheus_options(bins: str = "--step") -> Callable[[Command], Command]:
    """
    Which server, and how to read its counters.

    Args:
        bins: What the option for the length of a bin is called.
    """

    def decorated(command: Command) -> Command:
        for decorate in reversed(
            (
                click.option(
                    "--prometheus",
                    metavar="URL",
                    help="Read a server's counters instead of files, as http://127.0.0.1:9090.",
                ),
                click.option(
                    "--metrics",
                    metavar="FILE",
                    help='Names of metrics and labels (YAML, JSON); "guide": those of the guide.',
                ),
                click.option("--basic", metavar="USER:@FILE", help="User, and file of a password."),
                click.option("--bearer-file", metavar="FILE", help="File that holds a token."),
                click.option(
                    "--header",
                    multiple=True,
                    metavar="'NAME: VALUE'",
                    help="Further header; a value @FILE is read from there.",
                ),
                click.option("--tenant", metavar="NAME", help="Sent as X-Scope-OrgID."),
                click.option(
                    "--param",
                    multiple=True,
                    metavar="NAME=VALUE",
                    help="Carried by every query, as dedup=true.",
                ),
                click.option("--ca", metavar="FILE", help="Certificates to trust (PEM)."),
                click.option("--cert", metavar="FILE", help="Own certificate, for mutual TLS."),
                click.option("--key", metavar="FILE", help="Its key."),
                click.option(
                    "--reading",
                    type=click.Choice(["exact", "prometheus", "prom2.42", "prom2.53", "prom3"]),
                    help="exact (default) counts what scrapes saw; prometheus says what the "
                    "server's own increase() says, by its version or by the one named.",
                ),
                click.option(bins, "bin", metavar="LENGTH", help="Bins of exact counts; 1m."),
                click.option("--timeout", metavar="LENGTH", help="For one request; 1m."),
                click.option("--deadline", metavar="LENGTH", help="With all retries; 5m."),
                click.option(
                    "--partial", is_flag=True, help="Go on with what came when pieces are missing."
                ),
                click.option(
                    "--keep",
                    metavar="FOLDER",
                    help="Keep what came there, and go on from it when a fetch broke off.",
                ),
                click.option("--get", is_flag=True, help="For proxies that take no POST."),
            )
        ):
            command = decorate(command)
        return command

    return decorated


def refuse_without_server(options: Mapping[str, Any]) -> None:
    """
    Options that only a server understands, without one.

    Raises:
        UsageError: There is such an option.
    """
    for name in _OTHERS:
        if options.get(name):
            raise click.UsageError(f"{_typed(name)} belongs to --prometheus URL")


def _typed(name: str) -> str:
    return "the length of bins" if name == "bin" else f"--{name.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class Extrapolated:
    """
    Counters as a server of some version reads them: figures of one instant, rarely whole.

    Attributes:
        found: What was fetched.
        rules: Whose rules.
        at_ns: The instant that is judged unless another is given [ns UTC].
    """

    found: PrometheusCounts
    rules: Rules
    at_ns: int

    def evaluate(self, slo: SLO, *, at: Any = None) -> Status:
        """
        The status of *slo*, its counts what `sum(increase(...))` says.

        Raises:
            InvalidInputError: *slo* counts slices or knows corrections, which PromQL does not.
        """
        from errorbudget.methods import Occurrences
        from errorbudget.sources.prometheus.asking import is_asked
        from errorbudget.times import to_ns

        at_ns = self.at_ns if at is None else to_ns(at)
        if is_asked(slo):
            return self.found.evaluate(slo, at=at_ns)
        if not isinstance(slo.method, Occurrences) or slo.corrections:
            raise InvalidInputError(
                f'SLO "{slo.name}" counts {slo.method}'
                f"{' with corrections' if slo.corrections else ''}, which a server's own reading "
                "does not know; leave out --reading"
            )
        interval = slo.interval(at_ns)
        counts = {
            window: self._counts(slo, at_ns, window)
            for window in {interval.length_ns, *slo.all_burn_windows}
        }
        return self.found.noted(
            slo.assess(
                counts[interval.length_ns],
                at=at_ns,
                burn_counts={window: counts[window] for window in slo.all_burn_windows},
                held=self._held(slo, at_ns),
                coverage=self.found.of(slo).coverage(interval),
            )
        )

    def _counts(self, slo: SLO, at_ns: int, window: int) -> Counts:
        from errorbudget.counts import Counts

        found = self.found.counts(slo, at=at_ns, window=window, rules=self.rules)
        return Counts() if found is None else found

    def _held(self, slo: SLO, at_ns: int) -> dict[str, bool]:
        """By alert, whether its condition held at every minute of its `hold` before *at_ns*."""
        from errorbudget.budget import spent

        held = {}
        for alert in slo.alerts.alerts:
            if not alert.hold:
                continue
            held[alert.name] = all(
                alert.condition(
                    {
                        window: spent(
                            self._counts(slo, instant, window), slo.target_at(instant).error
                        )
                        for window in alert.windows
                    },
                    slo.period_ns,
                )
                for instant in range(at_ns - alert.hold, at_ns, min(MINUTE_NS, alert.hold))
            )
        return held


def transport_for(tls: TLS) -> Transport:
    """Real connections."""
    from errorbudget.sources.prometheus.http import HttpTransport

    return HttpTransport(tls)


class _Watched:
    """A transport that tells how many requests were answered, as long as somebody listens."""

    def __init__(self, inner: Transport) -> None:
        self._inner, self._done, self._lock = inner, 0, threading.Lock()
        self.tell: Callable[[int, int | None], None] | None = None

    def __call__(self, request: Request) -> Response:
        response = self._inner(request)
        with self._lock:
            self._done += 1
            if self.tell is not None:
                self.tell(self._done, None)
        return response

    def close(self) -> None:
        close = getattr(self._inner, "close", None)
        if close is not None:
            close()


def fetch(
    slos: Sequence[SLO],
    options: Mapping[str, Any],
    *,
    at_ns: int | None,
    since_ns: int | None = None,
    names: Iterable[str] = (),
    shown: bool = False,
) -> tuple[PrometheusCounts | Extrapolated, int]:
    """
    What *slos* need of the server that the options name; each metric is fetched once.

    Args:
        slos: The objectives.
        options: The values of `prometheus_options`.
        at_ns: The instant to judge [ns UTC]; None is now, at the end of the last whole bin.
        since_ns: First instant that will be judged, where that is another [ns UTC].
        names: Names of all objectives of the file, which the metrics may name.
        shown: Whether the statuses' own warnings will be shown anyway.

    Returns:
        The counts, and the instant to judge [ns UTC].

    Raises:
        UsageError: Options contradict each other.
        SourceError: The server does not answer, or with an error.
        NoDataError: It has no series.
    """
    import time

    from errorbudget.cli.credentials import connection_of
    from errorbudget.cli.metrics_file import metrics_of
    from errorbudget.cli.progress import meter
    from errorbudget.cli.series_cure import series_cure
    from errorbudget.sources.prometheus import Client, PrometheusSource

    if options["files"]:
        raise click.UsageError("give either files or --prometheus")
    for name in _OF_FILES:
        if options[name]:
            raise click.UsageError(f"{_typed(name)} belongs to files, not to --prometheus")
    connection = connection_of(options)
    step_ns = parse_duration(options["bin"] or "1m")
    at = time.time_ns() // step_ns * step_ns if at_ns is None else at_ns
    reading = options["reading"] or "exact"
    if reading == "exact" and at % step_ns:
        raise InvalidInputError(
            f"{format_time(at)} is not the end of a bin of {format_duration(step_ns)}; choose a "
            "shorter bin, or judge at "
            f"{format_time(at // step_ns * step_ns)}"
        )
    watched = _Watched(transport_for(connection.tls))
    click.get_current_context().call_on_close(watched.close)
    client = Client(
        connection,
        transport=watched,
        timeout=options["timeout"] or "1m",
        deadline=options["deadline"] or "5m",
        method="GET" if options["get"] else "POST",
        keep=options["keep"],
    ).one_deadline()
    source = PrometheusSource(
        client,
        metrics=metrics_of(options["metrics"], names),
        step=options["bin"] or "1m",
        partial=options["partial"],
    )
    start = min(earliest(slo, at if since_ns is None else since_ns) for slo in slos)
    with meter("asking", "answers", enabled=not options["no_progress"]) as progress:
        watched.tell = progress
        try:
            rules = _rules(client, reading)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GapWarning)  # said below, with its reason
                found = source.fetch(slos, start=start, end=at)
        except SourceError as error:
            for note in getattr(error, "__notes__", ()):
                say(note if options["keep"] else note.replace(_KEPT, _CURE))
            raise
        except NoDataError as error:
            raise NoDataError(f"{error}{series_cure(client, source.metrics, slos)}") from error
        except InvalidInputError as error:
            if len(slos) < 2:
                raise
            raise InvalidInputError(
                f"{error}; to judge only what this server can answer, choose with --slo NAME"
            ) from error
        finally:
            watched.tell = None
    _tell(found.said if shown else found.warnings)
    return (found if rules is None else Extrapolated(found, rules, at)), at


def earliest(slo: SLO, at_ns: int) -> int:
    """Where the longest look-back of *slo* from *at_ns* begins [ns UTC]."""
    held = max((alert.hold for alert in slo.alerts.alerts), default=0)
    back = at_ns - held - max(slo.all_burn_windows, default=0)
    return min(slo.interval(at_ns).start_ns, back)


def _rules(client: Any, reading: str) -> Rules | None:
    """Whose rules of extrapolation; None for exact counts."""
    from typing import cast

    if reading == "exact":
        return None
    return cast("Rules", client.rules() if reading == "prometheus" else reading)


def _tell(notes: Sequence[str]) -> None:
    for note in notes[:_MOST_SAID]:
        say(f"warning: {note}")
    if len(notes) > _MOST_SAID:
        say(f"warning: and {len(notes) - _MOST_SAID} more of these")
