// What lies over the map and changes with the pointer: neighbour lines, rings around points, the lasso.
import { cssColour } from "./point_colours.js";

export function drawOverlay(canvas, map) {
  const { lasso } = map;
  const { hovered, pinned } = map.state;
  const empty = hovered < 0 && pinned < 0 && !lasso;
  if (empty && canvas.dataset.empty) return; // an untouched canvas costs the browser nothing
  canvas.dataset.empty = empty ? "yes" : "";
  const context = canvas.getContext("2d");
  context.setTransform(map.ratio, 0, 0, map.ratio, 0, 0);
  context.clearRect(0, 0, map.viewport.width, map.viewport.height);
  if (pinned >= 0) drawNeighbours(context, map, pinned);
  if (hovered >= 0 && hovered !== pinned) drawNeighbours(context, map, hovered);
  if (lasso?.length > 1) drawLasso(context, map, lasso);
}

function drawNeighbours(context, map, i) {
  const [left, top] = map.screenOf(i);
  const neighbours = map.data.neighboursOf(i);
  for (const [width, colour] of [[4, cssColour(map.theme.ground, 0.75)], [1.6, cssColour(map.theme.ink, 0.9)]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    for (const j of neighbours) {
      const [x, y] = map.screenOf(j);
      context.beginPath();
      context.moveTo(left, top);
      context.lineTo(x, y);
      context.stroke();
    }
  }
  for (const j of neighbours) drawRing(context, map, j, 2, 4);
  drawRing(context, map, i, 3, 7);
}

function drawRing(context, map, i, width, gap) {
  const [left, top] = map.screenOf(i);
  const colour = cssColour(map.colours.subarray(4 * i, 4 * i + 3));
  for (const [extra, style] of [[2.5, cssColour(map.theme.ground)], [0, gap > 5 ? cssColour(map.theme.ink) : colour]]) {
    context.strokeStyle = style;
    context.lineWidth = width + extra;
    context.beginPath();
    context.arc(left, top, map.dotSize / 2 + gap, 0, 2 * Math.PI);
    context.stroke();
  }
}

function drawLasso(context, map, lasso) {
  context.beginPath();
  for (const [x, y] of lasso) context.lineTo(...map.viewport.toScreen(x, y));
  context.closePath();
  context.fillStyle = cssColour(map.theme.ink, 0.1);
  context.fill();
  context.setLineDash([6, 4]);
  context.lineWidth = 1.5;
  context.strokeStyle = cssColour(map.theme.ink);
  context.stroke();
  context.setLineDash([]);
}
