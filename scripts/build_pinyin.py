"""Makes src/lapel/brain/language/zh.pinyin from pypinyin (MIT, after Unihan).

    uv run --with pypinyin==0.55.0 scripts/build_pinyin.py

Of each common character, simplified or traditional, the two most usual readings without tone. The
library itself would take 59 MB of memory and a third of a second at every start.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from pathlib import Path

from pypinyin.pinyin_dict import pinyin_dict  # type: ignore[import-not-found]

TABLE = Path(__file__).parents[1] / "src/lapel/brain/language/zh.pinyin"
READINGS = 2


def plain(reading: str) -> str:
    """Without its tone; the u of "lü" is a v, as on a keyboard."""
    decomposed = unicodedata.normalize("NFD", reading.strip()).replace("u\u0308", "v")
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def is_common(character: str) -> bool:
    """In GB 2312, or among the first 5,401 characters of Big5."""
    try:
        return bool(character.encode("gb2312"))
    except UnicodeEncodeError:
        pass
    try:
        return character.encode("big5") < b"\xc6\xa1"
    except UnicodeEncodeError:
        return False


def main() -> None:
    table: dict[str, list[str]] = defaultdict(list)
    for point, readings in sorted(pinyin_dict.items()):
        if 0x4E00 <= point <= 0x9FFF and is_common(chr(point)):
            plainly = dict.fromkeys(plain(reading) for reading in readings.split(","))
            for syllable in [s for s in plainly if s][:READINGS]:
                table[syllable].append(chr(point))
    lines = [f"{syllable} {''.join(table[syllable])}\n" for syllable in sorted(table)]
    TABLE.write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main()
