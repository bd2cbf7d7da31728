"""Cooperative learning: closed forms of the linear case, its limits, and the path of rho."""

from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn

from plait.methods.cooperative import CooperativeFusion
from plait.nn.averaged_net import AveragedNet
from plait.nn.criteria import criterion_for
from plait.nn.module import evaluate
from tiny import close, course, samples

SHAPES = {"a": (3,), "b": (2,), "c": (4,)}
SMALL = {"hidden": (4,), "dropout": 0.2}


def data_of(modalities=2, **choices):
    shapes = dict(list(SHAPES.items())[:modalities])
    return samples(**{"shapes": shapes, "dtype": torch.float64} | choices)


def fresh(data, **choices):
    """The network at all rho in double precision, in evaluation mode, and the samples as it reads them."""
    net = CooperativeFusion(**choices).network(data.spec, torch.Generator().manual_seed(0)).double().eval()
    return net, data.with_features(AveragedNet(net).double().representations).samples


def minimised(data, **choices):
    """The network where its objective on all samples is lowest."""
    net, batch = fresh(data, **choices)
    search = torch.optim.LBFGS(
        net.parameters(), max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-15, line_search_fn="strong_wolfe"
    )

    def closure():
        search.zero_grad()
        loss = net.objective(batch, criterion_for(data.spec)).sum()
        loss.backward()
        return loss

    search.step(closure)
    return net.predictors(batch.features, batch.present).detach(), batch


def closed_form(batch, rho):
    """Predictions of every modality by least squares on the augmented data of the paper, constants included."""
    designs = [torch.cat([values, torch.ones(len(values), 1)], 1) for values in batch.features.values()]
    rows = [torch.cat(designs, 1)]
    for a, b in combinations(range(len(designs)), 2):
        signs = [-1.0 * (place == a) + 1.0 * (place == b) for place in range(len(designs))]
        rows.append(rho**0.5 * torch.cat([sign * part for sign, part in zip(signs, designs, strict=True)], 1))
    stacked = torch.cat(rows)
    target = torch.zeros(len(stacked), batch.target.shape[1])
    target[: len(batch.target)] = batch.target
    found = torch.linalg.lstsq(stacked, target.double(), driver="gelsd").solution
    parts = found.split([design.shape[1] for design in designs])
    return torch.stack([design @ part for design, part in zip(designs, parts, strict=True)], 1)


# Known answers of the linear case


@pytest.mark.parametrize("modalities", [2, 3])
def test_linear_networks_solve_the_augmented_least_squares_of_the_paper(modalities):
    """[[X, Z], [-sqrt(rho) X, sqrt(rho) Z]] and [y, 0], for several rho at once, and for pairs of three modalities."""
    rhos = (0.3, 1.0, 4.0)
    found, batch = minimised(data_of(modalities), rhos=rhos, hidden=())
    for place, rho in enumerate(rhos):
        torch.testing.assert_close(found[place], closed_form(batch, rho), rtol=0, atol=1e-4)


def test_at_0_the_sum_is_least_squares_on_all_features():
    """Additive training; the parts are not unique, since a constant can stand in either."""
    found, batch = minimised(data_of(), rhos=(0.0,), hidden=())
    torch.testing.assert_close(found[0].sum(1), closed_form(batch, 0.0).sum(1), rtol=0, atol=1e-4)


def test_at_1_every_modality_fits_its_share_alone():
    """Late fusion of least squares: y / 3 of three modalities."""
    found, batch = minimised(data_of(3), rhos=(1.0,), hidden=())
    for place, values in enumerate(batch.features.values()):
        design = torch.cat([values, torch.ones(len(values), 1)], 1)
        alone = design @ torch.linalg.lstsq(design, batch.target / 3).solution
        torch.testing.assert_close(found[0][:, place], alone, rtol=0, atol=1e-4)


def test_a_large_rho_forces_agreement():
    """The predictions become equal as rho grows: half each of what both modalities can tell, here one coordinate."""
    data = data_of(count=60)
    a, b = data.samples.features.values()
    b[:, 0] = a[:, 0]
    data.samples.target.copy_(a[:, :1] + a[:, 1:2] + b[:, 1:])
    found, _ = minimised(data, rhos=(0.0, 10.0, 1e4), hidden=())
    apart = (found[:, :, 0] - found[:, :, 1]).square().mean((1, 2))
    assert apart[0] > 0.1
    assert apart[1] < 0.05
    assert apart[2] < 1e-6
    common = torch.cat([a[:, :1], torch.ones(60, 1)], 1)
    expected = common @ torch.linalg.lstsq(common, data.samples.target).solution
    torch.testing.assert_close(found[2].sum(1), expected, rtol=0, atol=1e-2)


