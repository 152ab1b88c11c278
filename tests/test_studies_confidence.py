"""Confidence and noise: intervals equal scipy's and published ones, and chances equal sums."""

from __future__ import annotations

from fractions import Fraction
from math import comb, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import (
    SLO,
    WORKBOOK,
    AlertPolicy,
    Availability,
    BurnAlert,
    Counts,
    CountSeries,
    Events,
    Freshness,
    Timeslices,
)
from errorbudget.errors import InvalidInputError, InvalidSeriesError, InvalidTargetError
from errorbudget.studies.backtest import backtest
from errorbudget.studies.chances import (
    beta_cdf,
    beta_quantile,
    binomial_tail,
    hypergeometric_tail,
)
from errorbudget.studies.confidence import (
    confidence,
    confidence_of,
    dispersion,
    error_interval,
)
from errorbudget.studies.low_traffic import quiet_alert
from errorbudget.studies.noise import (
    burn_or_noise,
    chance_to_exceed,
    false_pages_per_month,
    least_bad,
    least_traffic,
)

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
API = SLO("api", target="99%", window="7d", sli=Availability())
levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])
methods = st.sampled_from(["wilson", "clopper-pearson", "jeffreys"])


@st.composite
def counts(draw: st.DrawFn, most: int = 3_000) -> Counts:
    """Few and many events, all good and all bad ones among them."""
    total = draw(st.one_of(st.integers(1, 30), st.integers(1, most)))
    return Counts.from_total(good=draw(st.integers(0, total)), total=total)


@given(counts(), levels)
def test_exact_and_wilson_equal_scipys(seen: Counts, level: float) -> None:
    """The same ends as `scipy.stats.binomtest(...).proportion_ci`."""
    stats = pytest.importorskip("scipy.stats")
    test = stats.binomtest(seen.bad, seen.total)
    for ours, theirs in (("clopper-pearson", "exact"), ("wilson", "wilson")):
        found = error_interval(seen.bad, seen.total, level=level, method=ours)
        expected = test.proportion_ci(level, method=theirs)
        assert found == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)


@given(counts(), levels, methods)
def test_intervals_equal_those_of_statsmodels(seen: Counts, level: float, method: str) -> None:
    """A second opinion: `statsmodels.stats.proportion.proportion_confint`."""
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    theirs = {"wilson": "wilson", "clopper-pearson": "beta", "jeffreys": "jeffreys"}[method]
    low, high = proportion.proportion_confint(seen.bad, seen.total, 1 - level, method=theirs)
    # Brown, Cai and DasGupta (2001), section 4.1.2, set the ends of Jeffreys' to 0 and 1 there.
    if method == "jeffreys":
        low, high = (low if seen.bad else 0.0), (high if seen.good else 1.0)
    found = error_interval(seen.bad, seen.total, level=level, method=method)
    assert found == pytest.approx((low, high), rel=1e-8, abs=1e-12)


@given(counts(10**7), levels)
def test_jeffreys_equals_the_beta_of_scipy(seen: Counts, level: float) -> None:
    """Quantiles of Beta(bad + 1/2, good + 1/2), with ends at 0 and 1 for none and all bad."""
    stats = pytest.importorskip("scipy.stats")
    found = error_interval(seen.bad, seen.total, level=level, method="jeffreys")
    tail = (1 - level) / 2
    low, high = stats.beta.ppf([tail, 1 - tail], seen.bad + 0.5, seen.good + 0.5)
    expected = (low if seen.bad else 0.0, high if seen.good else 1.0)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("bad", "total", "method", "low", "high"),
    [
        # R. Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I.
        (81, 263, "clopper-pearson", 0.2527, 0.3676),
        (81, 263, "wilson", 0.2553, 0.3662),
        (15, 148, "clopper-pearson", 0.0578, 0.1617),
        (15, 148, "wilson", 0.0624, 0.1605),
        (0, 20, "clopper-pearson", 0.0, 0.1684),
        (0, 20, "wilson", 0.0, 0.1611),
        (1, 29, "clopper-pearson", 0.0009, 0.1776),
        (1, 29, "wilson", 0.0061, 0.1718),
    ],
)
def test_published_intervals(bad: int, total: int, method: str, low: float, high: float) -> None:
    """Newcombe's table, to its four digits."""
    found = error_interval(bad, total, method=method)
    assert [round(end, 4) for end in found] == [low, high]


