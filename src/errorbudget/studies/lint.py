"""
Pitfalls of objectives, found before they bite.

Each check has an id that stays, a why and a cure. Those from EB101 on look at the objectives alone;
those from EB201 on also want a history to hold them against.

Source: the SLO guide, "Common Pitfalls"; the arithmetic of `alerts` and `burn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.rationals import shown
from errorbudget.slo import SLO, as_slos
from errorbudget.studies.arguments import listed
from errorbudget.studies.tables import frame

if TYPE_CHECKING:
    from errorbudget.series import CountSeries

__all__ = ["Check", "Finding", "LintReport", "Severity", "lint"]

Severity = Literal["error", "warning", "info"]
_SARIF_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


@dataclass(frozen=True, slots=True)
class Check:
    """
    One pitfall.

    Attributes:
        id: What it is called in every output, such as "EB101".
        title: The pitfall in a few words.
        severity: "error" for what cannot work, "warning" for what rarely does, "info" for a
            thought.
        why: Why it bites.
        cure: What to do.
    """

    id: str
    title: str
    severity: Severity
    why: str
    cure: str


FINDING: Columns = dict.fromkeys(("id", "severity", "subject", "message", "why", "cure"), "text")
"""A finding as a row."""


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One pitfall in one place.

    Attributes:
        check: The pitfall.
        subject: Name of the SLO, or of the service where several SLOs are at fault.
        message: What was found, with its figures.
    """

    check: Check
    subject: str
    message: str

    def to_dict(self) -> dict[str, str]:
        """The finding as plain data, ready for JSON."""
        return {
            "id": self.check.id,
            "severity": self.check.severity,
            "subject": self.subject,
            "message": self.message,
            "why": self.check.why,
            "cure": self.check.cure,
        }

    def __str__(self) -> str:
        return f"{self.check.id} {self.check.severity}: {self.subject}: {self.message}"


