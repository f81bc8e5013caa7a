"""The codes of ISO 4217 that stand for money people pay with; funds, metals and codes for tests are left out."""

import re

from finops_core.errors import UsageError

_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
    RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
    TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XDR XOF XPF YER ZAR ZMW ZWG ZWL
"""
CURRENCIES = frozenset(_CODES.split())
"""Those in force in 2026, and those that ended lately (ANG, BGN, CUC, HRK, SLL, ZWL): bills of past months carry them."""


def currency(text: str) -> str:
    """The code as it is. Raises UsageError for what is no currency of ISO 4217, or is not written in capitals."""
    if text in CURRENCIES:
        return text
    found = re.sub(r"\s", "", text).upper()
    advice = f"; did you mean {found}?" if found in CURRENCIES else ", such as USD (ISO 4217)"
    raise UsageError(f"{text!r} is no currency: write a code of three capital letters{advice}")