@given(counts(), levels, methods)
def test_intervals_hold_what_was_seen(seen: Counts, level: float, method: str) -> None:
    """They hold the share seen, lie in [0, 1], mirror, and widen with the level."""
    low, high = error_interval(seen.bad, seen.total, level=level, method=method)
    share = seen.bad / seen.total
    assert 0 <= low <= high <= 1
    if method != "jeffreys":
        assert low <= share <= high
    mirrored = error_interval(seen.good, seen.total, level=level, method=method)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)
    wider = error_interval(seen.bad, seen.total, level=0.999, method=method)
    assert wider[0] <= low + 1e-12
    assert high <= wider[1] + 1e-12


@given(counts(), methods, st.sampled_from(["90%", "99.9%", "100%"]), st.floats(1, 50))
def test_figures_follow_from_one_interval(
    seen: Counts, method: str, target: str, factor: float
) -> None:
    """SLI, burn and budget are one interval in three units; clusters only widen it."""
    found = confidence(seen, target, method=method, dispersion=factor)
    low, high = found.error_range
    assert found.sli == (1 - high, 1 - low)
    if found.error:
        assert found.burn == (low / float(found.error), high / float(found.error))
        assert found.remaining == (1 - found.burn[1], 1 - found.burn[0])
    verdicts = {"met": high <= found.error, "missed": low > found.error}
    assert verdicts.get(found.verdict, not any(verdicts.values()))
    if method == "wilson":
        plain = confidence(seen, target, method=method).error_range
        assert low <= plain[0] + 1e-12
        assert high >= plain[1] - 1e-12


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0.5, 5_000), st.floats(0.5, 5_000))
def test_beta_equals_scipys(x: float, a: float, b: float) -> None:
    """The incomplete beta function, and its inverse."""
    special = pytest.importorskip("scipy.special")
    assert beta_cdf(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-8, abs=1e-10)
    assert beta_cdf(beta_quantile(x, a, b), a, b) == pytest.approx(x, rel=1e-6, abs=1e-8)


@given(st.integers(0, 60), st.integers(0, 61), st.fractions(0, 1, max_denominator=50))
def test_binomial_tail_is_the_sum(total: int, least: int, share: Fraction) -> None:
    """The chance of so many or more, against the sum of exact terms."""
    expected = sum(
        comb(total, bad) * share**bad * (1 - share) ** (total - bad)
        for bad in range(least, total + 1)
    )
    assert binomial_tail(least, total, float(share)) == pytest.approx(float(expected), abs=1e-11)


@pytest.mark.parametrize("total", [10**3, 10**6, 10**9, 10**12, 10**15])
@pytest.mark.parametrize("share", [0.25, 1e-3, 1e-6])
def test_tails_keep_their_digits_among_very_many(total: int, share: float) -> None:
    """Beside scipy's, in the middle and far out: factorials have no logarithms so exact."""
    binom = pytest.importorskip("scipy.stats", reason="missing: scipy; make env").binom
    usual = total * share
    for deviations in (-3, 0, 0.5, 2, 5, 8):
        least = int(usual + deviations * (usual * (1 - share)) ** 0.5) + 1
        if least > 0:
            wanted = binom.sf(least - 1, total, share)
            assert binomial_tail(least, total, share) == pytest.approx(wanted, rel=1e-6), deviations
    # Beyond what scipy answers: half of them lie above the middle.
    assert binomial_tail(10**18, 4 * 10**18, 0.25) == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("drawn", [10**3, 10**6, 10**9, 10**12, 10**15])
def test_fishers_tail_keeps_its_digits_among_very_many(drawn: int) -> None:
    """A tenth of very many holds of 400 bad ones what the binomial distribution says."""
    binom = pytest.importorskip("scipy.stats", reason="missing: scipy; make env").binom
    for least in (20, 40, 60, 80):
        wanted = binom.sf(least - 1, 400, 0.1)
        close = 1e-9 if drawn > 10**12 else 3e3 / drawn
        assert hypergeometric_tail(least, drawn, 400, 10 * drawn) == pytest.approx(wanted, close)


