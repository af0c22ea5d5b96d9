"""Every constraint against plain loops in double precision, its margin, its gradient and its edges."""

import math

import pytest
import torch
from torch import nn

from cross_modal_kd.losses import (
    CONSTRAINTS,
    RKD,
    ConstraintInputs,
    ContrastiveConstraint,
    HintonKD,
    RelationalConstraint,
    SoftClassifierConstraint,
    SoftFeatureConstraint,
    build_constraint,
    soft_margin,
)

LABELS = [0, 1, 1, -1, 2, 0, -1]
KINDS = sorted(CONSTRAINTS)
BANK = 4


def constraint_of(kind, margin=0.0, temperature=1.0, **options):
    """The constraint of that kind; those that take no temperature are built without."""
    return build_constraint(kind, margin, temperature if CONSTRAINTS[kind].temperature else 1.0, **options)


def batch_of(size=7, dim=5, classes=3, dtype=torch.float64, seed=0, labels=None):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    return ConstraintInputs(
        student=draw(size, dim),
        teacher=draw(size, dim),
        labels=torch.tensor((LABELS if labels is None else labels)[:size]),
        prototypes=draw(classes, dim),
        student_raw=draw(size, dim),
        teacher_raw=draw(size, dim),
        student_logits=3 * draw(size, classes),
        bank=draw(BANK, dim),
        bank_rows=torch.arange(size) % BANK,
        scale=4.0,
    )


# ---- the same formulas, one number at a time ----


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def cos(a, b):
    return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def softmax(logits):
    powers = [math.exp(x) for x in logits]
    return [p / sum(powers) for p in powers]


def kl(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def logits_of(x, prototypes, scale, tau):
    return [scale * cos(x, w) / tau for w in prototypes]


def huber(x):
    return 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5


def unit_rows(rows):
    return [[x / math.sqrt(dot(row, row)) for x in row] for row in rows]


def plain_cosine(b, tau):
    return [1 - cos(s, t) for s, t in zip(b["student"], b["teacher"], strict=True)]


def plain_l2(b, tau):
    return [
        sum((x - y) ** 2 for x, y in zip(s, t, strict=True))
        for s, t in zip(b["student_raw"], b["teacher_raw"], strict=True)
    ]


def plain_relational_pairs(b):
    s, t = b["student"], b["teacher"]
    n = len(s)
    return [[abs(cos(s[i], s[j]) - cos(t[i], t[j])) for j in range(n) if j != i] for i in range(n)]


def plain_relational(b, tau):
    return [sum(row) / len(row) for row in plain_relational_pairs(b)]


def plain_contrastive(b, tau):
    s, t, y = b["student"], b["teacher"], b["labels"]
    n = len(s)

    def one_way(queries, keys):
        values = []
        for i in range(n):
            positives = [j for j in range(n) if j == i or (y[i] >= 0 and y[i] == y[j])]
            negatives = sum(math.exp(cos(queries[i], keys[j]) / tau) for j in range(n) if j not in positives)
            losses = []
            for p in positives:
                e = math.exp(cos(queries[i], keys[p]) / tau)
                losses.append(-math.log(e / (e + negatives)))
            values.append(sum(losses) / len(losses))
        return values

    return [(a + c) / 2 for a, c in zip(one_way(s, t), one_way(t, s), strict=True)]


def plain_contrastive_bank(b, tau):
    values = []
    for s, row in zip(b["student"], b["bank_rows"], strict=True):
        values.append(-math.log(softmax([cos(s, t) / tau for t in b["bank"]])[row]))
    return values


def plain_classifier_kl(b, tau):
    w, a = b["prototypes"], b["scale"]
    return [
        tau**2 * kl(softmax(logits_of(t, w, a, tau)), softmax(logits_of(s, w, a, tau)))
        for s, t in zip(b["student"], b["teacher"], strict=True)
    ]


def plain_classifier_ce(b, tau):
    w, a = b["prototypes"], b["scale"]
    values = []
    for s, t, y in zip(b["student"], b["teacher"], b["labels"], strict=True):
        q = softmax(logits_of(s, w, a, tau))
        values.append(-math.log(q[y]) if y >= 0 else kl(softmax(logits_of(t, w, a, tau)), q))
    return values


def plain_hinton(b, tau):
    return [
        tau**2 * kl(softmax(logits_of(t, b["prototypes"], b["scale"], tau)), softmax([x / tau for x in logits]))
        for t, logits in zip(b["teacher"], b["student_logits"], strict=True)
    ]


def plain_rkd(b, tau):
    def geometry(rows):
        rows = unit_rows(rows)
        n = len(rows)
        d = [[math.dist(rows[i], rows[j]) for j in range(n)] for i in range(n)]
        mean = sum(sum(row) for row in d) / (n * (n - 1))

        def angle(i, j, k):
            to_j = [x - y for x, y in zip(rows[j], rows[i], strict=True)]
            to_k = [x - y for x, y in zip(rows[k], rows[i], strict=True)]
            return cos(to_j, to_k)

        return [[x / mean for x in row] for row in d], angle

    (ds, angle_s), (dt, angle_t) = geometry(b["student"]), geometry(b["teacher"])
    n = len(ds)
    values = []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        distance = sum(huber(ds[i][j] - dt[i][j]) for j in others) / len(others)
        triples = [(j, k) for j in others for k in others if j != k]
        turn = sum(huber(angle_s(i, j, k) - angle_t(i, j, k)) for j, k in triples) / len(triples)
        values.append(distance + 2 * turn)
    return values


PLAIN = {
    "cosine": plain_cosine,
    "l2": plain_l2,
    "relational": plain_relational,
    "contrastive": plain_contrastive,
    "classifier_kl": plain_classifier_kl,
    "classifier_ce": plain_classifier_ce,
    "hinton_kd": plain_hinton,
    "rkd": plain_rkd,
    "contrastive_bank": plain_contrastive_bank,
    "feature": plain_cosine,
    "classifier": plain_classifier_kl,
}


def as_lists(inputs):
    names = ("student", "teacher", "labels", "prototypes", "student_raw", "teacher_raw", "student_logits")
    names += ("bank", "bank_rows")
    return {**{name: getattr(inputs, name).tolist() for name in names}, "scale": inputs.scale}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tau", [0.5, 2.0])
def test_raw_values_are_those_of_plain_loops(kind, tau):
    inputs = batch_of()
    expected = torch.tensor(PLAIN[kind](as_lists(inputs), tau), dtype=torch.float64)
    torch.testing.assert_close(constraint_of(kind, 0.0, tau)(inputs).raw, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_that_of_finite_differences(kind):
    constraint, inputs = constraint_of(kind, 0.05, 1.5), batch_of(size=5)
    names = ("student", "teacher", "prototypes", "student_raw", "student_logits", "bank")
    tensors = [getattr(inputs, name).clone().requires_grad_() for name in names]

    def values(*tensors):
        return constraint(
            ConstraintInputs(
                **dict(zip(names, tensors, strict=True)),
                labels=inputs.labels,
                teacher_raw=inputs.teacher_raw,
                bank_rows=inputs.bank_rows,
                scale=inputs.scale,
            )
        ).values

    assert torch.autograd.gradcheck(values, tensors)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "relational"])
