// Images that the reader drops, pastes or chooses: each is framed, encoded and placed within this page.
import { byId, say } from "../dom_elements.js";
import { Encoder } from "./encoder.js";
import { readFramed } from "./frame_image.js";

export function receiveImages(state, map, navigator, ready) {
  const { data } = state;
  let encoder = null; // unpacked when the first image comes

  const place = async (file) => {
    await ready;
    const { values, width, height, warning } = await readFramed(file, data.encoder.framing);
    encoder ??= data.encoderNumbers().then((numbers) => new Encoder(data.encoder, numbers));
    const { position, neighbours, far } = (await encoder).place(values, data);
    const bitmap = await createImageBitmap(greyImage(values, width, height));
    const name = file.name || "pasted image";
    const i = data.add({ name, bitmap, position, neighbours, warning: [warning, far].filter(Boolean).join("; ") });
    state.refilter();
    await map.add();
    state.tell(["columns"]);
    return i;
  };
  // Place the files one after the other, then open the first; the card leads to the others.
  const take = async (files) => {
    const placed = [];
    for (const file of files) {
      try {
        placed.push(await place(file));
      } catch {
        say(`${file.name} cannot be read as an image.`, true);
      }
    }
    if (placed.length) navigator.showAdded(placed);
  };

  byId("placing").hidden = false;
  byId("choose").addEventListener("click", () => byId("files").click());
  byId("files").addEventListener("change", async (event) => {
    await take([...event.target.files]);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => take([...event.clipboardData.files]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // without this the browser would open the image instead of the map
    document.body.classList.add("dropping");
  });
  for (const over of ["dragleave", "drop"]) {
    document.addEventListener(over, () => document.body.classList.remove("dropping"));
  }
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}

function greyImage(values, width, height) {
  const image = new ImageData(width, height);
  values.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  return image;
}
