"""`{{type}}`: vectors of the runs of three characters in the words of a text. Make it yours."""

import re
from binascii import crc32
from collections import Counter
from dataclasses import dataclass
from math import log, sqrt
from typing import Annotated

from retailcast_sdk import Info, InvalidConfig, Range
from retailcast_sdk.embedding import EmbeddingProvider, Limits, Purpose


@dataclass
class Config:
    """What the server asks for."""

    dimension: Annotated[int, Range(minimum=1), "Length of a vector; below a few hundred, different runs meet."]


class MyModel(EmbeddingProvider):
    """Texts are near that have words in common, or words of one family, or misspelled ones."""

    info = Info("{{type}}", "0.1.0", "Apache-2.0", "Vectors of the runs of three characters in the words of a text.")
    Config = Config

    @classmethod
    def limits(cls, config: Config) -> Limits:
        if config.dimension < 1:
            raise InvalidConfig(f"`dimension` must be at least 1, got {config.dimension}")
        return Limits(max_batch=64)

    @classmethod
    def embed(cls, config: Config, purpose: Purpose, texts: list[str]) -> list[list[float]]:
        return [vector(text, config.dimension) for text in texts]


def vector(text: str, dimension: int) -> list[float]:
    """Every run at a place of the vector and with a sign that its hash says; of length 1, or zeros without words."""
    numbers = [0.0] * dimension
    for word, count in Counter(re.findall(r"\w+", text.lower())).items():
        marked = f"<{word}>"
        runs = [marked[at : at + 3] for at in range(len(marked) - 2)]
        # A word weighs less for every time it is repeated, and no more for being long.
        weight = (1 + log(count)) / sqrt(len(runs))
        for run in runs:
            # Not Python's `hash`, which is another one in every build.
            place = crc32(run.encode())
            numbers[(place >> 1) % dimension] += weight if place & 1 else -weight
    length = sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers] if length else numbers
