"""What is private only for some projects: phone numbers, bank accounts, national ids.

Never raises; linear in the text's length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from stages.scrubbing.marking import marked

if TYPE_CHECKING:
    from collections import Counter

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_PHONE = re.compile(
    r"(?<![\w+.])(?:\+|00)[1-9]\d{0,2}[ \u00a0./-]{0,2}(?:\(0?\d{0,5}\)[ \u00a0./-]{0,2})?"
    r"\d(?:[ \u00a0./-]?\d){5,12}(?![\w.]\d|\w)"
    r"|(?<![\w.-])\(\d{3}\) \d{3}-\d{4}(?!\w)|(?<![\w.-])\d{3}-\d{3}-\d{4}(?![\w-])"
    r"|(?<![\w.-])0\d{2,4}[ /-]\d{2,4}(?:[ -]\d{2,4}){1,3}(?![\w-])"
)
_NATIONAL = re.compile(
    r"(?<![\w.-])(?:(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}"  # US social security
    r"|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"  # UK national insurance
    r"|[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"  # Italy, codice fiscale
    r"|[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}"  # France, INSEE
    r"|(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z]"  # Spain, DNI and NIE
    r"|\d{6}[-+A]\d{3}[0-9A-Y]"  # Finland, Sweden
    r"|\d{2} ?\d{6} ?[A-Z] ?\d{3}"  # Germany, pension insurance
    r")(?![\w-])"
)


def _ibans(text: str, found: Counter[str]) -> str:
    return _IBAN.sub(partial(_iban, found), text)


def _iban(found: Counter[str], match: re.Match[str]) -> str:
    """The check digits of ISO 13616 must be right."""
    plain = match[0].replace(" ", "")
    digits = "".join(str(int(one, 36)) for one in plain[4:] + plain[:4])
    if len(plain) < 15 or int(digits) % 97 != 1:
        return match[0]
    found["iban"] += 1
    return "[iban]"


STEPS: dict[str, Callable[[str, Counter[str]], str]] = {
    "iban": _ibans,
    "national_id": partial(marked, _NATIONAL, "[national_id]", "national_id"),
    "phone": partial(marked, _PHONE, "[phone]", "phone"),
}
"""By kind, in the order in which they are looked for."""
