"""Access logs: what is written is read back, fast as slow, whatever the blocks."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from errorbudget.errors import InvalidInputError, SourceFormatError
from errorbudget.events import Events
from errorbudget.sources import read_events
from errorbudget.sources.batches import Assembly, FileFacts
from errorbudget.sources.blocks import blocks
from errorbudget.sources.files import ByteStream
from errorbudget.sources.formats import find_format
from errorbudget.sources.logs.block import LogReader
from errorbudget.sources.logs.layout import Layout, find_layout
from errorbudget.sources.logs.line import Field, LogLine, parse_line
from errorbudget.sources.requests import Dictionary, Requests, route_of, split_request

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SECOND = 10**9


def columns(events: Events) -> dict[str, Any]:
    """All columns as plain lists, labels as texts, NaN as None."""
    found: dict[str, Any] = {"time": events.time.tolist()}
    if events.status is not None:
        found["status"] = events.status.tolist()
    if events.duration_s is not None:
        found["duration_s"] = [None if x != x else x for x in events.duration_s.tolist()]
    if events.good is not None:
        found["good"] = events.good.tolist()
    for name, column in events.values.items():
        found[name] = [None if x != x else x for x in column.tolist()]
    for name, labels in events.labels.items():
        found[name] = labels.decode()
    return found


def read(text: bytes | str, **options: Any) -> Events:
    """The events of a text."""
    data = text.encode() if isinstance(text, str) else text
    return read_events(io.BytesIO(data), **options)


def clf_stamp(time_s: int, offset_min: int) -> str:
    """The stamp that Apache writes, made by the standard library."""
    zone = dt.timezone(dt.timedelta(minutes=offset_min))
    local = dt.datetime.fromtimestamp(time_s, zone)
    sign = "-" if offset_min < 0 else "+"
    hours, minutes = divmod(abs(offset_min), 60)
    return (
        f"{local.day:02}/{MONTHS[local.month - 1]}/{local.year:04}:{local:%H:%M:%S} "
        f"{sign}{hours:02}{minutes:02}"
    )


@dataclass(frozen=True)
class Request:
    """One request, before it is written."""

    time_s: int
    offset_min: int
    status: int
    method: str
    route: str
    query: str
    proto: str
    user: str
    agent: str
    sent: int | None
    duration_ms: int
    client: str


ROUTES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x17F, exclude_characters="?#\x7f"), max_size=12
).map(lambda text: "/" + text)
AGENTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
REQUESTS = st.builds(
    Request,
    time_s=st.integers(0, 4_000_000_000),
    offset_min=st.integers(-14 * 60, 14 * 60),
    status=st.integers(100, 599),
    method=st.sampled_from(("GET", "POST", "HEAD", "PROPFIND", "M-SEARCH")),
    route=ROUTES,
    query=st.sampled_from(("", "?a=1", "?q=x%20y&z", "?")),
    proto=st.sampled_from(("HTTP/1.0", "HTTP/1.1", "HTTP/2.0")),
    user=st.sampled_from(("-", "frank", "John Smith", "a [b] c", "jo-anne")),
    agent=AGENTS,
    sent=st.none() | st.integers(0, 10**12),
    duration_ms=st.integers(0, 10**7),
    client=st.sampled_from(("192.0.2.1", "2001:db8::1", "::1", "host.example")),
)


def escaped(text: str) -> str:
    """The text as Apache logs it between quotes."""
    return re.sub(
        r"[\x00-\x1f\x7f-\uffff]",
        lambda found: "".join(f"\\x{byte:02x}" for byte in found[0].encode()),
        text.replace("\\", "\\\\").replace('"', '\\"'),
    )


def log_line(request: Request, style: str) -> str:
    """The request in one of the styles."""
    line = (
        f"{request.client} - {request.user} [{clf_stamp(request.time_s, request.offset_min)}] "
        f'"{request.method} {escaped(request.route)}{request.query} {request.proto}" '
        f"{request.status} {'-' if request.sent is None else request.sent}"
    )
    combined = f'{line} "-" "{escaped(request.agent)}"'
    seconds = f"{request.duration_ms // 1000}.{request.duration_ms % 1000:03}"
    return {
        "common": line,
        "combined": combined,
        "vhost": f"shop.example:443 {combined}",
        "common seconds": f"{line} {seconds}",
        "combined seconds": f"{combined} {seconds}",
        "combined micros": f"{combined} {request.duration_ms * 1000}",
        "keys": f'{combined} rt={seconds} uct="0.000" urt="{seconds}"',
        "later key": f"{combined} cs=- rt={seconds}",
        "quoted key": f'{combined} rt="{seconds}"',
        "forwarded": f'{combined} "-" {seconds} {seconds}',
        "middle": f'{line} {seconds} "-" "{escaped(request.agent)}"',
    }[style]


STYLES = (
    "common",
    "combined",
    "vhost",
    "common seconds",
    "combined seconds",
    "combined micros",
    "keys",
    "later key",
    "quoted key",
    "forwarded",
    "middle",
)


@pytest.mark.parametrize("style", STYLES)
@given(requests=st.lists(REQUESTS, min_size=1, max_size=8))
def test_what_is_logged_is_read_back(style: str, requests: list[Request]) -> None:
    """Every column of every request survives the way through each style of log."""
    text = "".join(f"{log_line(request, style)}\n" for request in requests)
    events = read(text, values=["bytes"], labels=None, errors="raise")
    requests = sorted(requests, key=lambda request: request.time_s)
    found = columns(events)
    assert found["time"] == [request.time_s * SECOND for request in requests]
    assert found["status"] == [request.status for request in requests]
    assert found["method"] == [request.method for request in requests]
    assert found["route"] == [request.route for request in requests]
    assert found["bytes"] == [request.sent for request in requests]
    if style not in ("common", "combined", "vhost"):
        assert found["duration_s"] == [request.duration_ms / 1000 for request in requests]
    if style == "vhost":
        assert found["host"] == ["shop.example"] * len(requests)
    assert events.reading.skipped == 0


LAYOUTS = (
    Layout(name="plain"),
    Layout(name="vhost", vhost=True),
    Layout(name="after agent", duration=Field(4, 0), unit="s"),
    Layout(name="micros", duration=Field(4, 0), decimals=6, whole=True, unit="us"),
    Layout(name="after bytes", duration=Field(0, 2), decimals=3, unit="ms"),
    Layout(name="key", duration=Field(4, 1, b"rt="), decimals=9, unit="ns"),
    Layout(name="quoted key", duration=Field(4, 0, b'rt="'), unit="s"),
    Layout(name="quoted", duration=Field(5, -1), unit="s"),
)
FRAGMENTS = st.sampled_from(
    (
        *('"', "\\", '\\"', "\\x22", " ", "[", "]", "-", "\r", "\0", "\x80", "?", ".", "rt=", "9"),
        *(
            " 0.5",
            " 12",
            ' "0.25"',
            ' rt="0.1"',
            "999",
            " - ",
            '" 200 ',
            "] ",
            "1.",
            ".5",
            ",",
            ";",
        ),
        *("12345678901234567890", "[01/Jan/2026:00:00:00 +0000]", "[2026-01-01T00:00:00Z]"),
        *("[1767225600.250]", "[1767225600]", "[31/Feb/2026:00:00:00 +0000]", "0" * 70, " " * 70),
    )
)


@st.composite
def mutated_lines(draw: st.DrawFn) -> str:
    """A line of some style with a few pieces cut out, put in or exchanged."""
    line = log_line(draw(REQUESTS), draw(st.sampled_from(STYLES)))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, min(start + 12, len(line))))
        line = line[:start] + draw(FRAGMENTS | st.just("")) + line[end:]
    return line


def one_by_one(text: bytes, layout: Layout, *, fast: bool, size: int = 1 << 20) -> Any:
    """Everything that a `LogReader` says about a text."""
    assembly = Assembly(strict=False, now=None)
    names = ("method", "route", "proto", "host")
    reader = LogReader(
        layout, {name: assembly.dictionary(name) for name in names}, bytes_sent=True, fast=fast
    )
    assembly.begin("log")
    skips = []
    found: dict[str, list[Any]] = {}
    for block in blocks(ByteStream(io.BytesIO(text), "log"), size=size):
        batch = reader.read(block)
        skips.append((batch.skips.count, list(batch.skips.samples)))
        found.setdefault("line", []).extend(batch.line.tolist())
        found.setdefault("time", []).extend(batch.time.tolist())
        for (kind, name), column in batch.columns().items():
            texts = list(assembly.dictionary(name)) if kind == "label" else []
            listed = [
                (texts[code] if code >= 0 else None) if kind == "label" else repr(code)
                for code in column.tolist()
            ]
            found.setdefault(f"{kind} {name}", []).extend(listed)
    count = sum(count for count, _ in skips)
    return found, count, [sample for _, samples in skips for sample in samples][:10]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@given(lines=st.lists(mutated_lines(), min_size=1, max_size=6), end=st.sampled_from(("\n", "\r\n")))
@example(lines=['x [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200'], end="\n")
@example(lines=['[01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 5 0.1'], end="\n")
@example(lines=["", '"', '""', '" 200', "   "], end="\n")
def test_reading_whole_blocks_equals_reading_line_by_line(
    layout: Layout, lines: list[str], end: str
) -> None:
    """The fast way and the strict one agree on every line, good, odd or bad."""
    text = end.join(lines).encode("utf-8", "surrogateescape")
    assert one_by_one(text, layout, fast=True) == one_by_one(text, layout, fast=False)


@given(
    lines=st.lists(mutated_lines(), min_size=1, max_size=8),
    size=st.integers(1, 600),
    end=st.sampled_from(("", "\n", "\n\n")),
)
def test_the_size_of_the_blocks_changes_nothing(lines: list[str], size: int, end: str) -> None:
    """However the bytes are cut into blocks, the same events come out."""
    text = ("\n".join(lines) + end).encode()
    layout = LAYOUTS[2]
    assert one_by_one(text, layout, fast=True, size=size) == one_by_one(text, layout, fast=True)


PLAIN = '192.0.2.1 - - [01/Mar/2026:12:00:00 +0100] "GET /a?b=1 HTTP/1.1" 200 5'


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET / HTTP/1.1", ("GET", "/", "HTTP/1.1")),
        ("GET /a b HTTP/1.0", ("GET", "/a b", "HTTP/1.0")),
        ("GET /old", ("GET", "/old", None)),
        ("OPTIONS * HTTP/1.1", ("OPTIONS", "*", "HTTP/1.1")),
        ("GET http://shop.example/a?b HTTP/1.1", ("GET", "/a", "HTTP/1.1")),
        ("GET http://shop.example HTTP/1.1", ("GET", "/", "HTTP/1.1")),
        ("CONNECT shop.example:443 HTTP/1.1", ("CONNECT", "shop.example:443", "HTTP/1.1")),
        (r"GET /\"x\"\x22 HTTP/1.1", ("GET", '/"x""', "HTTP/1.1")),
        (r"\x16\x03\x01", (None, None, None)),
        ("-", (None, None, None)),
        ("", (None, None, None)),
        ("GET", (None, None, None)),
        ("GET ?q HTTP/1.1", ("GET", None, "HTTP/1.1")),
    ],
)
def test_request_lines_are_taken_apart(
    request_line: str, expected: tuple[str | None, str | None, str | None]
) -> None:
    """Method, route and protocol come out of what servers log; what is no request has none."""
    assert split_request(request_line.encode()) == expected
    line = f'h - - [01/Mar/2026:12:00:00 +0000] "{request_line}" 400 -'
    found = columns(read(line, labels=["method", "route", "proto"]))
    assert (found["method"][0], found["route"][0], found["proto"][0]) == expected


@pytest.mark.parametrize(
    ("stamp", "time_ns"),
    [
        ("01/Mar/2026:12:00:00 +0100", 1_772_362_800 * SECOND),
        ("29/Feb/2024:23:59:60 +0000", 1_709_251_200 * SECOND),
        ("2026-03-01T12:00:00+01:00", 1_772_362_800 * SECOND),
        ("2026-03-01T11:00:00.123456789Z", 1_772_362_800 * SECOND + 123_456_789),
        ("1772362800.250", 1_772_362_800 * SECOND + 250_000_000),
    ],
)
def test_times_in_the_brackets(stamp: str, time_ns: int) -> None:
    """Common stamps with any zone, ISO 8601 and nginx msec are instants."""
    assert read(PLAIN.replace("01/Mar/2026:12:00:00 +0100", stamp)).time.tolist() == [time_ns]


@pytest.mark.parametrize(
    "stamp",
    [
        "30/Feb/2026:12:00:00 +0000",
        "01/mar/2026:12:00:00 +0000",
        "01/Mar/2026:24:00:00 +0000",
        "01/Mar/2026:12:60:00 +0000",
        "01/Mar/2026:12:00:00 +2400",
        "01/Mar/2026:12:00:00",
        "2026-03-01T12:00:00",
        "yesterday",
    ],
)
def test_times_that_do_not_exist_are_bad_lines(stamp: str) -> None:
    """A time that cannot be is a bad line that says so, never a guess."""
    events = read(f"{PLAIN}\n{PLAIN.replace('01/Mar/2026:12:00:00 +0100', stamp)}\n")
    assert len(events) == 1
    (sample,) = events.reading.samples
    assert sample.line == 2
    assert stamp in sample.why


@pytest.mark.parametrize("status", ["999", "000", "099", "600", "-", "20", "2000", "2xx"])
def test_a_status_outside_100_to_599_is_a_bad_line(status: str) -> None:
    """An impossible status is counted and shown with its line number."""
    events = read(f"{PLAIN}\n{PLAIN.replace(' 200 ', f' {status} ')}\n{PLAIN}\n")
    assert len(events) == 2
    assert events.reading.skipped == 1
    assert events.reading.samples[0].line == 2
    assert f"status {status} is not one of 100 to 599" in events.reading.samples[0].why


def test_strict_reading_names_the_first_bad_line() -> None:
    """With errors="raise" the first bad line ends the reading, and the error has its number."""
    text = f"{PLAIN}\n\n{PLAIN}\nnonsense\n{PLAIN.replace(' 200 ', ' 999 ')}\n"
    with pytest.raises(SourceFormatError, match=r"line 4: .*nonsense") as caught:
        read(text, errors="raise")
    assert caught.value.line == 4


def test_blank_lines_and_line_ends_do_not_count_as_bad() -> None:
    """CRLF, a byte order mark, blank lines and a missing last line end are all plain."""
    text = b"\xef\xbb\xbf" + f"\r\n{PLAIN}\r\n  \r\n\n{PLAIN}".encode()
    events = read(text, errors="raise")
    assert len(events) == 2
    assert events.reading.lines == 5
    assert events.reading.skipped == 0


def test_a_mixed_log_is_read_by_its_majority() -> None:
    """Lines of another format are bad lines of the format that most lines have."""
    json_line = '{"time": "2026-03-01T12:00:00Z", "status": 200}'
    events = read(f"{PLAIN}\n{json_line}\n{PLAIN}")
    assert (len(events), events.reading.skipped) == (2, 1)
    events = read(f"{json_line}\n{PLAIN}\n{json_line}")
    assert (len(events), events.reading.skipped) == (2, 1)
    assert events.reading.formats == ("JSON lines",)


@pytest.mark.parametrize(
    ("tail", "unit", "seconds", "why"),
    [
        ('"-" "agent" 0.120', "s", 0.12, "decimal point"),
        ('"-" "agent" 120000', "us", 0.12, "whole number"),
        ('"-" "agent" "-" 0.120 0.100 .', "s", 0.12, "decimal point"),
        ('"-" "agent" 1234 0.120 [up] [] 10.0.0.1:80 5 0.110 200 id', "s", 0.12, "decimal point"),
        ('"-" "agent" request_time=0.120', "s", 0.12, "by its name"),
        ('"-" "agent" latency_ms=120', "ms", 0.12, "by its name"),
        ('"-" "agent" "0.120"', "s", 0.12, "decimal point"),
    ],
)
def test_the_unit_of_durations_is_inferred_and_said(
    tail: str, unit: str, seconds: float, why: str
) -> None:
    """A decimal point means seconds, a whole number microseconds, a name what it says."""
    events = read(f"{PLAIN} {tail}\n" * 3)
    assert columns(events)["duration_s"] == [seconds] * 3
    (file,) = events.reading.files
    assert file.duration_unit == unit
    assert why in file.duration_why


def test_a_named_unit_beats_the_inferred_one() -> None:
    """duration_unit decides, whatever the number looks like."""
    events = read(f'{PLAIN} "-" "agent" 120', duration_unit="ms")
    assert columns(events)["duration_s"] == [0.12]
    assert events.reading.duration_unit == "ms"


def test_several_whole_numbers_behind_are_not_guessed_at() -> None:
    """Bytes in and out (Apache combinedio) are not taken for a duration; a place can be named."""
    text = f'{PLAIN} "-" "agent" 512 90000'
    events = read(text)
    assert events.duration_s is None
    assert any("2 trailing whole numbers" in said for said in events.reading.sentences())
    assert columns(read(text, columns={"duration": "2"}))["duration_s"] == [0.09]
    with pytest.raises(InvalidInputError, match=r'no field "3".*1, 2'):
        read(text, columns={"duration": "3"})


def test_a_dash_for_the_duration_is_missing_not_bad() -> None:
    """A request without a duration keeps its place with a missing one."""
    events = read(f'{PLAIN} "-" "a" 0.5\n{PLAIN} "-" "a" -\n{PLAIN} "-" "a"\n')
    assert columns(events)["duration_s"] == [0.5, None, None]
    assert events.reading.skipped == 0


def test_a_virtual_host_in_front_is_a_label() -> None:
    """The host that stands first is kept without its port."""
    text = f"shop.example:443 {PLAIN}\n[2001:db8::1]:80 {PLAIN}\napi.example:80 {PLAIN}\n"
    events = read(text)
    assert columns(events)["host"] == ["shop.example", "[2001:db8::1]", "api.example"]
    assert events.reading.formats == ("common log with virtual host",)
    assert columns(read(f"shop.example {PLAIN}"))["host"] == ["shop.example"]


def test_only_the_wanted_labels_are_kept() -> None:
    """labels=[...] keeps those; an unknown one is refused with the closest known."""
    assert set(read(PLAIN, labels=["route"]).labels) == {"route"}
    assert not read(PLAIN, labels=[]).labels
    with pytest.raises(InvalidInputError, match='did you mean "route"'):
        read(PLAIN, labels=["routes"])
    with pytest.raises(InvalidInputError, match="list of names"):
        read(PLAIN, labels="route")
    with pytest.raises(InvalidInputError, match='only the "duration" can be named'):
        read(PLAIN, columns={"status": "x"})


def test_events_out_of_order_are_sorted_stably_and_said() -> None:
    """Late events count, in their place; equal times keep the order of the file."""
    late = PLAIN.replace("12:00:00", "11:59:59").replace("/a?b=1", "/late")
    same = PLAIN.replace("/a?b=1", "/second")
    events = read(f"{PLAIN}\n{same}\n{late}")
    assert columns(events)["route"] == ["/late", "/a", "/second"]
    assert events.reading.out_of_order == 1
    assert any("out of time order, sorted" in said for said in events.reading.sentences())


def test_events_in_the_future_are_left_out_and_counted() -> None:
    """What lies after now is no event yet; strict reading refuses it with its line."""
    later = PLAIN.replace("12:00:00", "12:00:01")
    text = f"{PLAIN}\n{later}\n"
    events = read(text, now="2026-03-01T11:00:00Z")
    assert len(events) == 1
    assert events.reading.future == 1
    assert any("in the future" in said for said in events.reading.sentences())
    with pytest.raises(SourceFormatError, match="line 2: event in the future") as caught:
        read(text, now="2026-03-01T11:00:00Z", errors="raise")
    assert caught.value.line == 2


def test_equal_lines_are_equal_requests() -> None:
    """Nothing is removed as a duplicate."""
    assert len(read(f"{PLAIN}\n" * 7)) == 7


def test_very_many_distinct_requests_keep_their_routes() -> None:
    """Forgetting cached request lines between blocks loses no label."""
    count = 70_000
    lines = [PLAIN.replace("/a?b=1", f"/r{n % 3}?id={n}") for n in range(count)]
    events = read("\n".join(lines))
    codes = events.labels["route"].codes
    assert sorted(events.labels["route"].values) == ["/r0", "/r1", "/r2"]
    assert np.bincount(codes).tolist() == [count // 3 + 1, count // 3, count // 3]


def _found(lines: Iterable[str]) -> Layout:
    stream = ByteStream(io.BytesIO("\n".join(lines).encode()), "x")
    return find_layout(find_format(stream, None).log)


def test_the_layout_is_that_of_most_lines() -> None:
    """A few odd lines do not change how a log is read."""
    usual = f'{PLAIN} "-" "agent" 0.25'
    layout = _found([usual] * 9 + [PLAIN, f"shop.example:443 {PLAIN}"])
    assert layout.duration == Field(4, 0)
    assert layout.name == "combined log with duration"
    assert not layout.vhost


def test_a_line_says_what_is_wrong_with_it() -> None:
    """parse_line gives the parts of a good line and one reason for a bad one."""
    parts = parse_line(PLAIN.encode())
    assert isinstance(parts, LogLine)
    assert (parts.who, parts.status) == (b"192.0.2.1 - -", 200)
    assert parse_line(b"nonsense") == 'no [time] "request" status in it'
    assert "999" in str(parse_line(PLAIN.replace(" 200 ", " 999 ").encode()))


def test_routes_are_paths_without_query_and_fragment() -> None:
    """A route names the resource, not the call."""
    assert route_of("/a?b#c") == "/a"
    assert route_of("/a#c?b") == "/a"
    assert route_of("?b") is None


@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ("GET", "get", "PUT", " ", "/a", "?", "q=1", "#", "HTTP/1.1", "http://h")
            ),
            max_size=8,
        ).map("".join),
        min_size=1,
        max_size=6,
    )
)
def test_the_cache_of_request_lines_changes_nothing(lines: list[str]) -> None:
    """Codes of many lines are those of each line taken apart on its own."""
    dictionaries = {"method": Dictionary(), "route": Dictionary()}
    codes = Requests(dictionaries, dictionaries).codes(line.encode() for line in lines * 2)
    for place, name in enumerate(("method", "route")):
        texts: list[str | None] = [*dictionaries[name], None]
        found = [texts[code] for code in codes[name].tolist()]
        assert found == [split_request(line.encode())[place] for line in lines * 2]


def test_dictionaries_give_codes_in_order() -> None:
    """Codes count the distinct texts as they come."""
    dictionary = Dictionary()
    assert [dictionary[text] for text in "abac"] == [0, 1, 0, 2]


def test_facts_start_empty() -> None:
    """Each file has its own notes."""
    assert FileFacts("a", "log").notes is not FileFacts("b", "log").notes
