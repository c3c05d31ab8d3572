"""Hostile formulas by the thousand: none reaches anything but arithmetic, each ends soon and takes little memory."""

import io
import random
import resource
import sys
import time
import tokenize
import tracemalloc
import unicodedata

import numpy as np
import pytest

from stages.common.errors import InputError
from stages.curve.formula import CONSTANTS, FUNCTIONS, evaluate

X = np.linspace(-3, 3, 64)
LONGEST = 0.5  # seconds of a processor that a formula may take
NAMES = {"x", *CONSTANTS, *FUNCTIONS}
SIGNS = {"+", "-", "*", "/", "**", "(", ")", ","}
SILENT = {tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT}

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


def is_plain_arithmetic(formula: str) -> bool:
    """Whether a formula has no other words than numbers, signs and known names: what its tokens say, not its tree."""
    for token in tokenize.generate_tokens(io.StringIO(formula.strip()).readline):
        name = unicodedata.normalize("NFKC", token.string)
        known = (
            token.type in SILENT
            or (token.type == tokenize.NUMBER and name[-1] not in "jJ")
            or (token.type == tokenize.NAME and name in NAMES)
            or (token.type == tokenize.OP and name in SIGNS)
        )
        if not known:
            return False
    return True


class Watch:
    """What the interpreter reports of itself while it is on: imports, files, code run, processes, sockets …"""

    def __init__(self):
        self.on, self.seen = False, []
        sys.addaudithook(self._note)

    def _note(self, event: str, _arguments: tuple) -> None:
        if self.on and event != "compile":  # a formula is parsed, by Python's own parser; running it would be `exec`
            self.seen.append(event)


@pytest.fixture(scope="module")
def watch():
    return Watch()


def faults(evaluator, formula: str, watch: Watch) -> list[str]:
    """What `evaluator` did with a formula that it should not do."""
    found, start = [], time.process_time()
    watch.seen.clear()
    watch.on = True
    try:
        y = evaluator(formula, X)
    except InputError as error:
        if "\n" in str(error) or "curve.formula" not in str(error):
            found.append(f"is refused with {error}")
    except BaseException as error:
        found.append(f"raises {type(error).__name__}: {error}")
    else:
        if not is_plain_arithmetic(formula):
            found.append("is taken for arithmetic")
        if y.shape != X.shape or y.dtype != np.float64 or not np.isfinite(y).all():
            found.append(f"gives {y!r}")
    finally:
        watch.on = False
    if (seconds := time.process_time() - start) > LONGEST:
        found.append(f"takes {seconds:.1f} s")
    return found + watch.seen


@pytest.mark.parametrize("formulas", [4_000, pytest.param(100_000, marks=pytest.mark.full)])
def test_no_hostile_formula_reaches_more_than_arithmetic(formulas, watch, recwarn):
    chance, before, accepted = random.Random(formulas), peak_bytes(), 0
    for _ in range(formulas):
        formula = hostile_formula(chance)
        assert not (found := faults(evaluate, formula, watch)), (formula, found)
        accepted += len(formula) <= 500 and is_arithmetic(formula)
    assert accepted > formulas / 100, "most are refused, but the generator must reach arithmetic too"
    assert peak_bytes() - before < 100e6
    assert not recwarn.list


def is_arithmetic(formula: str) -> bool:
    try:
        evaluate(formula, X)
    except InputError:
        return False
    return True


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("attack", ["__import__('os').getpid()", "open('/dev/null').close()", "x.T", "[1 for _ in x]"])
def test_the_watch_notices_what_an_evaluator_must_not_do(attack, watch):
    def careless(formula: str, x: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.float64(eval(formula, {"x": x}) is not None), x.shape)

    assert faults(careless, attack, watch)
    assert not faults(evaluate, attack, watch)


@pytest.mark.parametrize("start", ["(x*x)+(", "x**(", "sin("])
def test_a_deep_formula_holds_little_beside_its_points(start):
    x = np.linspace(0.1, 1, 500_000)
    tracemalloc.start()
    evaluate(start * 60 + "x" + ")" * 60, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * x.nbytes, "not one copy of all points for each parenthesis"


def test_points_in_pieces_are_the_points_at_once():
    x = np.random.default_rng(0).uniform(-10, 10, 200_001)
    np.testing.assert_array_equal(evaluate("sin(x**2) + exp(x) * tanh(x)", x), np.sin(x**2) + np.exp(x) * np.tanh(x))
