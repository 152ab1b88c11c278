"""
Pictures of answers, drawn by matplotlib (extra `plot`).

    draw             the picture of any answer, as its `.plot()` gives it
    status_figure    burn-down of one window, SLI, burn rates against their thresholds
    history_figure   the same along time
    ..._figure       one for each answer: see the how-to page "Pictures"
    picture          a figure as PNG or SVG, on light or dark paper
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from errorbudget.plot.figures import history_figure as history_figure
    from errorbudget.plot.figures import status_figure as status_figure
    from errorbudget.plot.files import picture as picture

_HOME = {
    "history_figure": "figures",
    "status_figure": "figures",
    "picture": "files",
    **dict.fromkeys(
        (
            "report_figure",
            "review_figure",
            "series_figure",
            "slo_figure",
            "spend_figure",
            "standing_figure",
        ),
        "standing",
    ),
    **dict.fromkeys(("quiet_alert_figure", "reviewed_figure", "trend_figure"), "reviews"),
    **dict.fromkeys(("comparison_figure", "composite_figure"), "together"),
    **dict.fromkeys(
        (
            "backtest_figure",
            "forecast_figure",
            "policy_figure",
            "recommendation_figure",
            "recovery_figure",
            "simulation_figure",
        ),
        "studies",
    ),
    **dict.fromkeys(
        (
            "advice_figure",
            "attribution_figure",
            "confidence_figure",
            "deploy_figure",
            "least_traffic_figure",
            "ledger_figure",
            "lint_figure",
            "verdict_figure",
        ),
        "spending",
    ),
}

_PICTURE_OF = {
    "Advice": "advice_figure",
    "Attribution": "attribution_figure",
    "Backtest": "backtest_figure",
    "BurnVerdict": "verdict_figure",
    "Comparison": "comparison_figure",
    "CompositeStatus": "composite_figure",
    "Confidence": "confidence_figure",
    "CountSeries": "series_figure",
    "DailySpend": "spend_figure",
    "DeployEffect": "deploy_figure",
    "Forecast": "forecast_figure",
    "History": "history_figure",
    "LeastTraffic": "least_traffic_figure",
    "Ledger": "ledger_figure",
    "LintReport": "lint_figure",
    "PolicyResult": "policy_figure",
    "Recommendation": "recommendation_figure",
    "Recovery": "recovery_figure",
    "Report": "report_figure",
    "QuietAlert": "quiet_alert_figure",
    "Review": "review_figure",
    "SLO": "slo_figure",
    "SLOReview": "reviewed_figure",
    "Simulation": "simulation_figure",
    "Status": "standing_figure",
    "Trend": "trend_figure",
}
"""By the name of a type, since the floors below have not heard of pictures."""

__all__ = sorted({*_HOME, "draw"})  # noqa: PLE0605


def draw(answer: Any) -> Any:
    """
    The picture of an answer.

    Returns:
        A matplotlib figure.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        TypeError: *answer* has no picture.
    """
    for kind in type(answer).__mro__:
        if kind.__name__ in _PICTURE_OF:
            return __getattr__(_PICTURE_OF[kind.__name__])(answer)
    raise TypeError(f"{type(answer).__name__} has no picture")


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'errorbudget.plot' has no attribute {name!r}")
    from importlib import import_module

    from errorbudget.errors import MissingDependencyError

    try:
        return getattr(import_module(f"errorbudget.plot.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise MissingDependencyError.for_extra("plot", "matplotlib", "plot") from error
