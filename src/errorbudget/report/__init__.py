"""
Faces for people and machines: what a report says (`document`), and its forms.

    document     the answers with what they were read from
    to_json      the contract errorbudget.report/1
    to_markdown  for pull requests, chats and mail
    to_html      one page that needs nothing else
    to_csv       one row an SLO
    to_slack     a message of blocks
    to_teams     a message with a card

The terminal's form lives with the command line.
"""

from __future__ import annotations

from errorbudget.report.chat import to_slack, to_teams
from errorbudget.report.defaults import default_slos
from errorbudget.report.document import Document, document
from errorbudget.report.json_form import report_schema, to_json
from errorbudget.report.markdown import to_markdown
from errorbudget.report.rows import to_csv

__all__ = [
    "Document",
    "default_slos",
    "document",
    "report_schema",
    "to_csv",
    "to_json",
    "to_markdown",
    "to_slack",
    "to_teams",
]
