import numpy as np
import pytest
from scipy.stats import norm

from plait.datasets.planted_taps import make_planted_taps, planted_inputs

SKEW = {"tiny": (3, 1), "small": (5, 2), "full": (9, 4)}
SECOND = {"tiny": (1, 4), "small": (2, 6), "full": (4, 12)}
DECOY = {"tiny": 1, "small": 2, "full": 3}
DEPTH = {"tiny": 4, "small": 6, "full": 12}
WIDTH = {"tiny": 8, "small": 16, "full": 32}
TASKS = ("add", "xor", "decoy", "diag", "late", "uni", "null", "multi", "tri")
FEW = (2, 2, 2)
MANY = 100_000
ERROR = 4 * 0.5 / MANY**0.5  # four standard errors of a share of MANY rows

ADD_SMALL = """
.553 .638 .553 .495 .455 .427
.590 .681 .590 .528 .485 .455
.642 .740 .642 .574 .528 .495
.718 .828 .718 .642 .590 .553
.828 .955 .828 .740 .681 .638
.718 .828 .718 .642 .590 .553"""


@pytest.fixture(scope="module")
def add():
    """The task "add" with many rows."""
    return make_planted_taps("add", n=(MANY, 2, 2), random_state=0)


def moments(tap, own, correlation=0.8, a=2.0):
    """Mean and variance of a signal at a tap, given code 1 (spec 5.2)."""
    alpha = correlation ** abs(tap - own)
    return alpha * a, alpha**2 + (1 - alpha**2) * (a**2 + 1)


def share(tap, own, correlation=0.8):
    """p(tap) of spec 5.2: how often the sign of the signal is the code."""
    mean, variance = moments(tap, own, correlation)
    return norm.cdf(mean / variance**0.5)


def signals(bunch, name, place=0):
    """The signal of a modality at every tap, its rotation and scale undone: rows by taps."""
    parts = zip(bunch.taps[name], bunch.rotations[name], bunch.scales[name], strict=True)
    return np.stack([(tap / scale) @ rotation[:, place] for tap, rotation, scale in parts], axis=1)


def evidence(signal, tap, own, correlation=0.8):
    """Log odds of code 1 from the signal at this tap, halved."""
    mean, variance = moments(tap, own, correlation)
    return signal[:, tap - 1] * mean / variance


@pytest.mark.parametrize(("name", "code", "own"), [("a", 0, 5), ("b", 1, 2)])
def test_signs_are_right_as_often_as_the_formula_says(add, name, code, own):
    """At every tap, of 100 000 rows."""
    right = (np.sign(signals(add, name)) == add.codes[:, [code]]).mean(axis=0)
    assert right == pytest.approx([share(tap, own) for tap in range(1, 7)], abs=ERROR)


def test_signals_have_one_variance_and_neighbours_the_correlation(add):
    """sigma^2 = 5 at every tap of both modalities, and rho^|distance| between any two."""
    distance = np.abs(np.subtract.outer(range(6), range(6)))
    for name in "ab":
        found = signals(add, name)
        assert found.var(axis=0) == pytest.approx(5.0, rel=0.02)
        assert np.corrcoef(found.T) == pytest.approx(0.8**distance, abs=0.015)


@pytest.mark.parametrize(("name", "code", "own", "step"), [("a", 0, 5, -1), ("b", 1, 2, 1)])
def test_taps_further_off_only_know_what_nearer_ones_know(add, name, code, own, step):
    """Given the tap beside the planted one, the tap behind it has no correlation with the code left."""
    found = signals(add, name)
    near, far = found[:, own + step - 1], found[:, own + 2 * step - 1]
    r = np.corrcoef([far, add.codes[:, code], near])
    left = (r[0, 1] - r[0, 2] * r[1, 2]) / ((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2)) ** 0.5
    assert r[0, 1] > 0.5
    assert abs(left) < 4 / MANY**0.5


