// Making parts of the page. Text goes in as text, never as markup.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A canvas of exactly the pixels of point i's image; the style sheet enlarges it.
export function spriteCanvas(sprites, i, wanted) {
  const { width, height } = sprites.cell;
  const canvas = element("canvas", { width, height });
  sprites.draw(canvas.getContext("2d"), i, 0, 0, width, height, wanted).then(() => (canvas.dataset.point = i));
  return canvas;
}

// 12,345 – written out here, since the browser's own formatter takes longer to load than the map to draw.
export const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

export const count = (n, noun, plural = `${noun}s`) => `${grouped(n)} ${n === 1 ? noun : plural}`;
