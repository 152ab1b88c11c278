"""Alertmanager: the right people hear of the right alerts, and no secret is written down."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.errors import InvalidInputError
from errorbudget.rules import Receiver, alertmanager_config
from tests.prometheus_binaries import binary

PAGER = Receiver("pager", {"webhook_configs": [{"url": "http://127.0.0.1:5001/page"}]})
TICKETS = Receiver(
    "tickets",
    {"slack_configs": [{"api_url_file": "/etc/alertmanager/slack", "channel": "#slo"}]},
)
LOG = Receiver("log")
NIGHT = Receiver("night-shift", {"webhook_configs": [{"url": "http://127.0.0.1:5001/night"}]})


def config(**given: Any) -> Any:
    slos = [
        eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability(), team="core"),
        eb.SLO("tools", target="99%", window="24h", sli=eb.ErrorRate()),
    ]
    settings = {"page": PAGER, "ticket": TICKETS, "info": LOG, **given}
    return alertmanager_config(slos, **settings)


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [binary("amtool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_amtool_takes_it_and_routes(tmp_path: Path) -> None:
    """Each severity reaches its receiver, a team's own page comes first, strangers go elsewhere."""
    path = tmp_path / "alertmanager.yml"
    path.write_text(config(default=Receiver("others"), teams={"core": {"page": NIGHT}}).to_yaml())
    done = amtool("check-config", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    for labels, receiver in (
        ("slo=tools severity=page", "pager"),
        ("slo=tools severity=critical", "pager"),
        ("slo=tools severity=ticket", "tickets"),
        ("slo=tools severity=warning", "tickets"),
        ("slo=tools severity=info", "log"),
        ("slo=tools severity=odd", "log"),
        ("slo=api team=core severity=critical", "night-shift"),
        ("slo=api team=core severity=ticket", "tickets"),
        ("slo=api team=core severity=info", "log"),
        ("alertname=DiskFull severity=critical", "others"),
    ):
        done = amtool("config", "routes", "test", f"--config.file={path}", *labels.split())
        assert done.stdout.strip() == receiver, labels


def test_the_urgent_silences_the_rest() -> None:
    """Inhibition goes from page to ticket and info, and from ticket to info, per objective."""
    first, second = config().inhibit_rules
    assert first["source_matchers"][0] == 'severity=~"page|critical"'
    assert first["target_matchers"][0] == 'severity=~"ticket|warning|info"'
    assert second["target_matchers"][0] == 'severity=~"info"'
    assert first["equal"] == ["slo", "service"]


@pytest.mark.parametrize("key", ["routing_key", "service_key", "api_url", "password", "token"])
def test_secrets_are_refused(key: str) -> None:
    """A secret belongs into a file that only Alertmanager reads, however deep it stands."""
    with pytest.raises(InvalidInputError, match=f"{key}_file") as caught:
        Receiver("x", {"any_configs": [{"http_config": {"basic_auth": {key: "swordfish"}}}]})
    assert "swordfish" not in str(caught.value)


def test_contradictions_are_refused() -> None:
    """Unknown levels and teams, and two receivers of one name."""
    with pytest.raises(InvalidInputError, match="no level"):
        config(repeat={"shout": "1h"})
    with pytest.raises(InvalidInputError, match="no SLO belongs"):
        config(teams={"nobody": {"page": NIGHT}})
    with pytest.raises(InvalidInputError, match="two receivers"):
        config(info=Receiver("pager"))
    with pytest.raises(InvalidInputError, match="needs a name"):
        Receiver("")