@dataclass(frozen=True, slots=True)
class LintReport(Shown, Sequence[Finding]):
    """
    Everything that was found, in the order of the checks.

    Attributes:
        findings: The findings.
    """

    findings: tuple[Finding, ...]

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, key: Any) -> Any:
        return self.findings[key]

    @property
    def ok(self) -> bool:
        """Whether nothing is worse than a thought: no errors and no warnings."""
        return all(finding.check.severity == "info" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The findings as plain data, ready for JSON."""
        return {"ok": self.ok, "findings": [finding.to_dict() for finding in self.findings]}

    def to_pandas(self) -> Any:
        """One row a finding, as a pandas DataFrame."""
        return frame((finding.to_dict() for finding in self.findings), FINDING)

    def to_sarif(self, file: str, *, lines: Mapping[str, int] | None = None) -> dict[str, Any]:
        """
        The findings as SARIF 2.1.0, as code scanning reads it.

        Args:
            file: The specification that the objectives were read from.
            lines: By subject, the line of the file that it stands on; the first by default.
        """
        from errorbudget.studies.pitfalls import CHECKS

        return {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "errorbudget",
                            "rules": [
                                {
                                    "id": check.id,
                                    "shortDescription": {"text": check.title},
                                    "fullDescription": {"text": check.why},
                                    "help": {"text": check.cure},
                                }
                                for check in CHECKS
                            ],
                        }
                    },
                    "results": [
                        {
                            "ruleId": finding.check.id,
                            "level": _SARIF_LEVELS[finding.check.severity],
                            "message": {"text": f"{finding.subject}: {finding.message}"},
                            "locations": [
                                {
                                    "physicalLocation": {
                                        "artifactLocation": {"uri": file},
                                        "region": {
                                            "startLine": (lines or {}).get(finding.subject, 1)
                                        },
                                    }
                                }
                            ],
                        }
                        for finding in self.findings
                    ],
                }
            ],
        }

    def to_github(self, file: str, *, lines: Mapping[str, int] | None = None) -> list[str]:
        """
        The findings as annotations of GitHub's workflow commands, one line each.

        Args:
            file: The specification that the objectives were read from.
            lines: By subject, the line of the file that it stands on, where it is known.
        """
        known = lines or {}
        at = {name: f"line={line}," for name, line in known.items()}
        return [
            f"::{_GITHUB_LEVELS[finding.check.severity]} file={_property(file)},"
            f"{at.get(finding.subject, '')}"
            f"title={_property(finding.check.id + ' ' + finding.check.title)}::"
            f"{_data(f'{finding.subject}: {finding.message}; {finding.check.cure}')}"
            for finding in self.findings
        ]

    def _card(self) -> Card:
        if not self.findings:
            return Card("Pitfalls", "nothing found", "good")
        rows = [
            (
                finding.check.id,
                finding.check.severity,
                finding.subject,
                finding.message,
                finding.check.cure,
            )
            for finding in self.findings
        ]
        found = f"{len(rows)} found"
        tone = "" if self.ok else "bad"
        header = ("id", "severity", "where", "what", "cure")
        return Card("Pitfalls", found, tone, (), header, rows)

    def __str__(self) -> str:
        if not self.findings:
            return "nothing found"
        return "\n".join(f"{finding}\n    {finding.check.cure}" for finding in self.findings)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def lint(
    slos: SLO | Iterable[SLO],
    *,
    counts: Mapping[str, CountSeries] | None = None,
    ignore: Iterable[str] = (),
) -> LintReport:
    """
    Pitfalls of objectives.

    Args:
        slos: The objectives, one or all of a specification.
        counts: By name of the objective, its history as `SLO.count` gives it; without one the
            checks from EB201 on are left out for it.
        ignore: Ids of checks to leave out.

    Raises:
        InvalidInputError: An id, or a name in *counts*, is not known, or *slos* holds something
            else.

    Example:
        >>> from errorbudget.alerts import WORKBOOK
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="90%", window="30d", sli=Availability(), alerts=WORKBOOK)
        >>> for finding in lint(slo, ignore=["EB102"]):
        ...     print(finding)
        EB103 error: api: page-fast wants a burn above 14.4, and a total outage burns at 10
    """
    from errorbudget.series import CountSeries
    from errorbudget.studies.pitfalls import CHECKS, of_history, of_objective, of_service

    every = as_slos(slos, distinct=False, least=0)
    known = tuple(check.id for check in CHECKS)
    skipped = {
        each if isinstance(each, str) else shown(each)
        for each in listed("ignore", ignore, '["EB102"]')
    }
    for name in sorted(skipped):
        if name not in known:
            raise InvalidInputError(
                f'there is no check "{name}"; there are {", ".join(known)}'
                f"{did_you_mean(name, known)}"
            )
    if counts is not None and not isinstance(counts, Mapping):
        raise InvalidInputError(
            f'counts are series by name of the SLO, such as {{"api": ...}}, got {shown(counts)}'
        )
    histories = dict(counts or {})
    if stray := sorted(map(str, histories.keys() - {slo.name for slo in every})):
        raise InvalidInputError(f'counts of "{stray[0]}" belong to no SLO that was given')
    for series in histories.values():
        if not isinstance(series, CountSeries):
            raise InvalidInputError(f"counts are series as SLO.count gives, got {shown(series)}")
    by_service: dict[str, list[SLO]] = {}
    for slo in every:
        by_service.setdefault(slo.service, []).append(slo)
    found: list[Finding] = []
    for service, together in by_service.items():
        found += of_service(service or "(no service)", together)
    for slo in every:
        found += of_objective(slo)
        if slo.name in histories:
            found += of_history(slo, histories[slo.name])
    kept = [finding for finding in found if finding.check.id not in skipped]
    kept.sort(key=lambda finding: finding.check.id)
    return LintReport(tuple(kept))
