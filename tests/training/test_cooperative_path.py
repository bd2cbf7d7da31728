"""The cooperative lasso against closed forms, scikit-learn, explicit augmented data, and its optimality conditions."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression

from plait.nn.additive import fill_factor
from plait.training.cooperative import CooperativePath
from plait.training.cooperative_design import Design
from plait.training.families import Binomial, Gaussian, Multinomial
from plait.training.quadratic_lasso import QuadraticLasso

FAMILIES = {"gaussian": (Gaussian(), 1), "binomial": (Binomial(), 1), "multinomial": (Multinomial(), 3)}
EVERY_FAMILY = pytest.mark.parametrize("kind", FAMILIES)


def drawn(kind="gaussian", n=60, widths=(7, 5, 9), absent=0.0, seed=0):
    """Modalities that share a factor, a target that it drives, and who is present."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 1))
    blocks = [rng.normal(size=(n, width)) + factor * rng.normal(size=width) for width in widths]
    present = rng.random((n, len(widths))) >= absent
    present[np.arange(n), rng.integers(len(widths), size=n)] = True
    signal = factor[:, 0] + blocks[0][:, 0] + 0.5 * rng.normal(size=n)
    classes = np.digitize(signal, np.quantile(signal, [1 / 3, 2 / 3]))
    target = {"gaussian": signal[:, None], "binomial": (signal > 0)[:, None] * 1.0, "multinomial": np.eye(3)[classes]}
    return blocks, present, target[kind]


def path(kind="gaussian", rho=0.5, l1_ratio=1.0, **data):
    blocks, present, target = drawn(kind, **data)
    return CooperativePath(Design.of(blocks, present), target, FAMILIES[kind][0], rho, l1_ratio, tolerance=1e-8)


def solved(share, kind="gaussian", rho=0.5, l1_ratio=1.0, **data):
    """The path that ends at so large a share of the strongest penalty, its last solution, and that strength."""
    found = path(kind, rho, l1_ratio, **data)
    strengths = (np.geomspace(1, share, 20) * found.strongest).tolist() if share else [found.strongest, 0.0]
    *_, last = found.solutions(strengths, to_the_end=True)
    return found, last, strengths[-1]


def augmented(blocks, target, rho):
    """The rows of the paper, one block a pair; the centred response first."""
    centred = [block - block.mean(0) for block in blocks]
    rows = [np.concatenate(centred, axis=1)]
    for one in range(len(blocks)):
        for other in range(one):
            signs = {one: -np.sqrt(rho), other: np.sqrt(rho)}
            rows.append(np.concatenate([signs.get(m, 0) * block for m, block in enumerate(centred)], axis=1))
    response = np.zeros(len(rows) * len(target))
    response[: len(target)] = target[:, 0] - target.mean()
    return np.concatenate(rows), response


# Gaussian: closed forms


def test_without_agreement_it_is_the_lasso_of_all_features():
    """rho = 0 equals scikit-learn's Lasso on the features side by side, intercept included."""
    blocks, _, target = drawn()
    found, last, strength = solved(0.1, rho=0.0)
    X = np.concatenate(blocks, axis=1)
    known = Lasso(strength, tol=1e-14, max_iter=100_000).fit(X, target[:, 0])
    np.testing.assert_allclose(last.coefficients[:, 0], known.coef_, atol=1e-8)
    intercept = last.intercept[0] - found.design.centre @ last.coefficients[:, 0]
    assert intercept == pytest.approx(known.intercept_, abs=1e-8)


def test_the_elastic_net_too():
    """rho = 0 with l1_ratio = 0.4 equals scikit-learn's ElasticNet."""
    blocks, _, target = drawn()
    _, last, strength = solved(0.1, rho=0.0, l1_ratio=0.4)
    known = ElasticNet(strength, l1_ratio=0.4, tol=1e-14, max_iter=100_000)
    known.fit(np.concatenate(blocks, axis=1), target[:, 0])
    np.testing.assert_allclose(last.coefficients[:, 0], known.coef_, atol=1e-8)


