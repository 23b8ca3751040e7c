"""How numbers read in every text: thin groups by space, a space before the unit, no rounding up.

In: a number. Out: a string of ASCII digits with its unit. The gates, the metrics, the verdict and
the report all say numbers with these.
"""

from __future__ import annotations

import math

UNKNOWN = "?"
NONE = "-"


def grouped(count: float, decimals: int = 0) -> str:
    """A number with its digits in groups of three; a whole one unless decimals are asked for.

    >>> grouped(24051), grouped(999.6), grouped(1032.74, 1)
    ('24 051', '1 000', '1 032.7')
    """
    return f"{count:,.{decimals}f}".replace(",", " ")


def counted(count: float, noun: str, plural: str = "") -> str:
    """A count and its noun.

    >>> counted(1, "pair"), counted(36, "pair"), counted(0, "entry", "entries")
    ('1 pair', '36 pairs', '0 entries')
    """
    text = grouped(count)
    return f"{text} {noun if text == '1' else plural or noun + 's'}"


def sized(count: float) -> str:
    """Bytes at three digits and a power of a thousand.

    >>> sized(0), sized(999), sized(1234), sized(999_950), sized(1.235e9), sized(53e12)
    ('0 B', '999 B', '1.23 kB', '1.00 MB', '1.24 GB', '53.0 TB')
    """
    value, unit = float(count), "B"
    for larger in _UNITS:
        # What would be written as 1000 is written as 1 of the next unit.
        if value < 999.5:  # noqa: PLR2004
            break
        value, unit = value / 1000, larger
    if unit == "B":
        return f"{value:.0f} B"
    return f"{value:.{max(0, 2 - (value >= 9.995) - (value >= 99.95))}f} {unit}"  # noqa: PLR2004


def percent(share: float | None, decimals: int = 1) -> str:
    """A share in 0..1 as a percentage; unknown stays unknown.

    A share that is not whole never rounds up to 100 %.

    >>> percent(0.9996), percent(1.0), percent(None), percent(0.9996, 0)
    ('99.9 %', '100.0 %', '?', '99 %')
    """
    if share is None:
        return UNKNOWN
    scale = 10**decimals
    value = 100 * share
    if share < 1:
        value = min(value, math.floor((100 - 0.5 / scale) * scale) / scale)
    return f"{value:.{decimals}f} %"


def stated(share: float, unit: str = "%") -> str:
    """A share or a difference of shares that somebody chose, with the digits it was given.

    >>> stated(0.001), stated(0.98), stated(0.0005, "pp")
    ('0.1 %', '98 %', '0.05 pp')
    """
    return f"{100 * share:.6g} {unit}"


def points(difference: float, decimals: int = 3) -> str:
    """A difference of two shares in percentage points.

    >>> points(-0.00059), points(0.001), points(-1e-9)
    ('-0.059 pp', '+0.100 pp', '+0.000 pp')
    """
    return f"{signed(100 * difference, decimals)} pp"


def relative(ratio: float, decimals: int = 1) -> str:
    """A ratio of two levels as the change it is; a tenfold one and more as how many times.

    >>> relative(1.492), relative(0.95), relative(0.9999), relative(9.9996), relative(13808.6)
    ('+49.2 %', '-5.0 %', '+0.0 %', '10 times', '13 809 times')
    """
    if ratio >= _TIMES:
        return f"{grouped(ratio)} times" if ratio >= _WHOLE_TIMES else f"{plain(ratio)} times"
    return f"{signed(100 * (ratio - 1), decimals)} %"


def signed(value: float, decimals: int) -> str:
    """A number with its sign; what rounds to zero is never a negative zero.

    >>> signed(-1.25, 1), signed(-0.04, 1)
    ('-1.2', '+0.0')
    """
    text = f"{value:+.{decimals}f}"
    return text if float(text) else text.replace("-", "+")


def plain(value: float | None) -> str:
    """A number of unknown scale at four significant digits.

    >>> plain(0.000123456), plain(17), plain(None)
    ('0.0001235', '17', '-')
    """
    return NONE if value is None else f"{value:.4g}"


def duration(minutes: float) -> str:
    """A time to wait, in the unit a person would say.

    >>> duration(50), duration(600), duration(4000), duration(4320)
    ('50 minutes', '10 hours', '2.8 days', '3 days')
    """
    hours = minutes / 60
    if hours < 2:  # noqa: PLR2004 - below two hours minutes are still readable
        return counted(minutes, "minute")
    if hours < 48:  # noqa: PLR2004 - two days
        return f"{hours:.0f} hours"
    return f"{f'{hours / 24:.1f}'.removesuffix('.0')} days"


def period(seconds: int) -> str:
    """A length of CloudWatch's periods, as in "per hour".

    >>> period(60), period(21_600), period(90)
    ('minute', '6 hours', '90 s')
    """
    return _PERIODS.get(seconds, f"{grouped(seconds)} s")


def periods(count: int, seconds: int) -> str:
    """So many periods of that length.

    >>> periods(1, 3_600), periods(3, 21_600)
    ('1 hour', '3 periods of 6 hours')
    """
    named = period(seconds)
    if named[:1].isdigit():
        return f"{counted(count, 'period')} of {named}"
    return counted(count, named)


_TIMES = 9.9995
"""From here on a change in percent has four digits before the point, and says less than a factor;
what would be written as 10 times is."""
_WHOLE_TIMES = 1000
_UNITS = ("kB", "MB", "GB", "TB", "PB")
_PERIODS = {60: "minute", 300: "5 minutes", 3600: "hour", 21_600: "6 hours", 86_400: "day"}


def bin_name(kind: str, value: str | None, lower: float | None, upper: float | None) -> str:
    """A part of the traffic: a value, a range from above one end up to the other, or its kind.

    >>> bin_name("value", "gold", None, None), bin_name("range", None, 3.0, None)
    ('gold', '> 3')
    >>> bin_name("range", None, 3.0, 7.5), bin_name("missing", None, None, None)
    ('> 3 .. 7.5', 'missing')
    """
    if kind == "value":
        return str(value)
    if kind != "range":
        return kind
    if lower is None and upper is None:
        return "any number"
    if lower is None:
        return f"<= {_end(upper)}"
    return f"> {_end(lower)}" + ("" if upper is None else f" .. {_end(upper)}")


def _end(value: float | None) -> str:
    """Where a range is cut: a whole number, such as a time or an ID, with all its digits."""
    return f"{value:.15g}" if value is not None and value.is_integer() else plain(value)
