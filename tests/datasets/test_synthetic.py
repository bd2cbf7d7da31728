import dataclasses

import numpy as np
import pytest

from plait.datasets import SETTINGS, SharingSetting, make_data_sharing, split_rows

SHARED = ("linear", "linear", "quadratic")
SMALL = SharingSetting((12, 9), (3, 2, 2), (0.2, 0.6), SHARED, (1.0, 2.0, 0.5, 1.5), interactions=0.5)

# Spec 7.1, seed 1, n = 2000: Y[:3], variance of Y, first two features of either modality.
FINGERPRINTS = {
    "1.1": ((-8.173757, 33.329634, -4.968504), 169.511437, (-1.484905, -0.208837), (-0.891789, 0.791872)),
    "1.2": ((-15.973999, -21.998512, -21.462756), 295.380947, (0.616709, 0.848860), (1.663302, -0.838882)),
    "1.3": ((-15.973999, -21.998512, -21.462756), 295.380947, (0.911063, 0.399757), (1.663302, -0.838882)),
    "2.1": ((-4.442204, 1.969571, -7.649062), 56.933957, (-0.112502, 1.455677), (0.116681, -0.422397)),
    "2.2": ((15.104356, 4.453604, 14.390236), 174.850324, (-0.949553, 0.663589), (-0.184273, 0.704322)),
    "2.3": ((15.104356, 4.453604, 14.390236), 174.850324, (-0.902921, 1.092004), (-0.184273, 0.704322)),
}

# Spec 7.1, variance of Y: seeds 1 to 5; mean and standard deviation over seeds 1 to 100.
VARIANCES = {
    "1.1": ((169.5, 114.9, 118.5, 153.6, 162.1), 149.07, 18.23),
    "1.2": ((295.4, 241.6, 267.9, 414.6, 279.8), 303.26, 39.23),
    "2.1": ((56.9, 47.8, 51.7, 43.6, 67.7), 60.18, 12.87),
    "2.2": ((174.9, 147.9, 155.1, 131.3, 192.1), 180.30, 37.89),
}


def close(found, expected, digits=6):
    """Whether numbers agree with numbers that were written down with this many decimals."""
    return np.allclose(found, expected, rtol=0, atol=0.51 * 10.0**-digits)


@pytest.mark.parametrize("setting", FINGERPRINTS)
def test_legacy_reproduces_the_published_generator(setting):
    """Targets, their variance and features agree with the spec to six decimals."""
    y, variance, first, second = FINGERPRINTS[setting]
    bunch = make_data_sharing(setting, random_state=1, legacy=True)
    assert close(bunch.target[:3], y)
    assert close(bunch.target.var(), variance)
    assert close(bunch.data["m0"][0, :2], first)
    assert close(bunch.data["m1"][0, :2], second)
    assert close(bunch.coefficients["m0"][:2], (-0.497868, 1.321947))


@pytest.mark.slow
@pytest.mark.parametrize("setting", VARIANCES)
def test_legacy_variances_of_a_hundred_seeds(setting):
    """The variances of the targets of seeds 1 to 100 agree with the spec: the first five, mean and spread."""
    first, mean, spread = VARIANCES[setting]
    narrow = dataclasses.replace(SETTINGS[setting], widths=(1, 1))  # the target does not depend on the features
    seeds = range(1, 101)
    found = [make_data_sharing(narrow, random_state=seed, legacy=True).target.var() for seed in seeds]
    assert np.allclose(found[:5], first, rtol=0, atol=0.056)  # written down by way of two decimals
    assert close(np.mean(found), mean, digits=2)
    assert close(np.std(found), spread, digits=2)


def test_the_split_is_the_published_one():
    """2000 rows of seed 1 fall into 1280, 320 and 400 rows that begin as the spec says."""
    train, validation, test = split_rows(2000, 1)
    assert test[:5].tolist() == [674, 1699, 1282, 1315, 1210]
    assert validation[:5].tolist() == [1298, 1212, 1089, 206, 849]
    assert train[:5].tolist() == [1659, 228, 1579, 1835, 696]
    assert (len(train), len(validation), len(test)) == (1280, 320, 400)
    assert sorted([*train, *validation, *test]) == list(range(2000))


def test_product_coefficients_are_whole_in_legacy_only():
    """The published generator cuts 40 coefficients of 400 to whole numbers; the clean one leaves them."""
    legacy = make_data_sharing("1.2", n=10, random_state=1, legacy=True)
    clean = make_data_sharing("1.2", n=10, random_state=1)
    assert len(legacy.coefficients["products"]) == len(clean.coefficients["products"]) == 40
    assert set(legacy.coefficients["products"]) <= {-2, -1, 0, 1, 2}
    assert (clean.coefficients["products"] % 1 != 0).all()