def test_margin_comes_off_and_leaves_no_gradient_inside(kind):
    inputs = batch_of()
    raw = build_constraint(kind, 0.0, 1.0)(inputs).raw
    margin = float(raw.median())
    student, logits, feature = (
        x.clone().requires_grad_() for x in (inputs.student, inputs.student_logits, inputs.student_raw)
    )
    output = build_constraint(kind, margin, 1.0)(
        ConstraintInputs(
            student,
            inputs.teacher,
            inputs.labels,
            inputs.prototypes,
            student_raw=feature,
            teacher_raw=inputs.teacher_raw,
            student_logits=logits,
            bank=inputs.bank,
            bank_rows=inputs.bank_rows,
            scale=inputs.scale,
        )
    )
    inside = raw <= margin
    assert inside.any() and not inside.all()
    torch.testing.assert_close(output.raw, raw)
    torch.testing.assert_close(output.values, torch.where(inside, 0, raw - margin))
    assert output.active.tolist() == (~inside).double().tolist()
    output.values[inside].sum().backward()
    for tensor in (student, logits, feature):
        assert tensor.grad is None or not tensor.grad.any()


def test_on_the_edge_of_the_margin_nothing_is_asked():
    values = torch.tensor([0.25, 0.5, 0.75], requires_grad=True)
    soft_margin(values, 0.5).sum().backward()
    assert values.grad.tolist() == [0, 0, 1]


def test_relational_margin_comes_off_every_pair():
    inputs, margin = batch_of(), 0.4
    pairs = plain_relational_pairs(as_lists(inputs))
    output = RelationalConstraint(margin)(inputs)
    expected = [sum(max(0.0, r - margin) for r in row) / len(row) for row in pairs]
    active = [sum(r > margin for r in row) / len(row) for row in pairs]
    assert output.values.tolist() == pytest.approx(expected)
    assert output.active.tolist() == pytest.approx(active)
    assert 0 < output.active.mean() < 1
    assert (output.values > output.raw - margin).all()


