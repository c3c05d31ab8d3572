"""Why t-SNE spreads clusters: the t distribution against the normal one."""

import numpy as np
from matplotlib.figure import Figure

from stages.figures.style import FIT, INK, MUTED, TRAINING, new_figure, paper


def draw_t_distribution() -> Figure:
    """Draw the densities of the normal distribution and of Student's t with one degree of freedom.

    t-SNE measures similarity with the first among the latents and with the second on the map (van der Maaten and
    Hinton 2008, section 3.3). Equal similarity therefore means a longer distance on the map for far points, and a
    shorter one for near points; one arrow is drawn for each.
    """
    distance = np.linspace(-6.5, 6.5, 801)
    normal = np.exp(-0.5 * distance**2) / np.sqrt(2 * np.pi)
    student = 1 / (np.pi * (1 + distance**2))
    note = "with its heavy tail, the same small similarity belongs to a much longer distance on the map"
    with paper():
        figure = new_figure(8.6, 4.8, "Why t-SNE spreads clusters: the t distribution against the normal one", note)
        axes = figure.subplots()
        axes.fill_between(distance, normal, student, where=student > normal, color=FIT, alpha=0.10, linewidth=0)
        axes.plot(distance, normal, color=TRAINING, linewidth=2, label="normal: similarity of latents")
        axes.plot(distance, student, color=FIT, linewidth=2, label="t, 1 degree of freedom: similarity on the map")
        near = "similar points:\ndrawn closer together"
        far = "dissimilar points:\npushed further apart"
        for similarity, text, corner in ((0.255, near, (2.05, 0.262)), (0.018, far, (4.0, 0.075))):
            start = np.sqrt(-2 * np.log(similarity * np.sqrt(2 * np.pi)))
            end = np.sqrt(1 / (np.pi * similarity) - 1)
            axes.plot([start, end], [similarity] * 2, "o", color=INK, markersize=4, zorder=4)
            arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.5, "shrinkA": 2, "shrinkB": 2}
            axes.annotate("", (end, similarity), (start, similarity), arrowprops=arrow, zorder=4)
            axes.annotate(
                f"{text}\n(distance {start:.1f} → {end:.1f})",
                ((start + end) / 2, similarity),
                corner,
                fontsize=8.5,
                color=INK,
                va="center",
                arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkA": 3, "shrinkB": 5},
            )
        axes.set(xlabel="distance between two points (standard deviations)", ylabel="density (similarity)")
        axes.set(xlim=(-6.5, 6.5), ylim=(0, 0.44))
        axes.legend(loc="upper right")
        return figure
