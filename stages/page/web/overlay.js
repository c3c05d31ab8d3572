// What lies over the map and changes with the pointer: neighbour lines, rings around points, the lasso.
import { cssColour } from "./colours.js";

export function drawOverlay(canvas, scene, lasso) {
  const { hovered, pinned } = scene.state;
  const empty = hovered < 0 && pinned < 0 && !lasso;
  if (empty && canvas.dataset.empty) return; // an untouched canvas costs the browser nothing
  canvas.dataset.empty = empty ? "yes" : "";
  const context = canvas.getContext("2d");
  context.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
  context.clearRect(0, 0, scene.view.width, scene.view.height);
  if (pinned >= 0) drawNeighbours(context, scene, pinned);
  if (hovered >= 0 && hovered !== pinned) drawNeighbours(context, scene, hovered);
  if (lasso?.length > 1) drawLasso(context, scene, lasso);
}

function drawNeighbours(context, scene, i) {
  const [left, top] = scene.screenOf(i);
  const neighbours = scene.neighboursOf(i);
  for (const [width, colour] of [[4, cssColour(scene.ground, 0.75)], [1.6, cssColour(scene.ink, 0.9)]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    for (const j of neighbours) {
      const [x, y] = scene.screenOf(j);
      context.beginPath();
      context.moveTo(left, top);
      context.lineTo(x, y);
      context.stroke();
    }
  }
  for (const j of neighbours) drawRing(context, scene, j, 2, 4);
  drawRing(context, scene, i, 3, 7);
}

function drawRing(context, scene, i, width, gap) {
  const [left, top] = scene.screenOf(i);
  const colour = cssColour(scene.colours.subarray(4 * i, 4 * i + 3));
  for (const [extra, style] of [[2.5, cssColour(scene.ground)], [0, gap > 5 ? cssColour(scene.ink) : colour]]) {
    context.strokeStyle = style;
    context.lineWidth = width + extra;
    context.beginPath();
    context.arc(left, top, scene.dotSize / 2 + gap, 0, 2 * Math.PI);
    context.stroke();
  }
}

function drawLasso(context, scene, lasso) {
  context.beginPath();
  for (const [x, y] of lasso) context.lineTo(...scene.view.toScreen(x, y));
  context.closePath();
  context.fillStyle = cssColour(scene.ink, 0.1);
  context.fill();
  context.setLineDash([6, 4]);
  context.lineWidth = 1.5;
  context.strokeStyle = cssColour(scene.ink);
  context.stroke();
  context.setLineDash([]);
}