@pytest.mark.parametrize("widths", [(7, 5), (7, 5, 9), (3, 2, 4, 2)])
@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0, 5.0])
def test_without_penalty_it_is_the_direct_solution(rho, widths):
    """lambda = 0: the normal equations of the paper, and the least squares of the augmented rows."""
    blocks, _, target = drawn(widths=widths)
    _, last, _ = solved(0, rho=rho, widths=widths)
    centred = [block - block.mean(0) for block in blocks]
    scale = np.full((len(widths),) * 2, 1 - rho) + np.eye(len(widths)) * rho * len(widths)
    gram = np.block([[scale[a, b] * one.T @ two for b, two in enumerate(centred)] for a, one in enumerate(centred)])
    direct = np.linalg.solve(gram, np.concatenate(centred, axis=1).T @ (target[:, 0] - target.mean()))
    np.testing.assert_allclose(last.coefficients[:, 0], direct, atol=1e-8)
    rows, response = augmented(blocks, target, rho)
    np.testing.assert_allclose(last.coefficients[:, 0], np.linalg.lstsq(rows, response)[0], atol=1e-8)


@pytest.mark.parametrize("widths", [(7, 5), (7, 5, 9)])
def test_at_rho_one_every_modality_is_fitted_alone(widths):
    """The off-diagonal blocks (1 - rho) vanish: b_m is the lasso of y / M on X_m at lambda / M."""
    blocks, _, target = drawn(widths=widths)
    found, last, strength = solved(0.2, rho=1.0, widths=widths)
    M = len(widths)
    for block, part in zip(blocks, found.design.parts, strict=True):
        alone = Lasso(strength / M, tol=1e-14, max_iter=100_000).fit(block, target[:, 0] / M)
        np.testing.assert_allclose(last.coefficients[part, 0], alone.coef_, atol=1e-8)


