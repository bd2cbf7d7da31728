"""Which students a cohort has: counts and order of the specification, policies, limits."""

import pytest
import torch

from plait.data.spec import DataSpec
from plait.nn.dictionary import default_labels, found_labels, whole_student
from plait.nn.extractors import Encoder, Identity, parse_dictionary
from plait.nn.students import Student, choose_students, full_product, singles_pairs_all


def cohort(widths, full, kind="pca"):
    """Labels of the specification's width lists: 0 is null, the full width is identity."""
    spec = DataSpec({f"m{place}": (width,) for place, width in enumerate(full)}, 1, "regression")
    names = {0: "null"}
    labels = {
        name: [names.get(size, "identity" if size == width else f"{kind}-{size}") for size in sizes]
        for (name, (width,)), sizes in zip(spec.shapes.items(), widths, strict=True)
    }
    return full_product(parse_dictionary(labels, spec)), spec


COHORTS = {
    "settings 1.1 and 2.1": ([(500, 400, 300, 200, 0), (400, 300, 200, 100, 0)], (500, 400), 24),
    "settings 1.2 and 1.3": ([(80, 70, 60, 50, 0), (90, 80, 70, 60, 0)], (2000, 100), 24),
    "settings 2.2 and 2.3": ([(120, 100, 80, 60, 0), (120, 100, 80, 60, 0)], (2000, 400), 24),
    "NACC": ([(104, 70, 50, 30, 0), (39, 30), (28, 20), (192, 90, 60, 30, 0)], (104, 39, 28, 192), 100),
    "Barat": ([(315, 300, 250, 200, 0), (72, 40, 30, 20, 15, 0)], (315, 72), 29),
    "Buchanan": ([(315, 250, 200, 150, 0), (72, 38, 35, 30, 25, 0)], (315, 72), 29),
    "Superchris": ([(315, 100, 0), (46, 39, 36, 33, 30, 27, 24, 0)], (315, 46), 23),
    "Mitt": ([(315, 100, 0), (72, 70, 65, 60, 55, 50, 45, 0)], (315, 72), 23),
    "negative learning, small": ([(80, 60, 50, 0), (60, 0)], (2000, 400), 7),
    "negative learning, large": ([(100, 80, 60, 50, 0), (100, 80, 60, 0)], (2000, 400), 19),
    "four modalities, no null": ([(50, 30), (80, 50, 30), (30,), (20,)], (300, 200, 100, 50), 6),
}


@pytest.mark.parametrize("name", COHORTS)
def test_counts_of_the_published_cohorts(name):
    """The product of the dictionaries, without the student that reads nothing."""
    widths, full, count = COHORTS[name]
    students, spec = cohort(widths, full)
    assert len(students) == len(set(students)) == count
    assert min(student.width(spec) for student in students) > 0


def test_enumeration_order_of_the_specification():
    """Student 0 is (500, 400), 1 is (500, 300), 4 is (500, 0), 23 is (0, 100): last modality fastest."""
    students, spec = cohort([(500, 400, 300, 200, 0), (400, 300, 200, 100, 0)], (500, 400), "encoder")
    found = []
    for student in students:
        read = {name: extractor.width(name, spec) for name, extractor in student.reads}
        found.append((read.get("m0", 0), read.get("m1", 0)))
    assert found[:6] == [(500, 400), (500, 300), (500, 200), (500, 100), (500, 0), (400, 400)]
    assert found[4] == (500, 0)
    assert found[23] == (0, 100)
    pairs = [(a, b) for a in (500, 400, 300, 200, 0) for b in (400, 300, 200, 100, 0)]
    assert found == pairs[:-1]


def test_order_of_four_modalities():
    """The multi-modality demonstration: the second modality's widths run within the first's."""
    students, _ = cohort([(50, 30), (80, 50, 30), (30,), (20,)], (300, 200, 100, 50))
    names = [student.name for student in students]
    assert names[0] == "m0:pca-50 + m1:pca-80 + m2:pca-30 + m3:pca-20"
    assert names[1] == "m0:pca-50 + m1:pca-50 + m2:pca-30 + m3:pca-20"
    assert names[3] == "m0:pca-30 + m1:pca-80 + m2:pca-30 + m3:pca-20"


def dictionary(modalities, labels=("identity", "pca-2", "null")):
    spec = DataSpec({f"m{place}": (4,) for place in range(modalities)}, 1, "regression")
    return parse_dictionary(dict.fromkeys(spec.names, labels), spec)


@pytest.mark.parametrize(("modalities", "count"), [(1, 2), (2, 8), (3, 26), (5, 242)])
def test_product_over_any_number_of_modalities(modalities, count):
    """3^K - 1 combinations of two extractors and null."""
    assert len(choose_students(dictionary(modalities), "product")) == count