def test_intervals_cover_as_often_as_they_say() -> None:
    """Of 4,000 simulated windows about 95 % of the Wilson intervals hold the truth."""
    random = np.random.default_rng(11)
    share, total = 0.004, 2_000
    seen = random.binomial(total, share, size=4_000)
    held = [
        low <= share <= high for bad in seen.tolist() for low, high in [error_interval(bad, total)]
    ]
    assert 0.93 <= np.mean(held) <= 0.97


def test_clustered_failures_need_the_wider_interval() -> None:
    """Where failures come ten at a time, only the widened interval covers the truth."""
    random = np.random.default_rng(12)
    hours, per_hour, cluster, share = 168, 500, 10, 0.004
    labels = (np.arange(hours) + 1) * HOUR
    total = np.full(hours, per_hour)
    plain, widened, factors = [], [], []
    for _ in range(400):
        bad = np.minimum(random.poisson(per_hour * share / cluster, hours) * cluster, per_hour)
        series = CountSeries(labels, total - bad, total, "1h")
        factor = dispersion(series)
        factors.append(factor)
        failed = int(bad.sum())
        for kept, by in ((plain, 1.0), (widened, factor)):
            low, high = error_interval(failed / by, per_hour * hours / by)
            kept.append(low <= share <= high)
    assert np.mean(factors) == pytest.approx(cluster, rel=0.1)
    assert np.mean(plain) < 0.6
    assert 0.92 <= np.mean(widened) <= 0.98


def test_lone_failures_are_not_called_clustered() -> None:
    """Independent failures have a factor near 1."""
    random = np.random.default_rng(13)
    total = np.full(500, 200)
    bad = random.binomial(200, 0.01, 500)
    series = CountSeries((np.arange(500) + 1) * HOUR, total - bad, total, "1h")
    assert dispersion(series) < 1.25


def test_confidence_of_a_window_takes_its_clusters() -> None:
    """One outage in a week widens the interval; the counts are the status's."""
    bad = [0] * 168
    bad[50:52] = [150, 150]
    data = CountSeries(
        (np.arange(168) + 1) * HOUR, [200 - wrong for wrong in bad], [200] * 168, "1h"
    )
    found = confidence_of(API, data)
    assert found.counts == API.evaluate(data).counts
    assert found.dispersion > 100
    assert found.verdict == "undecided"
    sliced = confidence_of(API.replace(method=Timeslices("1m", "90%"), alerts=None), _minutes())
    assert sliced.counts.total == 60
    events = Events(time=[MINUTE, 2 * MINUTE], status=[200, 503])
    assert confidence_of(API, events).counts == Counts(good=1, bad=1)
    assert confidence_of(API, events, at=0).verdict == "no_data"


def _minutes() -> CountSeries:
    return CountSeries([i * MINUTE for i in range(1, 61)], [9] * 60, [10] * 60, MINUTE)


@given(st.integers(0, 400), st.integers(1, 400), st.sampled_from(["90%", "99%", "99.9%"]))
def test_needed_is_the_least_count_that_is_real(bad: int, total: int, target: str) -> None:
    """As many bad events as needed are a burn, and one fewer may be noise."""
    verdict = burn_or_noise(Counts.from_total(good=max(0, total - bad), total=total), target)
    assert verdict.real == (verdict.counts.bad >= verdict.needed)
    if verdict.needed <= total:
        enough = Counts.from_total(good=total - verdict.needed, total=total)
        fewer = Counts.from_total(good=total - verdict.needed + 1, total=total)
        assert burn_or_noise(enough, target).real
        assert not burn_or_noise(fewer, target).real


@given(
    st.integers(0, 5_000),
    st.sampled_from(["90%", "99.9%", "2/3"]),
    st.sampled_from([Fraction(72, 5), Fraction(6), Fraction(1), Fraction(0)]),
)
def test_least_bad_is_strict(total: int, target: str, threshold: Fraction) -> None:
    """That many burn above the threshold, and one fewer do not."""
    least = least_bad(total, target, threshold)
    allowed = total * (1 - Fraction(target)) if "/" in target else None
    error = Fraction(1, 3) if allowed is not None else 1 - Fraction(target[:-1]) / 100
    assert least > total * error * threshold >= least - 1


