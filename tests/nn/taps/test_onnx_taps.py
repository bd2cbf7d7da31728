"""Tensors inside an ONNX graph are taps; skipped where the packages are not installed."""

import pickle
import sys

import numpy as np
import pytest
import torch

from plait.nn.taps import OnnxTaps

onnx = pytest.importorskip("onnx", reason="needs pip install 'plait[pretrained]'")
pytest.importorskip("onnxruntime", reason="needs pip install 'plait[pretrained]'")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

RANDOM = np.random.default_rng(0)
FIRST, SECOND, THIRD = (RANDOM.normal(size=shape).astype("float32") for shape in [(4, 5), (5, 3), (3, 6)])
VALUES = torch.from_numpy(RANDOM.normal(size=(2, 4)).astype("float32"))
NAMES = ("one", "two", "three")


def saved(path, nodes, weights, inputs, output="end"):
    """A file of a graph."""
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.fixture
def chain(tmp_path):
    """Three products with rectifiers, the last of which needs a second input, and a mean at the end."""
    nodes = [
        helper.make_node("MatMul", ["values", "w1"], ["p1"]),
        helper.make_node("Relu", ["p1"], ["one"]),
        helper.make_node("MatMul", ["one", "w2"], ["p2"]),
        helper.make_node("Relu", ["p2"], ["two"]),
        helper.make_node("MatMul", ["two", "w3"], ["p3"]),
        helper.make_node("Add", ["p3", "shift"], ["three"]),
        helper.make_node("ReduceMean", ["three"], ["end"], axes=[1]),
    ]
    weights = {"w1": FIRST, "w2": SECOND, "w3": THIRD}
    return saved(tmp_path / "chain.onnx", nodes, weights, {"values": ["batch", 4], "shift": ["batch", 6]})


def by_hand():
    """The three tensors, with a shift of 1."""
    one = np.maximum(VALUES.numpy() @ FIRST, 0)
    two = np.maximum(one @ SECOND, 0)
    return [one, two, two @ THIRD + 1]


def test_taps_are_the_tensors_of_the_graph(chain):
    """Of unequal widths; the name is the graph's."""
    encoder = OnnxTaps(chain, NAMES)
    assert (encoder.taps, encoder.name) == (3, "toy")
    shift = torch.ones(2, 6)
    for values in ({"shift": shift, "values": VALUES}, (VALUES, shift)):
        for tap, expected in zip(encoder.read(values), by_hand(), strict=True):
            assert np.allclose(tap.values, expected, atol=1e-6)


@pytest.mark.parametrize("tap", [1, 2, 3])
def test_a_truncated_graph_gives_the_same_and_holds_nothing_above(tap, chain):
    """No node, weight or input that its taps do not need; and nothing behind the last tap in the whole one."""
    encoder = OnnxTaps(chain, NAMES)
    short = encoder.truncated(tap)
    assert [node.op_type for node in short.graph.graph.node] == ["MatMul", "Relu", "MatMul", "Relu", "MatMul", "Add"][
        : 2 * tap
    ]
    assert [weight.name for weight in short.graph.graph.initializer] == ["w1", "w2", "w3"][:tap]
    assert short.inputs == (("values", "shift") if tap == 3 else ("values",))
    values = {"shift": torch.ones(2, 6), "values": VALUES}
    for one, other in zip(short.read(values), encoder.read(values), strict=False):
        assert torch.equal(one.values, other.values)
    assert (short.taps, encoder.taps) == (tap, 3)


@pytest.mark.parametrize("tap", [1, 3])
def test_another_process_gets_the_graph(tap, chain):
    """Pickled after it has read something; the file may be gone by then."""
    encoder, values = OnnxTaps(chain, NAMES).truncated(tap), {"shift": torch.ones(2, 6), "values": VALUES}
    expected, content = encoder.read(values), pickle.dumps(encoder)
    chain.unlink()
    other = pickle.loads(content)
    assert (other.fingerprint(), other.name, other.taps) == (encoder.fingerprint(), "toy", tap)
    assert all(torch.equal(one.values, tapped.values) for one, tapped in zip(other.read(values), expected, strict=True))


def test_a_graph_of_one_input_reads_a_tensor(chain):
    """And a single sample."""
    (tap,) = OnnxTaps(chain, ["one"], name="mine").read(VALUES[:1])
    assert np.allclose(tap.values, by_hand()[0][:1], atol=1e-6)


