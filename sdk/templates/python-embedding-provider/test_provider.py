"""Tests of `{{type}}`, without WebAssembly."""

from provider import MyModel

from retailcast_sdk.testing import check_provider, cosine, embed

CONFIG = {"dimension": 512}


def test_texts_with_words_of_one_family_are_near() -> None:
    texts = ["weekly sales of tea", "tea sold every week, and its sale", "a red bicycle", "?!"]
    sales, near, far, nothing = embed(MyModel, CONFIG, texts)
    assert cosine(sales, near) > cosine(sales, far) + 0.2
    assert not any(nothing)


def test_keeps_the_laws() -> None:
    check_provider(MyModel, CONFIG)