def test_relational_has_no_gradient_where_all_pairs_are_inside():
    inputs = batch_of()
    student = inputs.student.clone().requires_grad_()
    output = RelationalConstraint(2.0)(ConstraintInputs(student, inputs.teacher))
    output.values.sum().backward()
    assert not output.values.any() and not output.active.any() and not student.grad.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_single(kind, dtype):
    inputs = batch_of(dtype=dtype)
    names = ("student", "teacher", "prototypes", "student_raw", "teacher_raw", "student_logits", "bank")
    same = ConstraintInputs(
        **{name: getattr(inputs, name).double() for name in names},
        labels=inputs.labels,
        bank_rows=inputs.bank_rows,
        scale=inputs.scale,
    )
    constraint = build_constraint(kind, 0.1, 1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = constraint(inputs)
    assert output.values.dtype == torch.float32
    torch.testing.assert_close(output.values.double(), constraint(same).values, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("likeness", ["identical", "opposite", "all the same"])
def test_edges_are_finite(kind, size, likeness):
    teacher = torch.nn.functional.normalize(torch.randn(size, 4, generator=torch.Generator().manual_seed(1)), dim=1)
    if likeness == "all the same":
        teacher = teacher[:1].repeat(size, 1)
    student = (teacher * (-1 if likeness == "opposite" else 1)).clone().requires_grad_()
    logits = torch.zeros(size, 1, requires_grad=True)
    inputs = ConstraintInputs(
        student,
        teacher,
        torch.zeros(size, dtype=torch.long),
        torch.ones(1, 4),
        student_logits=logits,
        bank=teacher,
        bank_rows=torch.arange(size),
    )
    output = constraint_of(kind, 0.0, 0.1)(inputs)
    output.values.sum().backward()
    assert all(part.isfinite().all() for part in output)
    assert (output.values >= 0).all()
    for tensor in (student, logits):
        assert tensor.grad is None or (tensor.grad.isfinite().all() and tensor.grad.abs().max() < 100)
    if likeness != "opposite" and not kind.startswith("contrastive"):
        assert output.values.abs().max() < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_zero_embeddings_are_finite(kind):
    student = torch.zeros(3, 4, requires_grad=True)
    inputs = ConstraintInputs(
        student,
        torch.eye(4)[:3],
        torch.tensor([0, 1, -1]),
        torch.eye(4)[:2],
        student_logits=torch.zeros(3, 2),
        bank=torch.eye(4),
        bank_rows=torch.arange(3),
    )
    output = build_constraint(kind)(inputs)
    output.values.sum().backward() if output.values.requires_grad else None
    assert output.values.isfinite().all()
    assert student.grad is None or student.grad.isfinite().all()


def test_l2_takes_the_embeddings_where_there_are_no_raw_ones():
    inputs = batch_of()
    plain = ConstraintInputs(nn.functional.normalize(inputs.student), nn.functional.normalize(inputs.teacher))
    squared = SoftFeatureConstraint(distance="l2")(plain).values
    torch.testing.assert_close(squared, 2 * SoftFeatureConstraint()(plain).values)


def test_contrast_without_labels_is_info_nce():
    inputs = batch_of()
    unlabelled = ConstraintInputs(inputs.student, inputs.teacher)
    s, t = nn.functional.normalize(inputs.student), nn.functional.normalize(inputs.teacher)
    expected = nn.functional.cross_entropy(s @ t.T / 0.2, torch.arange(7), reduction="none")
    output = ContrastiveConstraint(temperature=0.2, symmetric=False)(unlabelled)
    torch.testing.assert_close(output.values, expected)


def test_contrast_of_one_class_asks_nothing():
    inputs = batch_of(labels=[2] * 7)
    assert ContrastiveConstraint(temperature=0.1)(inputs).values.abs().max() == 0


def test_unlabelled_samples_may_be_left_out_of_the_classifier():
    output = SoftClassifierConstraint(target="label", unlabelled="ignore")(batch_of())
    unlabelled = torch.tensor(LABELS) < 0
    assert not output.values[unlabelled].any() and not output.active[unlabelled].any()
    assert output.values[~unlabelled].all()


def test_classifier_without_any_label_follows_the_teacher():
    inputs = batch_of(labels=[-1] * 7)
    without = ConstraintInputs(inputs.student, inputs.teacher, prototypes=inputs.prototypes, scale=inputs.scale)
    soft = SoftClassifierConstraint(target="label")
    torch.testing.assert_close(soft(inputs).values, soft(without).values)
    torch.testing.assert_close(soft(inputs).values, SoftClassifierConstraint()(inputs).values)


def test_teacher_logits_stand_in_for_the_prototypes():
    inputs = batch_of()
    logits = 4.0 * nn.functional.normalize(inputs.teacher) @ nn.functional.normalize(inputs.prototypes).T
    given = ConstraintInputs(
        inputs.student, inputs.teacher, teacher_logits=logits, student_logits=inputs.student_logits
    )
    torch.testing.assert_close(HintonKD(temperature=2.0)(given), HintonKD(temperature=2.0)(inputs))


def test_rkd_without_angles_has_distances_alone():
    inputs = batch_of(size=2)
    assert RKD(angle_weight=0.0)(inputs).values.tolist() == pytest.approx([0.0, 0.0])  # one distance, equal to the mean
    full = RKD(distance_weight=0.0, angle_weight=2.0)(batch_of()).values + RKD(angle_weight=0.0)(batch_of()).values
    torch.testing.assert_close(full, RKD()(batch_of()).values)


@pytest.mark.parametrize("kind", KINDS)
def test_constraints_have_no_parameters(kind):
    assert not list(build_constraint(kind).parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"student": torch.ones(4)}, r"student: expected shape \(B, d\)"),
        ({"student": torch.ones(0, 3)}, r"student: expected shape \(B, d\) with B > 0"),
        ({"teacher": torch.ones(2, 4)}, r"teacher: expected the student's shape \(2, 3\), found \(2, 4\); project"),
        ({"labels": torch.ones(2)}, "labels: expected 2 integers, found torch.float32"),
        ({"labels": torch.tensor([1])}, r"labels: expected 2 integers, found torch.int64 of shape \(1,\)"),
        ({"prototypes": torch.ones(5, 4)}, r"prototypes: expected shape \(C, 3\), found \(5, 4\)"),
        ({"student_raw": torch.ones(3, 3)}, r"student_raw: expected 2 rows, found shape \(3, 3\)"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        ConstraintInputs(**{"student": torch.ones(2, 3), "teacher": torch.ones(2, 3), **change})


def test_wrong_settings_are_refused_by_name():
    inputs = batch_of()
    bare = ConstraintInputs(inputs.student, inputs.teacher)
    with pytest.raises(ValueError, match="kind: expected one of classifier, classifier_ce, .*; found 'cosin'"):
        build_constraint("cosin")
    with pytest.raises(ValueError, match="margin: expected a number >= 0"):
        SoftFeatureConstraint(-0.1)
    with pytest.raises(ValueError, match="margin: expected a number >= 0"):
        SoftFeatureConstraint(float("nan"))
    with pytest.raises(ValueError, match="distance: expected one of .*, found 'l1'"):
        SoftFeatureConstraint(distance="l1")
    with pytest.raises(ValueError, match="temperature: expected a number > 0, found 0"):
        HintonKD(temperature=0)
    with pytest.raises(ValueError, match="target: expected one of"):
        SoftClassifierConstraint(target="truth")
    with pytest.raises(ValueError, match="unlabelled: expected one of"):
        SoftClassifierConstraint(unlabelled="drop")
    with pytest.raises(ValueError, match="prototypes: the classifier constraint needs it"):
        SoftClassifierConstraint()(bare)
    with pytest.raises(ValueError, match="student_logits: hinton_kd needs it"):
        HintonKD()(bare)
    with pytest.raises(ValueError, match=r"student_logits: expected the teacher's shape \(7, 3\), found \(7, 2\)"):
        HintonKD()(
            ConstraintInputs(
                inputs.student, inputs.teacher, prototypes=inputs.prototypes, student_logits=torch.ones(7, 2)
            )
        )
    with pytest.raises(ValueError, match=r"labels: expected -1 \(no label\) to 2, found 0 to 3"):
        SoftClassifierConstraint(target="label")(batch_of(labels=[0, 1, 2, 3, 0, 1, 2]))
    with pytest.raises(ValueError, match=r"student_raw: expected the shape of teacher_raw \(7, 5\), found \(7, 4\)"):
        SoftFeatureConstraint(distance="l2")(
            ConstraintInputs(inputs.student, inputs.teacher, student_raw=torch.ones(7, 4))
        )


def test_a_batch_in_full_precision_is_taken_as_it_is():
    inputs = ConstraintInputs(torch.randn(4, 3), torch.randn(4, 3), labels=torch.arange(4))
    assert inputs.full_precision() is inputs
    half = ConstraintInputs(torch.randn(4, 3).half(), torch.randn(4, 3), labels=torch.arange(4, dtype=torch.int32))
    assert half.full_precision().student.dtype == torch.float32 and half.full_precision().labels.dtype == torch.int64