@pytest.mark.parametrize(("modalities", "count"), [(1, 2), (2, 8), (3, 6 + 12 + 2), (5, 10 + 40 + 2)])
def test_singles_pairs_and_all(modalities, count):
    """Every extractor alone, every pair, and one student of all modalities for every rank in the lists."""
    students = singles_pairs_all(dictionary(modalities))
    assert len(students) == len(set(students)) == count
    assert {len(student.reads) for student in students} <= {1, 2, modalities}


def test_students_of_all_modalities_combine_equal_ranks():
    """The last extractor of a shorter list stands in."""
    spec = DataSpec({"a": (4,), "b": (4,), "c": (4,)}, 1, "regression")
    read = parse_dictionary({"a": ["identity", "pca-2"], "b": ["identity"], "c": ["null", "pca-3", "pca-1"]}, spec)
    whole = [student.name for student in singles_pairs_all(read) if len(student.reads) == 3]
    assert whole == ["a:identity + b:identity + c:pca-3", "a:pca-2 + b:identity + c:pca-1"]


def test_a_modality_that_nobody_may_read_is_left_out():
    """A list of 'null' alone, by either policy."""
    spec = DataSpec({"a": (4,), "b": (4,), "c": (4,)}, 1, "regression")
    read = parse_dictionary({"a": ["identity"], "b": ["null"], "c": ["identity"]}, spec)
    assert [student.name for student in choose_students(read, "singles-pairs-all")] == [
        "a:identity",
        "c:identity",
        "a:identity + c:identity",
    ]
    assert [student.name for student in choose_students(read, "product")] == ["a:identity + c:identity"]


def test_automatic_policy_is_the_product_of_up_to_100_combinations():
    """4 modalities of 3 entries are 81 combinations; 5 are 243 and become singles, pairs and all."""
    assert choose_students(dictionary(4), "auto") == tuple(full_product(dictionary(4)))
    assert choose_students(dictionary(5), "auto") == tuple(singles_pairs_all(dictionary(5)))


@pytest.mark.parametrize("most", [4, 5, 9, 25, 26, 27, None])
def test_a_limit_keeps_single_modalities_and_the_full_set(most):
    """At most so many students, in the order of the list, always with every modality alone and all together."""
    read = dictionary(3)
    students = choose_students(read, "product", most)
    every = full_product(read)
    assert len(students) == min(most or len(every), len(every))
    places = [every.index(student) for student in students]
    assert places == sorted(set(places))
    kept = {student.modalities for student in students}
    assert kept >= {("m0",), ("m1",), ("m2",), ("m0", "m1", "m2")}


def test_a_limit_without_null_keeps_the_full_set():
    """In the NACC cohort nobody reads one modality alone; a small limit still holds one student of all."""
    spec = DataSpec({"a": (4,), "b": (4,)}, 1, "regression")
    read = parse_dictionary({"a": ["identity", "pca-1"], "b": ["identity", "pca-1"]}, spec)
    assert [student.name for student in choose_students(read, "product", 1)] == ["a:identity + b:identity"]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (("products", None), "policy must be one of auto, product, singles-pairs-all"),
        (("product", 3), "at least 4"),
    ],
)
def test_errors_say_what_is_allowed(choices, message):
    """An unknown policy, and a limit below the number of modalities."""
    with pytest.raises(ValueError, match=message):
        choose_students(dictionary(3), *choices)


@pytest.mark.parametrize("policy", ["auto", "product", "singles-pairs-all"])
def test_a_dictionary_of_null_alone_is_refused(policy):
    """Nobody would read anything."""
    with pytest.raises(ValueError, match="'null' alone"):
        choose_students(dictionary(2, ("null",)), policy)


def test_a_student_says_what_it_reads():
    """Name, modalities and width of its input."""
    spec = DataSpec({"audio": (2, 3), "text": (4,)}, 1, "regression")
    student = Student((("audio", Identity()), ("text", Encoder(5))))
    assert student.name == "audio:identity + text:encoder-5"
    assert student.modalities == ("audio", "text")
    assert student.width(spec) == 11
    assert whole_student(spec, ["text", "audio"]).name == "text:identity + audio:identity"


def test_default_extractors():
    """The features, their components, what is shared and what is not; a user's module is read whole."""
    spec = DataSpec({"a": (8,), "b": (3,)}, 1, "regression", {"b": torch.nn.Linear(3, 2)})
    labels = default_labels(spec)
    assert labels == {"a": ("identity", "pca-auto", "shared-auto", "individual-auto", "null"), "b": ("module", "null")}
    parse_dictionary(found_labels(labels, spec, None), spec)