def test_other_coordinates_are_fresh_noise(add):
    """They have variance 1 and no correlation with the codes, nor with themselves at the next tap."""
    first, second = (add.taps["a"][k] / add.scales["a"][k] @ add.rotations["a"][k] for k in (3, 4))
    assert first[:, 1:].var(axis=0) == pytest.approx(1.0, rel=0.03)
    joint = np.corrcoef(np.hstack([first[:, 1:], second[:, 1:], add.codes]).T)
    assert np.abs(joint - np.eye(len(joint))).max() < 6 / MANY**0.5


def test_rotations_hide_the_coordinate_of_the_signal(add):
    """They are orthogonal, no coordinate is the signal, and it points elsewhere at every tap."""
    for name in "ab":
        directions = add.rotations[name][:, :, 0]
        assert np.abs(directions).max() < 0.9
        assert np.abs(directions @ directions.T - np.eye(6)).max() < 0.9
        for turn, tap, signal in zip(add.rotations[name], add.taps[name], signals(add, name).T, strict=True):
            assert np.allclose(turn @ turn.T, np.eye(16))
            seen = np.corrcoef(np.column_stack([tap, signal]).T)[-1, :-1]
            assert np.abs(seen).max() < 0.98


def test_scales_differ_within_their_range():
    """Scales lie between exp(-0.7) and exp(0.7), spread over it, and are those of the taps."""
    bunch = make_planted_taps("add", "full", n=(2000, 2, 2), random_state=1)
    scales = np.concatenate(list(bunch.scales.values()))
    assert len(np.unique(scales)) == 24
    assert np.exp(-0.7) <= scales.min() < 0.75
    assert 1.35 < scales.max() <= np.exp(0.7)
    powers = [(tap**2).sum(axis=1).mean() for taps in bunch.taps.values() for tap in taps]
    assert np.sqrt(powers) == pytest.approx(scales * (31 + 5) ** 0.5, rel=0.05)


def test_oracle_of_add_is_the_table_of_the_spec():
    """36 cells to three decimals; a modality alone guesses the other code."""
    bunch = make_planted_taps("add", n=FEW, random_state=0)
    table = np.array([row.split() for row in ADD_SMALL.split("\n")[1:]], dtype=float)
    assert np.abs(bunch.oracle - table).max() <= 0.0005 + 1e-9
    assert bunch.unimodal_oracle["a"] == pytest.approx([share(tap, 5) / 2 for tap in range(1, 7)])
    assert bunch.unimodal_oracle["b"] == pytest.approx([share(tap, 2) / 2 for tap in range(1, 7)])