def test_an_image_map_becomes_tokens(tmp_path):
    """One a pixel, as in a module; another axis can be chosen."""
    nodes = [helper.make_node("Relu", ["image"], ["map"]), helper.make_node("Neg", ["map"], ["end"])]
    path = saved(tmp_path / "map.onnx", nodes, {}, {"image": ["batch", 3, 2, 5]})
    image = torch.rand(4, 3, 2, 5)
    assert torch.equal(OnnxTaps(path, ["map"]).read(image)[0].values, image.flatten(2).mT)
    assert OnnxTaps(path, ["map"], width_axis=3).read(image)[0].values.shape == (4, 6, 5)


def test_what_a_branch_reads_from_outside_is_kept(tmp_path):
    """A tensor that only the branches of a condition name."""
    kept = [
        helper.make_graph(
            [helper.make_node(kind, ["doubled"], [kind])],
            kind,
            [],
            [helper.make_tensor_value_info(kind, TensorProto.FLOAT, None)],
        )
        for kind in ("Relu", "Neg")
    ]
    nodes = [
        helper.make_node("Add", ["values", "values"], ["doubled"]),
        helper.make_node("If", ["yes"], ["chosen"], then_branch=kept[0], else_branch=kept[1]),
        helper.make_node("Neg", ["chosen"], ["end"]),
    ]
    path = saved(tmp_path / "if.onnx", nodes, {"yes": np.zeros((), bool)}, {"values": ["batch", 4]})
    assert torch.equal(OnnxTaps(path, ["chosen"]).read(VALUES)[0].values, -2 * VALUES)


@pytest.mark.parametrize("outputs", [["lost"], [], ["one", "one"], ["one", "lost"], ["values"]])
def test_outputs_that_are_not_in_the_graph_are_refused_with_those_that_are(chain, outputs):
    """An input is no block."""
    with pytest.raises(ValueError, match=r"cannot be taps of graph 'toy'.*: p1, one, p2|taps must be a whole number"):
        OnnxTaps(chain, outputs)


@pytest.mark.parametrize(
    "values", [VALUES, (VALUES,), {"values": VALUES}, ["text"], {"values": VALUES, "other": VALUES}, (VALUES,) * 3]
)
def test_inputs_that_do_not_fit_are_refused(chain, values):
    """Too few, too many, of another name, texts."""
    with pytest.raises(ValueError, match=r"'toy' reads the inputs \['values', 'shift'\]"):
        OnnxTaps(chain, NAMES).read(values)


def test_a_file_without_a_graph_is_named(tmp_path):
    """And one that is not there."""
    (tmp_path / "bad.onnx").write_bytes(b"\x99no graph")
    with pytest.raises(ValueError, match=r"bad\.onnx holds no ONNX graph"):
        OnnxTaps(tmp_path / "bad.onnx", NAMES)
    with pytest.raises(FileNotFoundError):
        OnnxTaps(tmp_path / "lost.onnx", NAMES)


def test_numbers_that_are_no_real_ones_are_refused(tmp_path):
    """A tap holds real numbers."""
    nodes = [helper.make_node("Shape", ["values"], ["sizes"]), helper.make_node("Neg", ["values"], ["end"])]
    path = saved(tmp_path / "shape.onnx", nodes, {}, {"values": ["batch", 4]})
    with pytest.raises(ValueError, match=r"Block 'sizes' of encoder 'toy' gave a tensor of torch\.int64"):
        OnnxTaps(path, ["sizes"]).read(VALUES)


def test_the_fingerprint_tells_graph_and_weights(chain, tmp_path):
    """The same file twice, fewer taps, other weights."""
    same = [OnnxTaps(chain, NAMES).fingerprint() for _ in range(2)]
    model = onnx.load(chain)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(2 * FIRST, "w1"))
    onnx.save(model, tmp_path / "other.onnx")
    others = [OnnxTaps(chain, NAMES[:2]), OnnxTaps(chain, NAMES).truncated(1), OnnxTaps(tmp_path / "other.onnx", NAMES)]
    assert same[0] == same[1]
    assert len({same[0], *(other.fingerprint() for other in others)}) == 4
    assert OnnxTaps(chain, NAMES[:2]).fingerprint() == OnnxTaps(chain, NAMES).truncated(2).fingerprint()


def test_missing_packages_name_the_extra(monkeypatch, chain):
    """Where they are first needed."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"OnnxTaps needs onnxruntime: pip install 'plait\[pretrained\]'"):
        OnnxTaps(chain, NAMES)
