"""More US stocks and ETFs: known from the start, traded once somebody asks for them.

conIds are public ones, each as read in public code or in published tables of contracts.
"""

from __future__ import annotations

from tws.simulator.universe.security import Security

__all__ = ["AMERICA"]

_STOCKS: tuple[tuple[int, str, str, str, float, float, int], ...] = (
    # conId, symbol, name, primary, price $, volatility, volume a day
    (118089500, "ABBV", "ABBVIE INC", "NYSE", 190.0, 0.22, 5_500_000),
    (459530964, "ABNB", "AIRBNB INC-CLASS A", "NASDAQ", 130.0, 0.36, 4_500_000),
    (265768, "ADBE", "ADOBE INC", "NASDAQ", 480.0, 0.32, 3_000_000),
    (266093, "AMAT", "APPLIED MATERIALS INC", "NASDAQ", 190.0, 0.40, 6_000_000),
    (313130367, "AVGO", "BROADCOM INC", "NASDAQ", 170.0, 0.42, 25_000_000),
    (4721, "AXP", "AMERICAN EXPRESS CO", "NYSE", 270.0, 0.26, 3_000_000),
    (4762, "BA", "BOEING CO/THE", "NYSE", 160.0, 0.34, 8_000_000),
    (308728373, "BKNG", "BOOKING HOLDINGS INC", "NASDAQ", 4200.0, 0.28, 250_000),
    (72063691, "BRK B", "BERKSHIRE HATHAWAY INC-CL B", "NYSE", 455.0, 0.16, 3_500_000),
    (87335484, "C", "CITIGROUP INC", "NYSE", 65.0, 0.28, 14_000_000),
    (5437, "CAT", "CATERPILLAR INC", "NYSE", 380.0, 0.28, 2_500_000),
    (5749, "CL", "COLGATE-PALMOLIVE CO", "NYSE", 98.0, 0.17, 4_500_000),
    (267748, "CMCSA", "COMCAST CORP-CLASS A", "NASDAQ", 42.0, 0.24, 18_000_000),
    (481691285, "COIN", "COINBASE GLOBAL INC -CLASS A", "NASDAQ", 210.0, 0.75, 9_000_000),
    (10885, "COP", "CONOCOPHILLIPS", "NYSE", 108.0, 0.27, 6_500_000),
    (272997, "COST", "COSTCO WHOLESALE CORP", "NASDAQ", 890.0, 0.21, 1_900_000),
    (29624264, "CRM", "SALESFORCE INC", "NYSE", 285.0, 0.32, 5_500_000),
    (268084, "CSCO", "CISCO SYSTEMS INC", "NASDAQ", 54.0, 0.22, 18_000_000),
    (2585769, "CVS", "CVS HEALTH CORP", "NYSE", 58.0, 0.30, 10_000_000),
    (5684, "CVX", "CHEVRON CORP", "NYSE", 152.0, 0.22, 7_500_000),
    (44001820, "DAL", "DELTA AIR LINES INC", "NYSE", 52.0, 0.38, 9_000_000),
    (6393, "DE", "DEERE & CO", "NYSE", 400.0, 0.26, 1_300_000),
    (4347086, "EBAY", "EBAY INC", "NASDAQ", 63.0, 0.28, 5_000_000),
    (9599491, "F", "FORD MOTOR CO", "NYSE", 11.0, 0.36, 50_000_000),
    (7089, "FCX", "FREEPORT-MCMORAN INC", "NYSE", 45.0, 0.38, 12_000_000),
    (5100583, "FDX", "FEDEX CORP", "NYSE", 270.0, 0.30, 1_700_000),
    (269753, "GILD", "GILEAD SCIENCES INC", "NASDAQ", 86.0, 0.22, 6_500_000),
    (80986742, "GM", "GENERAL MOTORS CO", "NYSE", 48.0, 0.34, 14_000_000),
    (36285627, "GME", "GAMESTOP CORP-CLASS A", "NYSE", 22.0, 0.90, 12_000_000),
    (4627828, "GS", "GOLDMAN SACHS GROUP INC", "NYSE", 510.0, 0.27, 2_200_000),
    (7930, "HD", "HOME DEPOT INC", "NYSE", 400.0, 0.22, 3_500_000),
    (504546674, "HOOD", "ROBINHOOD MARKETS INC - A", "NASDAQ", 26.0, 0.65, 18_000_000),
    (43645865, "IBKR", "INTERACTIVE BROKERS GRO-CL A", "NASDAQ", 145.0, 0.34, 1_200_000),
    (270639, "INTC", "INTEL CORP", "NASDAQ", 23.0, 0.46, 60_000_000),
    (8719, "JNJ", "JOHNSON & JOHNSON", "NYSE", 162.0, 0.16, 7_000_000),
    (1520593, "JPM", "JPMORGAN CHASE & CO", "NYSE", 215.0, 0.23, 9_000_000),
    (8894, "KO", "COCA-COLA CO/THE", "NYSE", 70.0, 0.14, 14_000_000),
    (9160, "LLY", "ELI LILLY & CO", "NYSE", 890.0, 0.34, 3_000_000),
    (611191, "LMT", "LOCKHEED MARTIN CORP", "NYSE", 580.0, 0.20, 1_000_000),
    (45157951, "LULU", "LULULEMON ATHLETICA INC", "NASDAQ", 280.0, 0.42, 2_000_000),
    (38685693, "MA", "MASTERCARD INC - A", "NYSE", 495.0, 0.20, 2_500_000),
    (70101545, "MRK", "MERCK & CO. INC.", "NYSE", 112.0, 0.22, 9_000_000),
    (2841574, "MS", "MORGAN STANLEY", "NYSE", 108.0, 0.27, 6_500_000),
    (272110, "MSTR", "STRATEGY INC", "NASDAQ", 190.0, 0.85, 14_000_000),
    (9939, "MU", "MICRON TECHNOLOGY INC", "NASDAQ", 105.0, 0.48, 18_000_000),
    (15124833, "NFLX", "NETFLIX INC", "NASDAQ", 710.0, 0.34, 3_000_000),
    (10291, "NKE", "NIKE INC -CL B", "NYSE", 80.0, 0.32, 10_000_000),
    (109911821, "NOW", "SERVICENOW INC", "NYSE", 900.0, 0.34, 1_200_000),
    (272800, "ORCL", "ORACLE CORP", "NYSE", 170.0, 0.34, 9_000_000),
    (10880, "OXY", "OCCIDENTAL PETROLEUM CORP", "NYSE", 52.0, 0.28, 11_000_000),
    (11017, "PEP", "PEPSICO INC", "NASDAQ", 172.0, 0.16, 5_500_000),
    (11031, "PFE", "PFIZER INC", "NYSE", 29.0, 0.24, 35_000_000),
    (11054, "PG", "PROCTER & GAMBLE CO/THE", "NYSE", 172.0, 0.15, 6_500_000),
    (444857009, "PLTR", "PALANTIR TECHNOLOGIES INC-A", "NASDAQ", 40.0, 0.62, 60_000_000),
    (49588376, "PM", "PHILIP MORRIS INTERNATIONAL", "NYSE", 122.0, 0.19, 5_000_000),
    (199169591, "PYPL", "PAYPAL HOLDINGS INC", "NASDAQ", 78.0, 0.36, 12_000_000),
    (273544, "QCOM", "QUALCOMM INC", "NASDAQ", 168.0, 0.36, 8_500_000),
    (274105, "SBUX", "STARBUCKS CORP", "NASDAQ", 96.0, 0.28, 9_500_000),
    (195014116, "SHOP", "SHOPIFY INC - CLASS A", "NASDAQ", 80.0, 0.52, 9_000_000),
)

