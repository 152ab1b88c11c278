"""
Alertmanager: who hears of which alert, and which alert silences which.

Urgency decides the receiver; an urgent alert of an objective silences its less urgent ones.
Secrets are file references: a token or an address with a token in it is refused, so that none ends
up in a repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from errorbudget.alerts.burn import SEVERITIES
from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.rules.yaml_text import to_yaml
from errorbudget.slo import SLO, as_slos

__all__ = ["LEVELS", "AlertmanagerConfig", "Receiver", "alertmanager_config"]

LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"page": ("page", "critical"), "ticket": ("ticket", "warning"), "info": ("info",)}
)
"""What the severities of alert policies mean: wake someone, write it down, mention it."""

_SECRETS = {
    "api_key",
    "api_url",
    "auth_password",
    "auth_secret",
    "bot_token",
    "credentials",
    "password",
    "routing_key",
    "service_key",
    "slack_api_url",
    "token",
    "user_key",
    "webhook_url",
}


@dataclass(frozen=True, slots=True)
class Receiver:
    """
    Who is told.

    Args:
        name: Name of the receiver.
        configs: Ways of telling, as Alertmanager writes them, such as
            `{"slack_configs": [{"api_url_file": "/etc/alertmanager/slack", "channel": "#slo"}]}`.

    Raises:
        InvalidInputError: A secret stands in it instead of in a file.

    Example:
        >>> Receiver("pager", {"pagerduty_configs": [{"routing_key": "R0"}]})
        Traceback (most recent call last):
        ...
        errorbudget.errors.InvalidInputError: receiver "pager" holds a secret in routing_key: ...
    """

    name: str
    configs: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name:
            raise InvalidInputError("a receiver needs a name")
        _refuse_secrets(self.name, self.configs)

    def to_dict(self) -> dict[str, Any]:
        """The receiver as plain data."""
        return {"name": self.name, **{kind: [*ways] for kind, ways in self.configs.items()}}


def _refuse_secrets(name: str, data: Any) -> None:
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key in _SECRETS:
                raise InvalidInputError(
                    f'receiver "{name}" holds a secret in {key}: write it into a file that only '
                    f"Alertmanager can read, and give {key}_file"
                )
            _refuse_secrets(name, value)
    elif isinstance(data, (list, tuple)):
        for part in data:
            _refuse_secrets(name, part)


@dataclass(frozen=True, slots=True)
class AlertmanagerConfig:
    """
    A configuration of Alertmanager.

    Attributes:
        route: The tree of routes.
        inhibit_rules: Which alert silences which.
        receivers: Who is told.
    """

    route: Mapping[str, Any]
    inhibit_rules: Sequence[Mapping[str, Any]]
    receivers: Sequence[Receiver]

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain data."""
        return {
            "route": dict(self.route),
            "inhibit_rules": [dict(rule) for rule in self.inhibit_rules],
            "receivers": [receiver.to_dict() for receiver in self.receivers],
        }

    def to_yaml(self) -> str:
        """The configuration as Alertmanager reads it."""
        return to_yaml(self.to_dict())


def alertmanager_config(
    slos: SLO | Iterable[SLO],
    *,
    page: Receiver,
    ticket: Receiver,
    info: Receiver,
    default: Receiver | None = None,
    teams: Mapping[str, Mapping[str, Receiver]] | None = None,
    group_wait: DurationLike = "30s",
    group_interval: DurationLike = "5m",
    repeat: Mapping[str, DurationLike] | None = None,
) -> AlertmanagerConfig:
    """
    Routes, inhibit rules and receivers for the alerts of objectives.

    Args:
        slos: The objectives, as given to `prometheus_rules`; their names keep the routes apart from
            other alerts of the same Alertmanager.
        page: Hears of "page" and "critical".
        ticket: Hears of "ticket" and "warning".
        info: Hears of "info".
        default: Hears of everything else; by default *info*.
        teams: Receivers by level, by the name of a team, for its own objectives.
        group_wait: How long alerts of one objective are collected before the first message.
        group_interval: How long until news of a group is told.
        repeat: How long until a firing alert is told again, by level.

    Raises:
        InvalidInputError: A level or a team is not known, or two receivers share a name.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99.9%", window="30d", sli=Availability())
        >>> config = alertmanager_config(
        ...     slo, page=Receiver("a"), ticket=Receiver("b"), info=Receiver("c")
        ... )
        >>> [route["receiver"] for route in config.route["routes"][0]["routes"]]
        ['a', 'b', 'c']
    """
    wanted = as_slos(slos, distinct=False)
    usual = {"page": page, "ticket": ticket, "info": info}
    waits: dict[str, DurationLike] = {
        "page": "1h",
        "ticket": "12h",
        "info": "24h",
        **(repeat or {}),
    }
    own = dict(teams or {})
    _check_levels([*waits, *(level for levels in own.values() for level in levels)])
    known = {slo.team for slo in wanted}
    for team in own:
        if team not in known:
            raise InvalidInputError(
                f'no SLO belongs to team "{team}", only to '
                f"{', '.join(sorted(filter(None, known))) or 'none'}"
            )
    routes = [
        {
            "matchers": [f'team="{team}"'],
            "routes": _by_level({**usual, **levels}, waits),
            "receiver": {**usual, **levels}["info"].name,
        }
        for team, levels in own.items()
    ]
    route = {
        "receiver": (default or info).name,
        "group_by": ["slo", "service"],
        "group_wait": _span(group_wait),
        "group_interval": _span(group_interval),
        "repeat_interval": _span(waits["info"]),
        "routes": [
            {
                "matchers": ['slo=~".+"'],
                "receiver": info.name,
                "routes": [*routes, *_by_level(usual, waits)],
            }
        ],
    }
    receivers = _distinct(
        [
            *usual.values(),
            *(one for levels in own.values() for one in levels.values()),
            default or info,
        ]
    )
    return AlertmanagerConfig(route, _inhibitions(), receivers)


def _check_levels(levels: Iterable[str]) -> None:
    for level in levels:
        if level not in LEVELS:
            raise InvalidInputError(f'"{level}" is no level; there are {", ".join(LEVELS)}')


def _span(length: DurationLike) -> str:
    return format_duration(parse_duration(length))


def _by_level(
    receivers: Mapping[str, Receiver], waits: Mapping[str, DurationLike]
) -> list[dict[str, Any]]:
    return [
        {
            "matchers": [f'severity=~"{"|".join(severities)}"'],
            "receiver": receivers[level].name,
            "repeat_interval": _span(waits[level]),
        }
        for level, severities in LEVELS.items()
    ]


def _inhibitions() -> list[dict[str, Any]]:
    """A more urgent alert of the same objective silences the less urgent ones."""
    levels = sorted(LEVELS, key=lambda level: min(SEVERITIES.index(word) for word in LEVELS[level]))
    rules = []
    for index, level in enumerate(levels[:-1]):
        lesser = [word for later in levels[index + 1 :] for word in LEVELS[later]]
        rules.append(
            {
                "source_matchers": [f'severity=~"{"|".join(LEVELS[level])}"', 'slo=~".+"'],
                "target_matchers": [f'severity=~"{"|".join(lesser)}"', 'slo=~".+"'],
                "equal": ["slo", "service"],
            }
        )
    return rules


def _distinct(receivers: Iterable[Receiver]) -> tuple[Receiver, ...]:
    found: dict[str, Receiver] = {}
    for receiver in receivers:
        if found.setdefault(receiver.name, receiver) != receiver:
            raise InvalidInputError(f'two receivers are called "{receiver.name}"')
    return tuple(found.values())
