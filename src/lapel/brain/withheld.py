"""Whether words ask for nothing although they speak of it: a no, a maybe, a memory.

A model may take "don't order anything" for an order. What has an effect is not called for such
words. It is tighter than the gate of orders, since what comes here was no plain request either.
"""

from __future__ import annotations

import re

_POLITE = re.compile(
    r"\b(?:i was |i'm |i am )?wondering if (?:you|i|we) (?:could|can|might)\b"
    r"|\bwould you mind\b|\bif (?:you (?:could|can|would|don't mind|do not mind)|possible|i may)\b"
    r"|\b(?:don't|do not) (?:let me (?:forget|miss)|forget|miss)\b"
    r"|\bwhy (?:don't|do not) (?:you|we)\b"
    r"|\b(?:can't|can not|couldn't) you\b|不要忘|别忘|能不能|可不可以|要不要"
)
_NO = re.compile(
    r"\b(?:don't|do not|doesn't|does not|didn't|did not|never|no need|no longer|rather not|won't|"
    r"will not|shouldn't|wouldn't|not (?:order|book|send|pay|get|going|now|yet|today|until))\b"
    r"|不要|不用|不想|不必|没有|别(?!墅|人|的)|算了"
)
_MAYBE = re.compile(
    r"\b(?:might|maybe|perhaps|what if|if (?:i|we|only)|imagine|suppose|some ?day|one day|"
    r"would have|could have|should have|(?:i|we) wish|thinking (?:of|about)|thought about|"
    r"considering|was going to|(?:i|we) could (?:eat|go for|use|murder)|"
    r"dream(?:ed|t|ing)? (?:of|about))\b|如果|要是|假如|也许|可能|说不定|考虑"
)
_ONCE = re.compile(
    r"\b(?:yesterday|last (?:night|week|month|year|time)|ago|used to|remember when|back when)\b"
    r"|昨天|上周|上次|以前"
)


def withheld(text: str) -> bool:
    """Whether nothing with an effect may come of these words."""
    plain = _POLITE.sub(" ", text.lower().replace("\u2019", "'"))
    return any(pattern.search(plain) for pattern in (_NO, _MAYBE, _ONCE))