def test_of_two_classes_it_is_the_papers_binomial_form():
    """Cross-entropy plus rho / 2 times the squared difference of the log-odds."""
    data = data_of(task="classification", outputs=2)
    net, batch = fresh(data, rhos=(0.7,), **SMALL)
    parts = net.predictors(batch.features, batch.present)[0]
    odds = parts[..., 1] - parts[..., 0]
    task = nn.functional.binary_cross_entropy_with_logits(odds.sum(1), batch.target[:, 1])
    expected = task + 0.7 / 2 * (odds[:, 0] - odds[:, 1]).square().mean()
    assert net.objective(batch, criterion_for(data.spec)).item() == pytest.approx(expected.item())


# Absent modalities


def test_a_sample_that_lacks_modalities_is_on_the_scale_of_the_others():
    """The mean of what is there, three times; and it takes part in training, without agreement."""
    data = data_of(3, absent=0.5)
    net, batch = fresh(data, rhos=(0.0, 5.0), **SMALL)
    parts = net.predictors(batch.features, batch.present)
    single = batch.present.sum(1) == 1
    assert bool(single.any())
    torch.testing.assert_close(net(batch.features, batch.present)[:, single], 3 * parts.sum(2)[:, single])
    alone = net.objective(batch.rows(single.nonzero().flatten()), criterion_for(data.spec))
    assert alone[0] == alone[1] > 0


# The path


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_every_rho_of_a_path_is_the_fit_at_that_rho_alone(task, folds):
    """Folds and a user's module included: the copies start equal and do not see each other."""
    torch.manual_seed(0)
    data = samples(task, 3, absent=0.2, folds=folds, encoders={"a": nn.Linear(5, 2)})
    rhos = (0.0, 0.5, 9.0)
    path = course(data)
    CooperativeFusion(rhos, **SMALL).fit(path)
    for place, rho in enumerate(rhos):
        alone = CooperativeFusion((rho,), **SMALL).fit(course(data))
        close(path.runs[0]["module"].at_setting(place).state_dict(), alone.module.net.state_dict())


@pytest.mark.parametrize("folds", [1, 3])
def test_the_rho_of_the_lowest_validation_loss_is_chosen(folds):
    """The mean over the folds by their sizes, told in a table; the method comes back with that rho alone."""
    data = data_of(absent=0.2, folds=folds, count=41)
    told = course(data)
    fitted = CooperativeFusion((5.0, 0.0, 1.0), **SMALL).fit(told)
    table = fitted.tables["rho_path"]
    assert table.columns.tolist() == ["rho", "validation_loss", "chosen"]
    assert table.rho.tolist() == [5, 0, 1]
    sizes = np.bincount(data.samples.fold[data.validation])
    losses = told.runs[0]["result"].losses.double().numpy().reshape(3, folds)
    assert table.validation_loss.tolist() == pytest.approx((losses @ sizes / sizes.sum()).tolist())
    assert table.chosen.tolist() == (table.validation_loss == table.validation_loss.min()).tolist()
    assert fitted.method.rhos == tuple(table.rho[table.chosen])
    assert fitted.method.get_params() == {"rhos": fitted.method.rhos, **SMALL}


def test_the_loss_in_the_table_is_that_of_the_validation_outputs():
    """Those of the chosen rho, by the copies that did not learn from the samples."""
    data = data_of(folds=3)
    fitted = CooperativeFusion((5.0, 0.3), **SMALL).fit(course(data))
    loss = (fitted.validation - data.samples.target[data.validation]).square().mean()
    assert loss.item() == pytest.approx(fitted.tables["rho_path"].validation_loss.min(), rel=1e-6)


@pytest.mark.parametrize("rhos", [(0.0,), (0.0, 2.0, 7.0)])
def test_the_resolved_method_builds_a_module_that_the_weights_fit_into(rhos):
    """The same predictions; with a user's module, and before the choice too."""
    torch.manual_seed(0)
    data = samples("classification", 3, folds=2, encoders={"b": nn.Sequential(nn.Flatten(), nn.Linear(6, 2))})
    method = CooperativeFusion(rhos, **SMALL)
    fitted = method.fit(course(data))
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    for described in (fitted.method, method):
        built = described.build(data.spec).double()
        built.load_state_dict(fitted.module.state_dict())
        expected = evaluate(fitted.module, batch.features, batch.present)
        assert torch.equal(evaluate(built, batch.features, batch.present), expected)


def test_a_user_s_module_is_the_input_of_its_modality():
    """Trained with it; the others read their features."""
    module = nn.Linear(3, 2)
    data = data_of(encoders={"a": module})
    net, batch = fresh(data, rhos=(1.0,), hidden=())
    inner = net.predictors.modules_given["0"](batch.features["a/module"])
    expected = net.predictors.encoders[0](inner)
    torch.testing.assert_close(net.predictors(batch.features, batch.present)[:, :, 0], expected)
    torch.testing.assert_close(inner[0], module.double()(batch.features["a/module"]))


@pytest.mark.parametrize("rhos", [(), (-1.0,), (1.0, 1.0), (float("inf"),)])
def test_strengths_out_of_range_are_refused(rhos):
    """None, negative, repeated or endless ones."""
    with pytest.raises(ValueError, match="rhos"):
        CooperativeFusion(rhos).build(samples().spec)