def _repeats(bunch):
    """How many numbers of a mixture come back among the latents, and how well any shift correlates them."""
    mixing, latents = bunch.mixing["m0"].ravel(), bunch.latents["m0"].ravel()
    match = np.abs(np.correlate(latents[:4000], mixing[:2000])) / 2000
    return np.intersect1d(mixing, latents).size, match.max()


def test_clean_latents_are_independent_of_coefficients_and_mixtures():
    """No number of a mixture comes back among the latents, no shift correlates them; in legacy both do."""
    again, match = _repeats(make_data_sharing("2.1", random_state=1))
    assert again == 0
    assert match < 0.15
    again, match = _repeats(make_data_sharing("2.1", random_state=1, legacy=True))
    assert again > 1000
    assert match > 0.9
    legacy = make_data_sharing("2.1", random_state=1, legacy=True)
    assert legacy.mixing["m0"].ravel()[5] == legacy.latents["m0"].ravel()[965]


@pytest.mark.parametrize("legacy", [False, True])
def test_same_seed_same_numbers(legacy):
    """A seed fixes everything; another seed changes everything."""
    first, again, other = (make_data_sharing(SMALL, 50, random_state=s, legacy=legacy) for s in (3, 3, 4))
    assert np.array_equal(first.target, again.target)
    assert np.array_equal(first.data["m1"], again.data["m1"])
    assert not np.isclose(first.target, other.target).any()
    assert not np.isclose(first.data["m1"], other.data["m1"]).all(axis=1).any()


def test_no_seed_is_a_new_data_set_each_time():
    """random_state=None does not repeat itself."""
    first, second = (make_data_sharing(SMALL, 5, random_state=None) for _ in range(2))
    assert not np.isclose(first.target, second.target).any()


def test_clean_rows_do_not_depend_on_how_many_there_are():
    """A longer data set of the same seed begins with the shorter one, so learning curves grow one sample."""
    short, long = make_data_sharing(SMALL, 20), make_data_sharing(SMALL, 60)
    assert np.allclose(long.target[:20], short.target)
    assert np.allclose(long.data["m0"][:20], short.data["m0"])


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("setting", ["1.1", "2.1", "four-modalities"])
def test_variance_of_features(setting, legacy):
    """A feature has the variance a^2 + (1 - a)^2."""
    bunch = make_data_sharing(setting, random_state=2, legacy=legacy)
    for a, x in zip(bunch.setting.noise, bunch.data.values(), strict=True):
        assert x.var() == pytest.approx(a**2 + (1 - a) ** 2, rel=0.04)


def test_limits_of_the_noise():
    """Noise 0 leaves exact mixtures of the latents, noise 1 nothing of them."""
    setting = dataclasses.replace(SMALL, noise=(0.0, 1.0), widths=(30, 30))
    bunch = make_data_sharing(setting, 400)
    latents = np.hstack([bunch.latents["m0"], bunch.latents["shared"]])
    _, left, *_ = np.linalg.lstsq(latents, bunch.data["m0"])
    assert np.allclose(left, 0, atol=1e-18)
    others = np.hstack([bunch.latents["m1"], bunch.latents["shared"]])
    assert np.abs(np.corrcoef(others.T, bunch.data["m1"].T)[:4, 4:]).max() < 0.25


def test_the_response_is_the_formula():
    """Curves, weights and Kronecker products of three modalities, row by row as the spec writes them."""
    setting = SharingSetting(
        widths=(4, 3, 2),
        latents=(3, 2, 4, 2),
        noise=(0.1, 0.1, 0.1),
        curves=("sine", "linear", "quadratic", "linear"),
        weights=(1.0, 0.5, 2.0, 3.0, 0.25),
        interactions=0.5,
    )
    bunch = make_data_sharing(setting, 30)
    u, v, w, s = bunch.latents.values()
    beta = bunch.coefficients
    dense = np.zeros(24)
    dense[np.ravel_multi_index(bunch.products.T, (3, 2, 4))] = beta["products"]
    kronecker = np.array([np.kron(np.kron(a, b), c) for a, b, c in zip(u, v, w, strict=True)])
    expected = (
        (5 * np.sin(0.2 * u**2) + 0.2 * u**2) @ beta["m0"]
        + 0.5 * v @ beta["m1"]
        + 2 * (w**2 - w) @ beta["m2"]
        + 3 * s @ beta["shared"]
        + 0.25 * kronecker @ dense
    )
    assert len(beta["products"]) == 12
    assert np.allclose(bunch.target, expected)


