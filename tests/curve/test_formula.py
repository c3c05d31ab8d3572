import numpy as np
import pytest

from stages.common.errors import InputError
from stages.curve.formula import evaluate

X = np.linspace(0.5, 3, 50)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("0.5*x**3 - 0.5*x**2 - 90*sin(x**2) + 1", 0.5 * X**3 - 0.5 * X**2 - 90 * np.sin(X**2) + 1),
        ("-x", -X),
        ("+x / 2 - (x - 1)", X / 2 - (X - 1)),
        ("2", np.full_like(X, 2)),
        ("exp(-x) * tanh(x) + log(x) - sqrt(x)", np.exp(-X) * np.tanh(X) + np.log(X) - np.sqrt(X)),
        ("abs(cos(pi * x)) + tan(x / e)", np.abs(np.cos(np.pi * X)) + np.tan(X / np.e)),
        ("2**-x", 2**-X),
        (" \n x ", X),
    ],
)
def test_arithmetic(formula, expected):
    np.testing.assert_array_equal(evaluate(formula, X), expected)


REFUSED = [
    "", "x +", "x; x", "x = 1", "lambda: x", "x if x else 1", "x and 1", "x < 1", "[x]", "x[0]", "'text'", "True", "1j",
    "None", "...", "x.real", "x.__class__", "().__class__.__bases__", "__import__('os').system('true')",
    "open('params.yaml')", "sin", "sin()", "sin(x, x)", "sin(x, out=x)", "sin(*x)", "sin.reduce(x)", "(sin)(x)(x)", "y",
    "np.sin(x)", "(x := 2)", "f'{x}'", "x // 2", "x % 2", "x @ x", "x << 2", "~x", "not x", "x" * 501,
    "(" * 250 + "x" + ")" * 250, "-" * 499 + "y", "\0",
]  # fmt: skip


@pytest.mark.parametrize("formula", REFUSED)
def test_anything_else_is_refused_in_one_line(formula):
    with pytest.raises(InputError, match="curve.formula"):
        evaluate(formula, X)


@pytest.mark.parametrize("formula", ["9**9**9", "9**9**9**9", "1e999", "9" * 400, "log(-x)", "1/(x-x)", "exp(x*999)"])
def test_a_value_that_is_not_finite_is_refused_at_once(formula):
    with pytest.raises(InputError, match="not finite at x"):
        evaluate(formula, X)


def test_the_caret_is_explained():
    with pytest.raises(InputError, match=r"x\*\*2"):
        evaluate("x^2", X)
