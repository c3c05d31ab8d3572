"""Hostile formulas by the thousand: none reaches anything but arithmetic."""

import random
import sys

import numpy as np
import pytest

from stages.common.errors import InputError
from stages.curve.formula import evaluate

X = np.linspace(-3, 3, 64)

ATOMS = [
    "x", "x", "x", "1", "0", "2.5", "1e308", "1e-320", "9" * 99, "0x1f", "1_0", "1j", "True", "None", "...", "pi", "e",
    "'a'", "b'a'", "f'{x}'", "f'{().__class__}'", "'\\d'", '"""x"""', "[]", "()", "{}", "{x}", "[x]", "nan", "inf", "y",
    "__builtins__", "__import__", "__import__('os')", "open('/etc/passwd')", "eval('x')", "exec('x=1')", "globals()",
    "().__class__.__base__.__subclasses__()", "x.ctypes", "x.tofile('a')", "x.dtype.type.mro()", "np", "np.load('a')",
    "sin.__self__", "sin.reduce", "sin", "lambda: x", "(lambda x: x)(x)", "[x for x in x]", "(x := 1)", "*x", "**x",
    "print(x)", "type(x)", "compile('x','','eval')", "getattr(x,'T')", "breakpoint()", "𝐱", "ｘ", "х", "sin(x)",
    "9**9**9", "9**9**9**9", "x**x**x", "(-x)**0.5", "1/0", "log(0)", "x" * 400, "\ud800", "\0", "\n", "\\\n", "#", ";",
]  # fmt: skip
JOINTS = ["+", "-", "*", "/", "**", "//", "%", "@", "<<", ">>", "&", "|", "^", "<", "==", " is ", " in ", " and ",
          " or ", " if ", " else ", ",", ".", "=", ":=", ":", ";", "\n", " ", "", "->", "!"]  # fmt: skip
WRAPS = ["({})", "-({})", "sin({})", "exp({})", "sqrt({})", "abs({},)", "sin({}, out=x)", "sin(*[{}])", "sin(x={})",
         "[{}]", "{{{}}}", "({})[0]", "({}).real", "({}).__class__", "({})()", "'{}'", "f'{{{}}}'", "lambda x: {}",
         "await {}", "yield {}", "not {}", "~({})", "import {}", "del {}", "{} if x else 1", "x[{}]"]  # fmt: skip
DEEP = ["(", "-", "sin(", "((x*x)+", "[", "x**", "x if x else ", "not ", "lambda:", "x.a", "9**", "{", "~", "f'{"]


def hostile_formula(chance: random.Random) -> str:
    """Fragments of arithmetic and of attacks, joined, wrapped, nested and spoilt at random."""
    kind = chance.random()
    if kind < 0.1:
        start = chance.choice(DEEP) * chance.randint(1, 250)
        return start + chance.choice(ATOMS) + chance.choice(["", ")" * start.count("(")])
    if kind < 0.2:
        return "".join(chr(chance.choice([chance.randrange(128), chance.randrange(0x11000)])) for _ in range(30))
    formula = chance.choice(ATOMS)
    for _ in range(chance.randint(0, 6)):
        if chance.random() < 0.6:
            formula += chance.choice(JOINTS if chance.random() < 0.5 else JOINTS[:5]) + chance.choice(ATOMS)
        else:
            formula = chance.choice(WRAPS).format(formula)
    if chance.random() < 0.1:
        at = chance.randrange(len(formula) + 1)
        formula = formula[:at] + chr(chance.randrange(32, 127)) + formula[at + 1 :]
    return formula


@pytest.fixture(scope="module")
def events() -> list[str]:
    """What the interpreter reports while `on` is among them: imports, files, code run, processes, sockets …"""
    found: list[str] = []

    def note(event: str, _arguments: tuple) -> None:
        if "on" in found and event != "compile":  # a formula is parsed, by Python's own parser; running it is `exec`
            found.append(event)

    sys.addaudithook(note)
    return found


@pytest.mark.parametrize("formulas", [4_000, pytest.param(100_000, marks=pytest.mark.full)])
def test_no_hostile_formula_reaches_more_than_arithmetic(formulas, events, recwarn):
    chance, accepted = random.Random(formulas), 0
    for _ in range(formulas):
        formula = hostile_formula(chance)
        events[:] = ["on"]
        y, refusal = None, ""
        try:
            y = evaluate(formula, X)
        except InputError as error:
            refusal = str(error)
        seen, events[:] = events[1:], []
        assert seen == [], formula
        if y is None:
            assert "curve.formula" in refusal, formula
            assert "\n" not in refusal, formula
        else:
            assert (y.shape, y.dtype) == (X.shape, np.float64), formula
            assert np.isfinite(y).all(), formula
            accepted += 1
    assert accepted > formulas / 100, "most are refused, but the generator must reach arithmetic too"
    assert not recwarn.list


@pytest.mark.parametrize("attack", ["__import__('os').getpid()", "open('/dev/null').close()"])
def test_the_events_tell_what_an_evaluator_must_not_do(attack, events):
    events[:] = ["on"]
    eval(attack)
    assert len(events) > 1
    events.clear()


def test_points_in_pieces_are_the_points_at_once():
    x = np.random.default_rng(0).uniform(-10, 10, 200_001)
    np.testing.assert_array_equal(evaluate("sin(x**2) + exp(x) * tanh(x)", x), np.sin(x**2) + np.exp(x) * np.tanh(x))
