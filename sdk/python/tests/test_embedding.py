"""Embedding providers: the types, the configuration, and what the harness finds."""

from dataclasses import dataclass

import pytest

from retailcast_sdk import Info, InvalidConfig, PluginError
from retailcast_sdk.embedding import EmbeddingProvider, Failure, Limits, Pause, Purpose, flat, parse
from retailcast_sdk.testing import check_provider, cosine, embed


@dataclass
class Config:
    """What the host writes."""

    dimension: int


class Letters(EmbeddingProvider):
    """Counts characters."""

    info = Info("letters", "0.1.0", "Apache-2.0", "For tests.")
    Config = Config

    @classmethod
    def limits(cls, config: Config) -> Limits:
        return Limits(8)

    @classmethod
    def embed(cls, config: Config, purpose: Purpose, texts: list[str]) -> list[list[float]]:
        return [cls.vector(config.dimension, text) for text in texts]

    @classmethod
    def vector(cls, dimension: int, text: str) -> list[float]:
        places = [ord(letter) % dimension for letter in text if letter.isalpha()]
        return [float(places.count(place)) for place in range(dimension)]


CONFIG = {"dimension": 8}


def test_vectors_by_hand() -> None:
    assert embed(Letters, {"dimension": 2}, ["ab", "", "bb"], Purpose.QUERY) == [[1, 1], [0, 0], [2, 0]]


def test_numbers_come_back_as_the_host_gets_them() -> None:
    class Tenth(Letters):
        @classmethod
        def vector(cls, dimension: int, text: str) -> list[float]:
            return [0.1] * dimension

    assert embed(Tenth, {"dimension": 1}, ["a"])[0][0] == pytest.approx(0.1, rel=1e-7)
    assert embed(Tenth, {"dimension": 1}, ["a"])[0][0] != 0.1


def test_keeps_the_laws() -> None:
    check_provider(Letters, CONFIG)


def test_what_a_provider_does_not_declare_is_none_of_its_business() -> None:
    text = '{"base_url": "https://x.test", "model": "m", "dimension": 3}'
    assert parse(Config, text) == Config(3)
    for wrong, words in [("{}", "dimension"), ('{"dimension": "3"}', "not int"), ("[]", "not an object"), ("[", "fit")]:
        with pytest.raises(InvalidConfig, match=words):
            parse(Config, wrong)


def test_vectors_that_do_not_fit_together_are_refused() -> None:
    assert flat([[1, 2], [3, 4]], 2) == [1, 2, 3, 4]
    assert flat([], 0) == []
    with pytest.raises(PluginError, match="gave 1 vectors for 2 texts"):
        flat([[1, 2, 3, 4]], 2)
    with pytest.raises(PluginError, match="different lengths: 1 and 3"):
        flat([[1], [2, 3, 4]], 2)


def test_a_failure_is_a_refusal_with_a_remedy() -> None:
    failure = Failure("too many requests", remedy=Pause(2000))
    assert (failure.code, str(failure), failure.remedy) == ("upstream", "too many requests", Pause(2000))
    assert Failure("no").remedy is None


def test_the_cosine_of_nothing_is_nothing() -> None:
    assert cosine([1, 0], [2, 0]) == 1
    assert cosine([1, 0], [0, 3]) == 0
    assert cosine([0, 0], [1, 1]) == 0


def test_the_harness_finds_broken_laws() -> None:
    class Longer(Letters):
        @classmethod
        def vector(cls, dimension: int, text: str) -> list[float]:
            return super().vector(dimension + 1, text)

    class Infinite(Letters):
        @classmethod
        def vector(cls, dimension: int, text: str) -> list[float]:
            return [float("inf")] * dimension

    class Blank(Letters):
        @classmethod
        def vector(cls, dimension: int, text: str) -> list[float]:
            return [0.0] * dimension

    class Seeing(Letters):
        """The place of a text among the others counts."""

        @classmethod
        def embed(cls, config: Config, purpose: Purpose, texts: list[str]) -> list[list[float]]:
            return [[float(place + 1)] * config.dimension for place, _ in enumerate(texts)]

    class Closed(Letters):
        @classmethod
        def limits(cls, config: Config) -> Limits:
            return Limits(0)

    for provider, law in [
        (Longer, "have 9 numbers, 8 were asked for"),
        (Infinite, "is inf, not a finite number"),
        (Blank, "is zeros"),
        (Seeing, "has another vector"),
        (Closed, "the limits allow 0 texts"),
    ]:
        with pytest.raises(AssertionError, match=law):
            check_provider(provider, CONFIG)