def test_false_page_rate_is_what_simulation_finds() -> None:
    """Ordinary failures at low traffic page as often as the binomial says."""
    random = np.random.default_rng(14)
    pages = random.binomial(60, 0.001, size=200_000) >= 1
    expected = chance_to_exceed(60, "99.9%", "14.4")
    assert np.mean(pages) == pytest.approx(expected, rel=0.03)
    assert false_pages_per_month(WORKBOOK.alerts[0], "99.9%", "30d", 0) == 0


def months_of_pages(
    alert: BurnAlert, hourly: int, share: float, daily: float | None
) -> tuple[float, float]:
    """Pages in 30 days that ordinary failures make, minute by minute, and the standard error."""
    random, months = np.random.default_rng(23), 48
    n = 60 * 24 * 30 * months
    minute = np.arange(n + 1)
    total = (
        np.diff(minute * hourly // 60)  # one by one
        if daily is None
        else random.poisson(hourly / 60 * (1 + daily * np.cos(minute[:-1] * (np.pi / 720))))
    )
    bad = random.binomial(total, share)
    wide = alert.long // (60 * 10**9)
    sums = [np.concatenate(([0], np.cumsum(units))) for units in (bad, total)]
    lost, seen = (each[wide:] - each[:-wide] for each in sums)
    limit = float(alert.threshold(30 * 86_400 * 10**9)) * 0.001
    fires = lost > limit * seen
    began = np.flatnonzero(fires[1:] & ~fires[:-1])
    each = np.bincount(began // (n // months), minlength=months)
    return float(each.mean()), float(each.std() / months**0.5)


def test_sliding_windows_page_falsely_no_more_often_than_said() -> None:
    """Looked at each minute, even and random traffic page no more than what is said of any look."""
    for budget, long, hourly in (("2%", "1h", 60), ("5%", "6h", 60), ("4%", "1h", 120)):
        alert = BurnAlert("a", "page", budget, long)
        for daily in (None, 0.0, 0.6):
            said = false_pages_per_month(alert, "99.9%", "30d", hourly, daily=daily or 0.0)
            counted, error = months_of_pages(alert, hourly, 0.001, daily)
            assert counted <= said + 3 * error, (budget, long, daily)
            if daily is not None:
                assert counted >= said / 5, (budget, long, daily)


@pytest.mark.parametrize("hourly", [5, 10, 60, 600])
@pytest.mark.parametrize("bound", [0.4, 4])
def test_quiet_alerts_keep_their_promise(hourly: int, bound: float) -> None:
    """Even, random and daily traffic page no more often than is said, nor than was asked."""
    quiet = quiet_alert("99.9%", "30d", hourly, false_pages_per_month=bound)
    assert quiet is not None
    assert quiet.false_pages_per_month <= bound
    for daily in (None, 0.0, 0.6):
        counted, error = months_of_pages(quiet.alert, hourly, 0.001, daily)
        assert counted <= quiet.false_pages_per_month + 3 * error, daily
    # It is no quieter than need be: an outage of the length it says is seen.
    slo = SLO("api", target="99.9%", window="30d", sli=Availability())
    minutes = 5 * 1_440
    total = np.diff(np.arange(minutes + 1) * hourly // 60)
    bad = np.zeros(minutes, dtype=np.int64)
    start = 4 * 1_440
    lasting = -(-quiet.detection_ns // (60 * 10**9)) + 1
    bad[start : start + lasting] = total[start : start + lasting]
    data = CountSeries((np.arange(minutes) + 1) * 60 * 10**9, total - bad, total, "1m")
    found = backtest(slo, data, AlertPolicy("quiet", (quiet.alert,)), incidents={})[0]
    assert len(found.pages) == 1


def test_a_window_more_makes_no_quiet_alert_slower() -> None:
    """Each is held to the bound that was asked for, whatever the windows before it kept to."""
    for hourly in (5, 60, 700):
        windows = ["15m", "30m", "1h", "6h"]
        alone = [quiet_alert("99.9%", "30d", hourly, windows=[window]) for window in windows]
        best = min(alert.wait_for for alert in alone if alert is not None)
        every = quiet_alert("99.9%", "30d", hourly, windows=windows)
        assert every is not None
        assert every.wait_for == best


def test_quiet_alerts_say_when_there_is_none() -> None:
    """Too little traffic has no alert, and what does not fit is named."""
    assert quiet_alert("99.9%", "1h", 1) is None
    for change, part in (
        ({"target": "100%"}, "100 %"),
        ({"events_per_hour": 0}, "above 0"),
        ({"false_pages_per_month": "x"}, "false_pages_per_month"),
        ({"ordinary": 2}, "ordinary"),
        ({"daily": 1.5}, "daily"),
    ):
        asked = {"target": "99.9%", "period": "30d", "events_per_hour": 60, **change}
        with pytest.raises(InvalidInputError, match=part):
            quiet_alert(**asked)


def test_least_traffic_keeps_its_promise() -> None:
    """Simulated services are shown and told apart with the events that it names."""
    least = least_traffic("99%", factor=3, level=0.9)
    assert least.to_allow_one == 100
    assert (1 - 0.01) ** least.to_show <= 0.1 < (1 - 0.01) ** (least.to_show - 1)
    random = np.random.default_rng(15)
    limit = next(k for k in range(10**6) if binomial_tail(k, least.to_tell, 0.01) <= 0.1)
    assert np.mean(random.binomial(least.to_tell, 0.01, 20_000) >= limit) <= 0.11
    assert np.mean(random.binomial(least.to_tell, 0.03, 20_000) >= limit) >= 0.89
    assert "99% wants 100 events" in str(least)


def test_awkward_counts_have_answers() -> None:
    """No, one and only bad events, and 100 %, are typed answers."""
    nothing = confidence(Counts(), "99%")
    assert (nothing.sli, nothing.burn, nothing.remaining, nothing.verdict) == (
        None,
        None,
        None,
        "no_data",
    )
    assert str(nothing) == "no events, so nothing is known"
    assert confidence(Counts(bad=5), "99%").verdict == "missed"
    perfect = confidence(Counts(good=5), "100%")
    assert perfect.burn == (0.0, inf)
    assert perfect.to_dict()["remaining_ratio"] == ["-inf", 1.0]
    quiet = burn_or_noise(Counts(), "99%")
    assert (quiet.real, quiet.p_value, str(quiet)) == (
        False,
        1.0,
        "no events: neither burn nor noise",
    )
    assert dispersion(CountSeries([], [], [], MINUTE)) == 1
    assert burn_or_noise(Counts(bad=2), "99%", dispersion=2).p_value == pytest.approx(0.01)


def test_questions_without_an_answer_are_named() -> None:
    """A message says what came and what fits."""
    with pytest.raises(InvalidInputError, match="method must be one of"):
        error_interval(1, 2, method="wald")
    with pytest.raises(InvalidInputError, match=r"between 0 and 1.*95"):
        error_interval(1, 2, level=95)
    with pytest.raises(InvalidInputError, match="between 0 and total"):
        error_interval(3, 2)
    with pytest.raises(InvalidInputError, match="dispersion must be a finite number of 1 or more"):
        confidence(Counts(1, 1), "99%", dispersion=0.5)
    with pytest.raises(InvalidTargetError, match="no traffic shows"):
        least_traffic("100%")
    with pytest.raises(InvalidInputError, match="factor"):
        least_traffic("60%", factor=3)
    with pytest.raises(InvalidInputError, match="whole events"):
        burn_or_noise(Counts(1, 0.5), "99%")
    fresh = SLO("fresh", target="99%", window="1d", sli=Freshness("5m"))
    with pytest.raises(InvalidSeriesError, match="counts time"):
        confidence_of(fresh, Events(time=[1, 2], status=[200, 200]))


def test_frames_hold_the_figures() -> None:
    """One row a figure."""
    pytest.importorskip("pandas")
    table = confidence(Counts(99, 1), "99%").to_pandas()
    assert table["figure"].tolist() == ["sli", "burn_rate", "remaining_ratio"]
