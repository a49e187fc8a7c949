"""Embedding providers: texts to embed, and what the host relies on."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

from ..embedding import EmbeddingProvider, Purpose, flat, parse
from .laws import require, require_finite

ORDINARY = (
    "How many units of tea were sold last week?",
    "Prices fell by a tenth, and the shop sold twice as much.",
    "The warehouse is empty: order more coffee.",
    "Holidays in December lift demand for chocolate.",
)
HARD = ("", " \t\r\n\u00a0", "?!... ---", "x" * 10_000, "来週の売上", "كم بعنا من الشاي؟", "🍵📈👩‍👩‍👧‍👦", "a\0b\ufffd")


def embed(
    provider: type[EmbeddingProvider],
    config: dict[str, Any],
    texts: list[str],
    purpose: Purpose = Purpose.DOCUMENT,
) -> list[list[float]]:
    """Embeds, and demands of the vectors what the host demands: one per text, each with as many finite numbers as
    `config["dimension"]` says. Numbers come back as single precision, as the host gets them.
    """
    vectors = provider.embed(_settings(provider, config), purpose, texts)
    numbers = flat(vectors, len(texts))
    length, asked = len(vectors[0]) if vectors else config["dimension"], config["dimension"]
    require(length == asked, f"the vectors have {length} numbers, {asked} were asked for")
    require_finite(numbers, "a number of a vector")
    return [list(struct.unpack(f"{asked}f", struct.pack(f"{asked}f", *vector))) for vector in vectors]


def check_provider(provider: type[EmbeddingProvider], config: dict[str, Any]) -> None:
    """Demands what the host relies on of a provider that computes:

    - its limits allow at least one text, and stay the same;
    - every text gets a vector as `embed` demands, hard texts too;
    - a text has the same vector alone, among others and in another order;
    - ordinary texts have vectors with a direction.
    """
    limits = provider.limits(_settings(provider, config))
    require(limits.max_batch >= 1, f"the limits allow {limits.max_batch} texts")
    require(limits == provider.limits(_settings(provider, config)), "the limits change")
    ordinary = list(ORDINARY)
    together = embed(provider, config, ordinary)
    require(together == embed(provider, config, ordinary), "the same texts have other vectors the second time")
    backwards = embed(provider, config, ordinary[::-1])[::-1]
    for text, among, other_order in zip(ordinary, together, backwards, strict=True):
        require(any(among), f"the vector of `{text}` is zeros")
        alone = embed(provider, config, [text])[0]
        for words, vector in (("alone", alone), ("in another order", other_order)):
            near = math.dist(among, vector) <= 1e-4 * math.hypot(*among)
            require(near, f"`{text}` has another vector {words} than among others")
    embed(provider, config, list(HARD))


def cosine(one: list[float], other: list[float]) -> float:
    """How much two vectors point the same way, from -1 to 1; 0 when one is zeros."""
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0


def _settings(provider: type[EmbeddingProvider], config: dict[str, Any]) -> Any:
    return parse(provider.Config, json.dumps(config))
