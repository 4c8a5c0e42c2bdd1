"""Fundamentals as XML: the six reports of request 52, made from the figures of `company`.

Names of elements and attributes are those of the real reports as public code reads them; the texts and
figures are invented, and there are fewer of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from xml.etree.ElementTree import Element, SubElement, tostring

from tws.simulator.content.company import Company, quarter_ends

__all__ = ["REPORTS", "report"]

QUARTERS_BACK, QUARTERS_AHEAD = 8, 4


def report(kind: str, company: Company, today: date) -> str:
    """The XML of a report as it stands today. Raises KeyError for one that nobody knows."""
    root = REPORTS[kind](company, today)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _snapshot(company: Company, today: date) -> Element:
    security = company.security
    root = Element("ReportSnapshot", Major="1", Minor="0", Revision="1")
    ids = SubElement(root, "CoIDs")
    _put(ids, "CoID", company.security.long_name, Type="CompanyName")
    issue = SubElement(SubElement(root, "Issues"), "Issue", ID="1", Type="C", Desc="Common Stock", Order="1")
    _put(issue, "IssueID", security.symbol, Type="Ticker")
    _put(issue, "Exchange", security.primary_exchange, Code=security.primary_exchange, Country="USA")
    general = SubElement(root, "CoGeneralInfo")
    _put(general, "CoStatus", "Active", Code="1")
    _put(general, "LatestAvailableAnnual", f"{today.year - 1}-12-31")
    _put(general, "Employees", str(company.employees), LastUpdated=f"{today.year - 1}-12-31")
    float_ = f"{company.shares * (0.7 + 0.3 * company.chance('float')):.0f}.0"
    _put(general, "SharesOut", f"{company.shares}.0", Date=f"{today.year - 1}-12-31", TotalFloat=float_)
    ratios = SubElement(root, "Ratios", PriceCurrency=security.currency, LatestAvailableDate=f"{today}")
    prices = SubElement(ratios, "Group", ID="Price and Volume")
    per_share = SubElement(ratios, "Group", ID="Per share data")
    for name, value in _prices(company).items():
        _put(prices, "Ratio", f"{value:.5f}", FieldName=name, Type="N")
    for name, value in _per_share(company).items():
        _put(per_share, "Ratio", f"{value:.5f}", FieldName=name, Type="N")
    ahead = SubElement(root, "ForecastData", ConsensusType="Mean", EarningsBasis="PRX")
    mean = SubElement(ahead, "Ratio", FieldName="TargetPrice", Type="N")
    _put(mean, "Value", f"{_target(company):.4f}", PeriodType="CURR")
    return root


def _ratios(company: Company, today: date) -> Element:
    root = Element("ReportRatios", Major="1", Minor="0", Revision="1")
    _put(SubElement(root, "CoIDs"), "CoID", company.security.long_name, Type="CompanyName")
    group = SubElement(SubElement(root, "Ratios", LatestAvailableDate=f"{today}"), "Group", ID="All")
    for name, value in {**_prices(company), **_per_share(company)}.items():
        _put(group, "Ratio", f"{value:.5f}", FieldName=name, Type="N")
    return root


def _summary(company: Company, today: date) -> Element:
    """Earnings, revenue and dividends by quarter."""
    root = Element("FinancialSummary")
    earned = SubElement(root, "EPSs", currency=company.security.currency)
    revenue = SubElement(root, "TotalRevenues", currency=company.security.currency)
    for end in _past_quarters(company, today):
        _put(earned, "EPS", f"{company.quarter(end):.2f}", asofDate=f"{end}", reportType="R", period="3M")
        part = company.revenue / 4 * (company.quarter(end) / (company.earned / 4))
        _put(revenue, "TotalRevenue", f"{part:.0f}", asofDate=f"{end}", reportType="R", period="3M")
    if company.dividend:
        paid = SubElement(root, "Dividends", currency=company.security.currency)
        for end in _past_quarters(company, today):
            day = f"{end.replace(day=20)}"
            _put(
                paid,
                "Dividend",
                f"{company.dividend:.2f}",
                type="CD",
                exDate=day,
                recordDate=day,
                payDate=day,
            )
    return root


def _statements(company: Company, today: date) -> Element:
    root = Element("ReportFinancialStatements", Major="1", Minor="0", Revision="1")
    _put(SubElement(root, "CoIDs"), "CoID", company.security.long_name, Type="CompanyName")
    statements = SubElement(root, "FinancialStatements")
    chart = SubElement(statements, "COAMap")
    lines = (("RTLR", "Total Revenue"), ("NINC", "Net Income"), ("SDWS", "Diluted Weighted Average Shares"))
    for number, (code, name) in enumerate(lines, start=1):
        item = {"coaItem": code, "statementType": "INC", "lineID": str(number * 100), "precision": "1"}
        _put(chart, "mapItem", name, **item)
    periods = SubElement(statements, "InterimPeriods")
    for end in _past_quarters(company, today):
        quarter = (end.month - 1) // 3 + 1
        period = SubElement(
            periods, "FiscalPeriod", Type="Interim", EndDate=f"{end}", FiscalYear=str(end.year),
            FiscalPeriodNumber=str(quarter),
        )  # fmt: skip
        statement = SubElement(period, "Statement", Type="INC")
        _put(SubElement(statement, "FPHeader"), "PeriodLength", "3")
        earned = company.quarter(end)
        figures = (company.revenue / 4 * (earned / (company.earned / 4)), earned * company.shares)
        for (code, _), value in zip(lines, (*figures, company.shares), strict=True):
            _put(statement, "lineItem", f"{value / 1e6:.4f}", coaCode=code)
    return root


def _estimates(company: Company, today: date) -> Element:
    """What analysts expect."""
    root = Element("REarnEstCons", Major="1", Minor="0", Revision="1")
    info = SubElement(root, "Company", curr=company.security.currency)
    _put(SubElement(info, "CoInfo"), "CoName", company.security.long_name)
    _put(SubElement(info, "CurPrice"), "Price", f"{company.security.price:.2f}")
    estimates = SubElement(root, "ConsEstimates")
    target = SubElement(SubElement(estimates, "NPEstimates"), "NPEstimate", type="TARGETPRICE")
    _put(SubElement(target, "ConsEstimate", type="Mean"), "ConsValue", f"{_target(company):.4f}")
    quarters = SubElement(SubElement(estimates, "FYEstimates"), "FYEstimate", type="EPS")
    for end in list(quarter_ends(today, today + timedelta(days=92 * QUARTERS_AHEAD)))[:QUARTERS_AHEAD]:
        period = SubElement(
            quarters, "FYPeriod", periodType="Q", fYear=str(end.year), endMonth=str(end.month),
            periodNum=str((end.month - 1) // 3 + 1),
        )  # fmt: skip
        estimate = SubElement(period, "ConsEstimate", type="Mean")
        _put(estimate, "ConsValue", f"{company.expected(end):.4f}", dateType="CURR")
    return root


def _calendar(company: Company, today: date) -> Element:
    """Days on which earnings are told."""
    root = Element("WallStreetHorizonCalendar")
    events = SubElement(SubElement(root, "Company", ticker=company.security.symbol), "Earnings")
    ends = quarter_ends(today - timedelta(days=183), today + timedelta(days=92 * QUARTERS_AHEAD))
    for end in ends:
        one = SubElement(events, "Event", quarter=f"{(end.month - 1) // 3 + 1}", fiscalYear=str(end.year))
        _put(one, "Date", f"{company.reports_on(end):%m/%d/%Y}")
        _put(one, "Time", "AFTER MARKET" if company.chance("hour") < 0.6 else "BEFORE MARKET")
    return root


Made = Callable[[Company, date], Element]
REPORTS: Mapping[str, Made] = {
    "ReportSnapshot": _snapshot,
    "ReportsFinSummary": _summary,
    "ReportRatios": _ratios,
    "ReportsFinStatements": _statements,
    "RESC": _estimates,
    "CalendarReport": _calendar,
}
"""The reports by their names (official client)."""


def _past_quarters(company: Company, today: date) -> list[date]:
    """Ends of the quarters whose earnings are told, the newest first."""
    ends = quarter_ends(today - timedelta(days=92 * (QUARTERS_BACK + 1)), today)
    told = [end for end in ends if company.reports_on(end) <= today]
    return told[::-1][:QUARTERS_BACK]


def _prices(company: Company) -> dict[str, float]:
    price = company.security.price
    return {
        "NPRICE": price,
        "VOL10DAVG": company.security.volume / 1e6,
        "MKTCAP": price * company.shares / 1e6,
        "PEEXCLXOR": price / company.earned,
    }


def _per_share(company: Company) -> dict[str, float]:
    return {
        "TTMEPSXCLX": company.earned,
        "TTMREVPS": company.revenue / company.shares,
        "TTMDIVSHR": 4 * company.dividend,
        "Employees": float(company.employees),
    }


def _target(company: Company) -> float:
    return company.security.price * (0.9 + 0.3 * company.chance("target"))


def _put(parent: Element, tag: str, text: str, **attributes: str) -> None:
    SubElement(parent, tag, attributes).text = text
