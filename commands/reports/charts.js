"use strict";
// Vega-Lite's charts from the JSON beside them. Expressions are interpreted, not compiled: the page's policy forbids
// `eval`. Tooltips are text, never markup.
(() => {
  const tooltip = document.getElementById("tooltip");
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function showTooltip(handler, event, item, value) {
    tooltip.hidden = value === null || value === undefined || value === "";
    if (tooltip.hidden) return;
    const rows = typeof value === "object" ? Object.entries(value) : [["", value]];
    tooltip.replaceChildren(...rows.map(([name, content]) => {
      const row = document.createElement("p");
      row.textContent = name ? `${name}: ${content}` : String(content);
      return row;
    }));
    const left = Math.min(event.clientX + 14, innerWidth - tooltip.offsetWidth - 8);
    tooltip.style.left = `${left}px`;
    tooltip.style.top = `${event.clientY + 14}px`;
  }

  function look() {
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement("i");
    document.body.append(probe);
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const [ink, soft, line] = ["ink", "soft", "line"].map(colour);
    probe.remove();
    return {
      background: "transparent",
      font: style.fontFamily,
      title: { color: ink, fontSize: 14 },
      axis: { labelColor: soft, titleColor: soft, gridColor: line, domainColor: line, tickColor: line },
      legend: { labelColor: ink, titleColor: soft },
      header: { labelColor: ink, titleColor: soft },
      view: { stroke: line },
    };
  }

  async function draw() {
    const options = { mode: "vega-lite", renderer: "canvas", actions: false, ast: true, defaultStyle: false };
    const drawn = [];
    for (const data of document.querySelectorAll("script[data-chart]")) {
      const place = data.previousElementSibling;
      drawn.push(await vegaEmbed(place, JSON.parse(data.textContent), { ...options, config: look(), tooltip: showTooltip }));
      place.dataset.drawn = "";
    }
    return drawn;
  }

  dark.addEventListener("change", draw);
  window.chartsReady = draw();
})();