def test_blocks_may_be_empty():
    """A modality without latents of its own observes the shared ones; with none at all it is noise."""
    setting = SharingSetting((3, 2), (0, 0, 0), (0.5, 1.0), ("linear",) * 3, (1.0,) * 4)
    for legacy in (False, True):
        bunch = make_data_sharing(setting, 10, legacy=legacy)
        assert np.array_equal(bunch.target, np.zeros(10))
        assert np.isfinite(bunch.data["m0"]).all()


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_classes_are_bins_of_equal_size(classes):
    """Classes differ by one sample at most and follow the order of the response."""
    bunch = make_data_sharing(SMALL, 200, task="classification", classes=classes)
    counts = np.bincount(bunch.target)
    assert len(counts) == len(bunch.target_names) == classes
    assert counts.max() - counts.min() <= 1
    assert (np.diff(bunch.target[np.argsort(bunch.response)]) >= 0).all()


def test_label_noise_of_classes_replaces_a_share():
    """About this share of the classes changes, 0 changes none and 1 all; features stay as they are."""

    def draw(noise):
        return make_data_sharing(SMALL, 2000, task="classification", classes=3, label_noise=noise)

    exact, noisy, wrong = draw(0.0), draw(0.2), draw(1.0)
    assert (exact.target != noisy.target).mean() == pytest.approx(0.2, abs=0.03)
    assert (exact.target != wrong.target).all()
    assert set(wrong.target) == {0, 1, 2}
    assert np.array_equal(exact.data["m0"], wrong.data["m0"])


def test_label_noise_of_a_regression_is_in_standard_deviations():
    """Label noise 0.5 adds noise of half the standard deviation of the response; 0 adds none."""
    exact = make_data_sharing(SMALL, 5000)
    noisy = make_data_sharing(SMALL, 5000, label_noise=0.5)
    assert np.array_equal(exact.target, exact.response)
    added = noisy.target - noisy.response
    assert added.std() == pytest.approx(0.5 * noisy.response.std(), rel=0.05)
    assert abs(np.corrcoef(added, noisy.response)[0, 1]) < 0.05


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_describes_itself(setting):
    """Every named setting can be drawn, has its modalities and says what it is."""
    bunch = make_data_sharing(setting, 20)
    assert tuple(bunch.data) == bunch.setting.names
    assert [x.shape for x in bunch.data.values()] == [(20, d) for d in bunch.setting.widths]
    assert f"setting {setting}" in bunch.DESCR
    assert "2507.20089" in bunch.DESCR


def test_classification_says_that_it_is_ours():
    """Nobody takes the classification variant for the paper's."""
    assert "ours" in make_data_sharing(SMALL, 20, task="classification").DESCR


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"setting": "3.1"}, "`setting` must be one of 1.1, "),
        ({"n": 1}, "`n` must be at least 2, got 1"),
        ({"legacy": True, "random_state": None}, "whole `random_state` from 0 to 4294967295, got None"),
        ({"task": "ranking"}, "`task` must be .* got 'ranking'"),
        ({"task": "classification", "classes": 1}, "`classes` must lie between 2 and n = 2000, got 1"),
        ({"label_noise": -0.1}, "`label_noise` must be 0 or more"),
        ({"label_noise": 1.1, "task": "classification"}, "at most 1.*, got 1.1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    """An error names the argument, its range and what came."""
    with pytest.raises(ValueError, match=message):
        make_data_sharing(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": (0.5,)}, "`noise` must have 2 entries for 2 modalities, got 1"),
        ({"weights": (1.0, 1.0, 1.0)}, "`weights` must have 4 entries"),
        ({"noise": (0.5, 1.5)}, "`noise` must lie between 0 and 1"),
        (
            {"curves": ("linear", "cubic", "linear")},
            "`curves` must be among linear, quadratic, sine, got cubic",
        ),
        ({"latents": (3, -2, 2)}, "`latents` must be 0 or more"),
        ({"widths": (0, 3)}, "`widths` must be at least one number, each 1 or more"),
        ({"interactions": 2.0}, "`interactions` must lie between 0 and 1"),
        ({"bound": 0.0}, "`bound` must be above 0"),
    ],
)
def test_bad_settings_are_named(change, message):
    """A setting that does not fit together says which part of it."""
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMALL, **change)
