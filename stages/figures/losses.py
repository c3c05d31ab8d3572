"""The loss over the epochs of a training."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter
from pandas import DataFrame

from stages.figures.style import INK, MUTED, TRAINING, VALIDATION, legend_above, new_figure, paper

LOG_ABOVE = 4  # draw the loss on a logarithmic axis when it falls by more than this factor


def draw_loss(
    history: DataFrame,
    title: str = "The loss over the epochs",
    loss: str = "loss",
    noise_floor: float | None = None,
) -> Figure:
    """Draw training and validation loss, the best epoch marked.

    Args:
        history: columns epoch, train_loss, validation_loss.
        loss: name of the loss with its unit, the label of the axis.
        noise_floor: the loss of the true curve itself, in the same unit; drawn as a line where known.
    """
    epoch, train, validation = (history[key].to_numpy(float) for key in ("epoch", "train_loss", "validation_loss"))
    best = int(np.nanargmin(validation))
    note = f"best epoch on validation: {epoch[best]:.0f}, with {validation[best]:.4g}"
    levels = np.concatenate([train, validation, [] if noise_floor is None else [noise_floor]])
    levels = levels[np.isfinite(levels)]
    with paper():
        figure = new_figure(8, 4.6, title, note)
        axes = figure.subplots()
        marker = {"marker": "o", "markersize": 3} if len(epoch) <= 12 else {}
        axes.plot(epoch, train, color=TRAINING, linewidth=1.6, label="training", **marker)
        axes.plot(epoch, validation, color=VALIDATION, linewidth=1.6, label="validation", **marker)
        dot = {"facecolor": "white", "edgecolor": INK, "linewidth": 1.4, "zorder": 4, "clip_on": False}
        axes.scatter(epoch[best], validation[best], s=52, label=f"best epoch ({epoch[best]:.0f})", **dot)
        if noise_floor is not None:
            style = {"color": MUTED, "linewidth": 1, "linestyle": (0, (5, 3))}
            axes.axhline(noise_floor, label=f"noise floor ({noise_floor:.4g})", **style)
        if levels.min() > 0 and levels.max() > LOG_ABOVE * levels.min():
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
            axes.yaxis.set_major_formatter(ScalarFormatter())
            axes.yaxis.set_minor_formatter(NullFormatter())
            loss += " (log scale)"
        axes.set(xlabel="epoch", ylabel=loss)
        axes.xaxis.get_major_locator().set_params(integer=True)
        legend_above(axes, *axes.get_legend_handles_labels())
        return figure