_ETFS: tuple[tuple[int, str, str, str, float, float, int], ...] = (
    (13002510, "EFA", "ISHARES MSCI EAFE ETF", "ARCA", 82.0, 0.15, 15_000_000),
    (229726316, "GDX", "VANECK GOLD MINERS ETF", "ARCA", 39.0, 0.34, 22_000_000),
    (43652089, "HYG", "ISHARES IBOXX HIGH YLD CORP", "ARCA", 79.0, 0.07, 35_000_000),
    (229725622, "SMH", "VANECK SEMICONDUCTOR ETF", "NASDAQ", 245.0, 0.36, 8_000_000),
    (418893644, "USO", "UNITED STATES OIL FUND LP", "ARCA", 75.0, 0.33, 3_500_000),
    (27684070, "VGK", "VANGUARD FTSE EUROPE ETF", "ARCA", 69.0, 0.16, 4_000_000),
    (4215217, "XLE", "ENERGY SELECT SECTOR SPDR", "ARCA", 90.0, 0.22, 14_000_000),
    (4215220, "XLF", "FINANCIAL SELECT SECTOR SPDR", "ARCA", 45.0, 0.18, 38_000_000),
    (413951498, "XOP", "SPDR S&P OIL & GAS EXP & PR", "ARCA", 135.0, 0.32, 4_000_000),
)


def _listed(row: tuple[int, str, str, str, float, float, int], kind: str) -> Security:
    con_id, symbol, name, primary, price, volatility, volume = row
    return Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        primary_exchange=primary,
        stock_type=kind,
        price=price,
        volatility=volatility,
        spread=max(1, int(price / 150)),
        volume=volume,
    )


AMERICA: tuple[Security, ...] = tuple(_listed(row, "COMMON") for row in _STOCKS) + tuple(
    _listed(row, "ETF") for row in _ETFS
)