@pytest.mark.parametrize("size", SKEW)
@pytest.mark.parametrize("correlation", [0.3, 0.8, 0.95])
def test_oracles_are_the_formulas(size, correlation):
    """Products of p for "add" and its kin; both right or both wrong for "xor"; p of "a" for "uni"; 1/2 for "null"."""
    depth, (i, j) = DEPTH[size], SKEW[size]
    homes = {"add": (i, j), "tri": (i, j), "diag": (depth // 2,) * 2, "late": (depth, depth)}
    taps = np.arange(1, depth + 1)
    for task, (own_a, own_b) in homes.items():
        first, second = (share(taps, own, correlation) for own in (own_a, own_b))
        assert _oracle(task, size, correlation) == pytest.approx(np.outer(first, second))
    first, second = share(taps, i, correlation)[:, None], share(taps, j, correlation)[None, :]
    assert _oracle("xor", size, correlation) == pytest.approx(first * second + (1 - first) * (1 - second))
    assert _oracle("uni", size, correlation) == pytest.approx(np.repeat(first, depth, axis=1))
    assert _oracle("null", size, correlation) == pytest.approx(0.5)


def _oracle(task, size, correlation):
    return make_planted_taps(task, size, correlation=correlation, n=FEW, random_state=0).oracle


@pytest.mark.parametrize("cell", [(3, 1), (1, 1), (2, 3)])
def test_nothing_beats_the_oracle_of_decoy_and_the_best_rule_reaches_it(cell):
    """Summing the evidence on v from both modalities is right as often as the closed form says."""
    bunch = make_planted_taps("decoy", "tiny", n=(MANY, 2, 2), random_state=2)
    i, j = cell
    u = evidence(signals(bunch, "a"), i, 3)
    v = evidence(signals(bunch, "a", 1), i, 1, 0.5) + evidence(signals(bunch, "b"), j, 1)
    right = (bunch.codes.T * [u, v] > 0).all(axis=0).mean()
    assert right == pytest.approx(bunch.oracle[i - 1, j - 1], abs=ERROR)
    alone = (bunch.codes.T * [u, evidence(signals(bunch, "a", 1), i, 1, 0.5)] > 0).all(axis=0).mean()
    assert alone == pytest.approx(bunch.unimodal_oracle["a"][i - 1], abs=ERROR)


@pytest.mark.parametrize("cell", [(3, 1), (1, 4), (2, 2)])
def test_the_best_rule_reaches_the_oracle_of_multi_and_xor(cell):
    """Signs of products of signals decide the products of codes."""
    i, j = cell
    for task, places in (("multi", (0, 1)), ("xor", (0,))):
        bunch = make_planted_taps(task, "tiny", n=(MANY, 2, 2), random_state=3)
        digits = [signals(bunch, "a", k)[:, i - 1] * signals(bunch, "b", k)[:, j - 1] > 0 for k in places]
        found = sum(2**k * digit for k, digit in enumerate(reversed(digits)))
        assert (found == bunch.target).mean() == pytest.approx(bunch.oracle[i - 1, j - 1], abs=ERROR)


def test_each_modality_alone_is_at_chance_in_xor():
    """A linear rule on any one tap, squares included, is right half of the time on new rows."""
    bunch = make_planted_taps("xor", n=(4000, 2, 4000), random_state=0)
    sign = 2.0 * bunch.target - 1
    found = []
    for tap in (*bunch.taps["a"], *bunch.taps["b"]):
        values = np.hstack([tap, tap**2, np.ones((len(tap), 1), dtype=np.float32)])
        weights = np.linalg.lstsq(values[bunch.train], sign[bunch.train])[0]
        found.append((np.sign(values[bunch.test] @ weights) == sign[bunch.test]).mean())
    assert np.abs(np.array(found) - 0.5).max() < 4 * 0.5 / 4000**0.5
    assert bunch.unimodal_oracle["a"] == pytest.approx(0.5)
    assert bunch.unimodal_oracle["b"] == pytest.approx(0.5)


@pytest.mark.parametrize("size", SKEW)
@pytest.mark.parametrize("correlation", [0.8, 0.9, 0.95])
def test_the_decoy_is_the_best_single_tap_but_not_in_the_best_pair(size, correlation):
    """The best tap of "a" alone is the decoy, the best pair is the planted one all the same."""
    bunch = make_planted_taps("decoy", size, correlation=correlation, n=FEW, random_state=0)
    best = np.unravel_index(bunch.oracle.argmax(), bunch.oracle.shape)
    assert 1 + bunch.unimodal_oracle["a"].argmax() == DECOY[size]
    assert (best[0] + 1, best[1] + 1) == SKEW[size]


@pytest.mark.parametrize("size", SKEW)
def test_where_the_target_is_planted(size):
    """Pairs by name and tap for every task; a task of one pair has the best of its oracle there."""
    last, middle = DEPTH[size], DEPTH[size] // 2
    (i, j), (k, m) = SKEW[size], SECOND[size]
    expected = dict.fromkeys(("add", "xor", "decoy"), (("a", i, "b", j),))
    expected |= {"diag": (("a", middle, "b", middle),), "late": (("a", last, "b", last),), "tri": (("a", i, "c", j),)}
    expected |= {"uni": (), "null": (), "multi": (("a", i, "b", j), ("a", k, "b", m))}
    for task, pairs in expected.items():
        bunch = make_planted_taps(task, size, n=FEW, random_state=0)
        assert bunch.planted == pairs
        if len(pairs) == 1:
            assert bunch.oracle.argmax() == np.ravel_multi_index((pairs[0][1] - 1, pairs[0][3] - 1), (last, last))


@pytest.mark.parametrize("size", SKEW)
def test_multi_needs_both_of_its_pairs(size):
    """The two planted pairs are the two best, and each alone gets about half; no tap alone beats a guess."""
    bunch = make_planted_taps("multi", size, n=FEW, random_state=0)
    best = np.argsort(bunch.oracle, axis=None)[-2:]
    cells = {tuple(int(at) + 1 for at in np.unravel_index(k, bunch.oracle.shape)) for k in best}
    assert cells == {SKEW[size], SECOND[size]}
    assert 0.45 < bunch.oracle.max() < 0.6
    assert np.concatenate(list(bunch.unimodal_oracle.values())) == pytest.approx(0.25)


def test_labels_are_what_the_tasks_say():
    """Classes from the codes, row by row; the label of "null" is in no tap."""
    for task in TASKS:
        bunch = make_planted_taps(task, "tiny", random_state=4)
        u, v, *more = (bunch.codes > 0).T
        four = 2 * u + v
        expected = dict.fromkeys(("add", "decoy", "diag", "late", "tri"), four)
        expected |= {"xor": u == v, "uni": u, "null": more[0] if more else None}
        expected["multi"] = 2 * (u == v) + (more[0] == more[1]) if task == "multi" else None
        assert np.array_equal(bunch.target, expected[task])
        counts = np.bincount(bunch.target) / len(bunch.target)
        assert counts == pytest.approx(1 / len(counts), abs=0.06)
        assert set(np.unique(bunch.codes)) == {-1, 1}


def test_null_is_in_no_signal():
    """The label of "null" has no correlation with any coordinate of any tap."""
    bunch = make_planted_taps("null", "tiny", n=(20_000, 2, 2), random_state=0)
    values = np.hstack([*bunch.taps["a"], *bunch.taps["b"], bunch.target[:, None]])
    assert np.abs(np.corrcoef(values.T)[-1, :-1]).max() < 4 / 20_000**0.5


def test_the_middle_modality_of_tri_is_noise():
    """Pairs with it are as good as their other tap alone, and it has no signal."""
    bunch = make_planted_taps("tri", "tiny", n=(20_000, 2, 2), random_state=0)
    assert list(bunch.taps) == ["a", "b", "c"]
    assert list(bunch.oracles) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert bunch.oracles["a", "c"] is bunch.oracle
    assert bunch.oracles["a", "b"] == pytest.approx(np.tile(bunch.unimodal_oracle["a"], (4, 1)).T)
    assert bunch.oracles["b", "c"] == pytest.approx(np.tile(bunch.unimodal_oracle["c"], (4, 1)))
    assert bunch.unimodal_oracle["b"] == pytest.approx(0.25)
    values = np.hstack([*bunch.taps["b"], bunch.codes])
    assert np.abs(np.corrcoef(values.T)[-2:, :-2]).max() < 4.5 / 20_000**0.5


@pytest.mark.parametrize("size", SKEW)
@pytest.mark.parametrize("task", ["add", "xor", "multi"])
def test_sizes_of_all_parts(task, size):
    """Taps, widths and rows of the spec; "xor" and "multi" have twice the training rows."""
    rows = {"tiny": (800, 400, 500)}.get(size, (2000, 1000, 2000))
    bunch = make_planted_taps(task, size, random_state=0)
    train = rows[0] * (1 if task == "add" else 2)
    assert (len(bunch.train), len(bunch.validation), len(bunch.test)) == (train, *rows[1:])
    total = train + sum(rows[1:])
    assert np.array_equal(np.concatenate([bunch.train, bunch.validation, bunch.test]), np.arange(total))
    assert bunch.target.shape == (total,)
    for name in "ab":
        assert len(bunch.taps[name]) == len(bunch.unimodal_oracle[name]) == DEPTH[size]
        assert {(tap.shape, tap.dtype.name) for tap in bunch.taps[name]} == {((total, WIDTH[size]), "float32")}
    assert bunch.oracle.shape == (DEPTH[size],) * 2


def test_rows_of_your_own():
    """Three numbers are the parts, one number is shared out as 40, 20 and 40 percent."""
    for n, expected in [((5, 3, 2), (5, 3, 2)), (10, (4, 2, 4)), (101, (40, 20, 41))]:
        bunch = make_planted_taps("xor", "tiny", n=n, random_state=0)
        assert (len(bunch.train), len(bunch.validation), len(bunch.test)) == expected


@pytest.mark.parametrize("make", [make_planted_taps, planted_inputs])
def test_same_seed_same_taps(make):
    """A seed fixes everything, another seed or none changes everything."""
    first, again, other, free, free_too = (make("add", "tiny", n=20, random_state=s) for s in (3, 3, 4, None, None))
    assert np.array_equal(_values(first), _values(again))
    assert np.array_equal(first.target, again.target)
    for one, two in ((first, other), (free, free_too)):
        assert not np.array_equal(one.codes, two.codes)
        assert not np.isclose(_values(one), _values(two)).any(axis=0).all()


def _values(bunch):
    return np.hstack([*bunch.taps["a"], *bunch.taps["b"]]) if "taps" in bunch else bunch.inputs["a"]


@pytest.mark.parametrize("make", [make_planted_taps, planted_inputs])
def test_parts_are_independent_of_each_other(make):
    """The size of one part leaves the rows of the others as they are, and no row comes twice."""
    short, long = (make("add", "tiny", n=n, random_state=5) for n in ((50, 40, 30), (90, 40, 30)))
    for part in ("validation", "test"):
        assert np.allclose(_values(short)[short[part]], _values(long)[long[part]], atol=1e-6)
        assert np.array_equal(short.target[short[part]], long.target[long[part]])
    assert np.allclose(_values(short)[short.train], _values(long)[long.train][:50], atol=1e-6)
    assert np.array_equal(short.target[short.train], long.target[long.train][:50])
    bunch = make("add", "tiny", n=(4000, 4000, 4000), random_state=5)
    values = _values(bunch)
    assert len(np.unique(values[:, [0, -1]], axis=0)) == 12_000
    for one, two in ((bunch.train, bunch.validation), (bunch.train, bunch.test), (bunch.validation, bunch.test)):
        assert np.abs(np.mean(bunch.codes[one] * bunch.codes[two], axis=0)).max() < 4 / 4000**0.5
        assert np.abs(np.mean(values[one] * values[two], axis=0)).max() < 4.5 * values.var(axis=0).max() / 4000**0.5


@pytest.mark.parametrize("make", [make_planted_taps, planted_inputs])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "sub"}, "`task` must be one of add, xor, decoy, diag, late, uni, null, multi, tri, got 'sub'"),
        ({"task": "add", "size": "huge"}, "`size` must be one of tiny, small, full, got 'huge'"),
        ({"task": "add", "correlation": 0.0}, "`correlation` must lie between 0 and 1, neither included, got 0.0"),
        ({"task": "add", "correlation": 1.0}, "`correlation` .* got 1.0"),
        ({"task": "add", "n": 9}, "`n` must be at least 10 rows, got 9"),
        ({"task": "add", "n": (10, 10, 1)}, r"at least 2 rows for each of training, .*, got \(10, 10, 1\)"),
    ],
)
def test_arguments_out_of_range(make, arguments, message):
    """Refused, with what is allowed."""
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize("make", [make_planted_taps, planted_inputs])
@pytest.mark.parametrize("task", TASKS)
def test_the_description_says_what_is_planted(make, task):
    """Task, rows, every signal and the best possible scores are in the text."""
    bunch = make(task, "tiny", random_state=0)
    assert f"task '{task}', size 'tiny'" in bunch.DESCR
    assert f"{len(bunch.train)}, 400, 500 for training" in bunch.DESCR
    assert "code 0 in 'a' at tap" in bunch.DESCR
    assert ("linear in each modality" in bunch.DESCR) == (make is planted_inputs)
    assert f"{max(grid.max() for grid in bunch.oracles.values()):.3f} by one pair" in bunch.DESCR
    assert f"{1 / len(np.unique(bunch.target)):.3f} without any" in bunch.DESCR
