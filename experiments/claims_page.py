"""`fitmap claims`: measure the claims of experiments/claims/, and write docs/claims.md and docs/claims.html."""

import re
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from matplotlib.figure import Figure
from pandas import DataFrame

from experiments.claim_verdicts import Finding, markdown
from experiments.claims_playback import playback_page
from experiments.measure import claim, measured_rows
from experiments.pictures import draw_trend
from stages.common.artifacts import write_bytes, write_text
from stages.common.errors import InputError
from stages.figures.style import png_bytes

FOLDER, PAGE = Path("experiments/claims"), Path("docs/claims.md")
CLAIMS = (
    "depth", "linear_pieces", "vanishing_gradients", "dead_units", "unscaled_inputs", "optimizers", "encodings",
    "losses", "sample_size", "overfitting", "extrapolation",
)  # fmt: skip


def measure_claims(names: Sequence[str], jobs: int) -> None:
    """Measure the named claims, or all, with `jobs` processes, and write each into the page with its picture."""
    for name in names:
        if name not in CLAIMS:
            raise InputError(f"{name!r} is not a claim; known are {', '.join(CLAIMS)}")
    with get_context("spawn").Pool(jobs) as pool:
        for name in names or CLAIMS:
            rows, missing = measured_rows(name, FOLDER / f"{name}.csv", pool.imap)
            write_bytes(f"docs/images/claim_{name}.png", png_bytes(draw(name, rows)))
            page = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else "# Claims\n"
            write_text(str(PAGE), with_section(page, name, claim(name).judge(rows)))
            print(f"{name}: measured {missing} of {len(claim(name).CASES) * claim(name).SEEDS} fits", flush=True)
        if not names:
            write_text("docs/claims.html", playback_page(pool.imap))
        pool.close()
        pool.join()  # the processes end by themselves, rather than be terminated


def draw(name: str, rows: DataFrame) -> Figure:
    """Return the picture of a claim: what its `draw` makes of the rows, or the trend that its `TREND` describes."""
    module = claim(name)
    return module.draw(rows) if hasattr(module, "draw") else draw_trend(rows, **module.TREND)


def with_section(page: str, name: str, finding: Finding) -> str:
    """Return the page with the claim's section between its markers, or at the end."""
    title, text = claim(name).__doc__.strip().split("\n\n", 1)
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = f"""{begin}
## {title.rstrip(".")}

{text.strip()}

`fitmap claims {name}` runs [experiments/claims/{name}.py](../experiments/claims/{name}.py).

![{title.rstrip(".")}](images/claim_{name}.png)

{markdown(finding.table)}

**{finding.verdict}** {finding.sentence}
{end}"""
    page, found = re.subn(f"{begin}.*?{end}", lambda _: section, page, flags=re.DOTALL)
    return page if found else f"{page.rstrip()}\n\n{section}\n"