@EVERY_FAMILY
def test_as_rho_grows_the_scores_agree(kind):
    """The differences between scores vanish against the scores (where a common score exists)."""
    apart = []
    for rho in (1.0, 100.0, 10_000.0):
        found, *_ = solved(0.01, kind, rho=rho, n=12, widths=(15, 14, 16))
        apart.append(np.ptp(found.scores, axis=0).max() / np.abs(found.scores).max())
    assert apart[0] > 3 * apart[1]
    assert apart[1] > 5 * apart[2]
    assert apart[2] < 0.01


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
@pytest.mark.parametrize("rho", [0.2, 1.0, 4.0])
def test_it_is_the_lasso_of_the_augmented_rows(rho, share):
    """Three modalities, against scikit-learn on the rows of all three pairs."""
    blocks, _, target = drawn()
    _, last, strength = solved(share, rho=rho)
    rows, response = augmented(blocks, target, rho)
    strength = strength * len(target) / len(response)
    known = Lasso(strength, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(rows, response)
    np.testing.assert_allclose(last.coefficients[:, 0], known.coef_, atol=1e-8)


def test_several_outputs_are_problems_of_their_own():
    """Each at the same rho and lambda."""
    blocks, present, target = drawn()
    design, both = Design.of(blocks, present), np.column_stack([target, np.roll(target, 3)])
    together = CooperativePath(design, both, Gaussian(), 0.5, tolerance=1e-10)
    *_, found = together.solutions([0.3, 0.1])
    for place in range(2):
        *_, alone = CooperativePath(design, both[:, [place]], Gaussian(), 0.5, tolerance=1e-10).solutions([0.3, 0.1])
        np.testing.assert_allclose(found.coefficients[:, place], alone.coefficients[:, 0], atol=1e-8)


# Classes


def test_binomial_without_agreement_is_logistic_regression():
    """rho = 0 equals scikit-learn's with the l1 penalty, C = 1 / (n lambda), its intercept all but unpenalised."""
    blocks, _, target = drawn("binomial")
    found, last, strength = solved(0.1, "binomial", rho=0.0)
    X = np.concatenate(blocks, axis=1)
    settings = {"solver": "saga", "l1_ratio": 1.0, "tol": 1e-10, "max_iter": 100_000}
    known = LogisticRegression(C=1 / (len(X) * strength), **settings).fit(X - found.design.centre, target[:, 0])
    np.testing.assert_allclose(last.coefficients[:, 0], known.coef_[0], atol=1e-4)
    assert last.intercept[0] == pytest.approx(known.intercept_[0], abs=1e-4)


def test_multinomial_without_agreement_is_multinomial_regression():
    """The same with three classes; intercepts up to a constant."""
    blocks, _, target = drawn("multinomial")
    found, last, strength = solved(0.1, "multinomial", rho=0.0)
    X = np.concatenate(blocks, axis=1) - found.design.centre
    settings = {"solver": "saga", "l1_ratio": 1.0, "tol": 1e-10, "max_iter": 100_000}
    known = LogisticRegression(C=1 / (len(X) * strength), **settings).fit(X, target.argmax(1))
    np.testing.assert_allclose(last.coefficients.T, known.coef_, atol=1e-4)
    difference = last.intercept - known.intercept_
    np.testing.assert_allclose(difference, difference.mean(), atol=1e-4)


@pytest.mark.parametrize("rho", [0.0, 0.5, 2.0])
def test_two_classes_of_the_multinomial_model_are_the_binomial_one(rho):
    """With half the agreement: each class has half the score, and there are two."""
    blocks, present, target = drawn("binomial")
    design = Design.of(blocks, present)
    binomial = CooperativePath(design, target, Binomial(), rho, tolerance=1e-10)
    both = np.column_stack([1 - target, target])
    multinomial = CooperativePath(design, both, Multinomial(), 2 * rho, tolerance=1e-10)
    *_, one = binomial.solutions([0.1, 0.05])
    *_, two = multinomial.solutions([0.1, 0.05])
    np.testing.assert_allclose(two.coefficients @ [-1, 1], one.coefficients[:, 0], atol=1e-6)


# What holds at every solution


@EVERY_FAMILY
@pytest.mark.parametrize("absent", [0.0, 0.4])
@pytest.mark.parametrize("rho", [0.0, 0.3, 9.0])
def test_the_optimality_conditions_hold(kind, absent, rho):
    """By the derivative of the objective as it is written down, sample by sample and pair by pair."""
    data = {"absent": absent, "seed": 3}
    blocks, present, target = drawn(kind, **data)
    _, last, strength = solved(0.05, kind, rho=rho, l1_ratio=0.9, **data)
    slope, level = literal_slope(kind, blocks, present, target, last, rho)
    slope = slope - 0.1 * strength * last.coefficients
    active = last.coefficients != 0
    assert active.any()
    assert not active.all()
    assert np.abs(slope - 0.9 * strength * np.sign(last.coefficients))[active].max() < 1e-6
    assert np.abs(slope[~active]).max() < 0.9 * strength + 1e-6
    assert np.abs(level).max() < 1e-6


def literal_slope(kind, blocks, present, target, last, rho):
    """Minus the derivative of loss and agreement, by central differences of a literal double loop."""
    widths = [block.shape[1] for block in blocks]
    parts = np.split(np.arange(sum(widths)), np.cumsum(widths)[:-1])
    means = [block[present[:, m]].mean(0) for m, block in enumerate(blocks)]
    centred = [np.where(present[:, [m]], block - means[m], 0) for m, block in enumerate(blocks)]
    fill = (1 + rho * len(blocks)) / (1 + rho * present.sum(1))

    def objective(intercept, coefficients):
        scores = [block @ coefficients[part] for block, part in zip(centred, parts, strict=True)]
        linear = intercept + fill[:, None] * sum(scores)
        total = literal_loss(kind, linear, target)
        for one in range(len(blocks)):
            for other in range(one):
                both = present[:, one] & present[:, other]
                total += rho / 2 * ((scores[one] - scores[other])[both] ** 2).sum()
        return total / len(target)

    return (
        -derivative(lambda found: objective(last.intercept, found), last.coefficients),
        -derivative(lambda found: objective(found, last.coefficients), last.intercept),
    )


def literal_loss(kind, linear, target):
    if kind == "gaussian":
        return ((target - linear) ** 2).sum() / 2
    if kind == "binomial":
        return np.log1p(np.exp(-(2 * target - 1) * linear)).sum()
    return (np.log(np.exp(linear).sum(1)) - (target * linear).sum(1)).sum()


def derivative(function, at, step=1e-5):
    found = np.empty_like(at)
    for place in np.ndindex(at.shape):
        moved = np.zeros_like(at)
        moved[place] = step
        found[place] = (function(at + moved) - function(at - moved)) / (2 * step)
    return found


@EVERY_FAMILY
@pytest.mark.parametrize("rho", [0.0, 2.0])
def test_the_strongest_penalty_leaves_nothing_and_the_next_one_feature(kind, rho):
    """At lambda_max all coefficients are zero; just below, one feature has some."""
    found = path(kind, rho, absent=0.3)
    at, below = found.solutions([found.strongest, 0.999 * found.strongest], to_the_end=True)
    assert not at.coefficients.any()
    assert (below.coefficients != 0).any(1).sum() == 1


@EVERY_FAMILY
def test_the_order_of_modalities_does_not_matter(kind):
    """Permuted modalities have permuted coefficients."""
    blocks, present, target = drawn(kind, absent=0.3)
    order, solutions = [2, 0, 1], []
    for places in ([0, 1, 2], order):
        design = Design.of([blocks[place] for place in places], present[:, places])
        found = CooperativePath(design, target, FAMILIES[kind][0], 0.7, tolerance=1e-10)
        *_, last = found.solutions([0.3 * found.strongest, 0.1 * found.strongest], to_the_end=True)
        solutions.append([last.coefficients[part] for part in design.parts])
    for place, coefficients in zip(order, solutions[1], strict=True):
        np.testing.assert_allclose(coefficients, solutions[0][place], atol=1e-7)


@EVERY_FAMILY
def test_the_objective_never_rises(kind, monkeypatch):
    """Not at any step, along the whole path, also where the classes can be told apart perfectly."""
    values = []
    step = CooperativePath._step

    def watched(self, working, strength):
        before = self.objective(strength)
        step(self, working, strength)
        values.append((before, self.objective(strength)))

    monkeypatch.setattr(CooperativePath, "_step", watched)
    solved(0.001, kind, rho=0.1, n=15)
    before, after = np.array(values).T
    assert len(values) > 10
    assert (after <= before * (1 + 1e-12) + 1e-15).all()


def test_the_path_ends_where_nothing_more_is_explained():
    """As glmnet's: at 99.9 % of the deviance; to the end if that is asked for."""
    found = path(rho=0.0, n=15, widths=(20, 20))
    grid = (np.geomspace(1, 1e-4, 60) * found.strongest).tolist()
    short = list(found.solutions(grid))
    assert len(short) < 60
    assert short[-1].explained > 0.999 > short[-2].explained
    assert len(list(path(rho=0.0, n=15, widths=(20, 20)).solutions(grid, to_the_end=True))) == 60


@pytest.mark.parametrize("rho", [0.0, 1.0])
def test_equal_features_are_no_obstacle(rho):
    """Copies within a modality, a constant feature, and more features than samples: the conditions hold."""
    blocks, present, target = drawn(n=20, widths=(30, 25))
    blocks[0][:, 1] = blocks[0][:, 0]
    blocks[1][:, 3] = 1.0
    found = CooperativePath(Design.of(blocks, present), target, Gaussian(), rho)
    *_, last = found.solutions((np.geomspace(1, 0.01, 30) * found.strongest).tolist(), to_the_end=True)
    assert found.violations(last.strength).max() <= found.tolerance * last.strength
    assert last.coefficients[33, 0] == 0


def test_many_features_need_no_matrix_of_all(monkeypatch):
    """Beyond a number of features the agreement is computed for those that matter, with the same result."""
    _, cached, _ = solved(0.05)
    monkeypatch.setattr("plait.training.cooperative_design._CACHED", 0)
    _, direct, _ = solved(0.05)
    np.testing.assert_allclose(direct.coefficients, cached.coefficients, atol=1e-10)


def test_values_of_absent_modalities_are_not_read():
    """Whatever stands there, the design is the same."""
    blocks, present, _ = drawn(absent=0.4)
    before = Design.of(blocks, present)
    for place, block in enumerate(blocks):
        block[~present[:, place]] = np.nan
    assert np.array_equal(Design.of(blocks, present).features, before.features)


def test_a_hopeless_problem_is_told(monkeypatch):
    """A warning where the conditions are not met within the rounds."""
    monkeypatch.setattr("plait.training.cooperative._ROUNDS", 1)
    found = path("binomial")
    with pytest.warns(ConvergenceWarning, match="did not settle"):
        list(found.solutions([0.01]))


# Its parts


@pytest.mark.parametrize(("n", "p"), [(100, 40), (40, 40), (30, 90)])
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
@pytest.mark.parametrize("way", ["_by_guesses", "_by_descent", "solve"])
def test_the_quadratic_lasso_is_exact(n, p, share, way):
    """By guesses (where they settle) and by descent, with correlated and with equal features."""
    rng = np.random.default_rng(n + p)
    X = rng.normal(size=(n, p)) + 2 * rng.normal(size=(n, 1)) * (np.arange(p) < 10)
    X[:, 3] = X[:, 7]
    gram, aim = X.T @ X, X.T @ (X[:, :5].sum(1) + rng.normal(size=n))
    strength = share * np.abs(aim).max()
    found = getattr(QuadraticLasso(gram, aim, strength), way)(rng.normal(size=p))
    if found is not None:
        slope, active = aim - gram @ found, found != 0
        assert np.abs(slope - strength * np.sign(found))[active].max() < 1e-6 * strength
        assert (np.abs(slope[~active]) < (1 + 1e-6) * strength).all()
    assert found is not None or way == "_by_guesses"


@pytest.mark.parametrize("kind", FAMILIES)
def test_derivatives_of_the_losses(kind):
    """target - expected is minus the slope, curvature its change, to finite differences."""
    family, outputs = FAMILIES[kind]
    linear = np.random.default_rng(0).normal(size=(1, outputs))
    target = np.eye(3)[[1]] if outputs == 3 else np.ones((1, 1))
    said = family.predict(linear, target)
    slope = derivative(lambda at: family.predict(at, target).loss, linear)
    np.testing.assert_allclose(target - said.expected, -slope, atol=1e-8)
    for one in range(outputs):
        bent = derivative(lambda at, one=one: family.predict(at, target).expected[0, one], linear)
        for other in range(outputs):
            assert family.curvature(said.expected, one, other)[0] == pytest.approx(bent[0, other], abs=2e-5)


def test_filling_in():
    """1 on complete samples and without agreement; M / k in the limit; the minimum of the quadratic that defines it."""
    k = np.array([1.0, 2.0, 3.0])
    assert fill_factor(k, 3, 0.0).tolist() == [1, 1, 1]
    np.testing.assert_allclose(fill_factor(k, 3, 1e9), 3 / k, rtol=1e-6)
    grid = np.linspace(-3, 3, 600_001)
    there = 2.0
    for rho in (0.3, 2.0):
        filled = grid[np.argmin(2 * (grid**2 / 2 + rho / 2 * (grid - there) ** 2))]
        assert there + 2 * filled == pytest.approx(there * fill_factor(k, 3, rho)[0], abs=1e-4)
