"""The style of every picture: type, heading, legends, and PNG bytes that depend on the picture alone.

Figures are made with matplotlib's object interface, never pyplot, and inside `paper()`: the style does not touch
matplotlib's global settings, and a user's matplotlibrc does not change a picture.
"""

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font, get_font_names
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from stages.common.colours import CLASS_COLOURS

MARKERS: tuple[str, ...] = ("o", "^", "s", "D", "v", "P", "X")

INK, MUTED, GRID, PAPER, NIGHT = "#1c2126", "#69717a", "#e7e9ec", "#ffffff", "#0e1116"
DATA, FIT, TRUTH = "#a7aeb6", "#d1242f", "#1c2126"  # measured points, what was fitted to them, the noise-free curve
TRAINING, VALIDATION = "#1861ce", "#c26a00"

DPI = 200  # twice the 100 pixels per inch at which the sizes below are meant to be seen
HEADER = 0.66  # inches above the axes for the title and the note under it

STYLE = {
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,  # class names are text: a "$" in one is a dollar sign
    "axes.edgecolor": "#b9bfc6",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": "#b9bfc6",
    "ytick.color": "#b9bfc6",
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.solid_capstyle": "round",
    "path.simplify": False,
}
KOREAN_FONTS = ("Noto Sans CJK KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo")


@contextmanager
def paper() -> Iterator[None]:
    """Apply the style as a context: matplotlib's defaults with `STYLE` over them, undone on leaving."""
    defaults = {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"}
    installed = set(get_font_names())
    family = ["DejaVu Sans", *(name for name in KOREAN_FONTS if name in installed)]
    with matplotlib.rc_context({**defaults, **STYLE, "font.family": family}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # `letters_without_font` tells them in one line
        yield


def letters_without_font(texts: Iterable[str]) -> str:
    """Return the letters of `texts` that none of the installed fonts of the style can draw, sorted."""
    with paper():
        paths = [findfont(family) for family in matplotlib.rcParams["font.family"]]
    known = set().union(*(get_font(path).get_charmap() for path in paths))
    return "".join(
        sorted(letter for letter in set().union(*texts) if letter.isprintable() and ord(letter) not in known)
    )


def class_marker(label: int) -> str:
    """Return the marker of class `label`: a circle for the first ten, another shape for each further ten."""
    return MARKERS[max(label, 0) // len(CLASS_COLOURS) % len(MARKERS)]


def shorten(name: str, length: int = 22) -> str:
    """Return a name on one line and at most `length` characters long; an ellipsis replaces the rest."""
    name = " ".join(str(name).split())
    return name if len(name) <= length else name[: length - 1].rstrip() + "…"


def new_figure(
    width: float, height: float, title: str, note: str = "", background: str = PAPER, scale: float = 1.0
) -> Figure:
    """Return an empty figure of `width` × `height` inches: the title in bold, the note in grey, room for axes below.

    `scale` enlarges the heading of a large picture. Call it inside `paper()`.
    """
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=background, layout="constrained")
    FigureCanvasAgg(figure)
    dark = background == NIGHT
    left, inch = 0.16 * scale / width, scale / height
    figure.text(left, 1 - 0.30 * inch, title, size=12.5 * scale, weight="bold", color="#f4f6f8" if dark else INK)
    figure.text(left, 1 - 0.52 * inch, note, size=9 * scale, color="#a3abb4" if dark else MUTED)
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - HEADER * inch), w_pad=0.1, h_pad=0.08)
    return figure


def legend(owner: Axes | Figure, handles: list[Line2D], names: list[str], **options) -> Legend:
    """Draw a legend that shows every name as it is; matplotlib alone drops names that begin with an underscore."""
    drawn = owner.legend(handles, [" "] * len(names), **options)
    for text, name in zip(drawn.get_texts(), names, strict=True):
        text.set_text(name)
    return drawn


def legend_above(axes: Axes, handles: list, names: list[str]) -> None:
    """Draw a legend in one row above the axes, where it covers no data."""
    placing = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.3}
    legend(axes, handles, names, ncols=len(names), columnspacing=1.6, handletextpad=0.6, borderpad=0, **placing)


def draw_note(title: str, note: str) -> Figure:
    """Return a small picture for what cannot be drawn: its title and the reason."""
    with paper():
        return new_figure(6, 0.9, title, note)


def png_bytes(figure: Figure) -> bytes:
    """Return the figure as PNG: the same bytes for the same figure and matplotlib version."""
    buffer = io.BytesIO()
    with paper():
        figure.savefig(buffer, format="png", dpi=figure.dpi, metadata={"Software": None})
    return buffer.getvalue()
