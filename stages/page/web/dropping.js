// Images that the reader drops, pastes or chooses: each is framed, encoded and placed, all within this page.
import { Encoder } from "./encoder.js";
import { readFramed } from "./framing.js";
import { say } from "./tools.js";

const byId = (id) => document.getElementById(id);

export function receiveImages(app) {
  const { data } = app.scene;
  let encoder = null; // unpacked when the first image comes

  const place = async (file) => {
    await app.ready;
    const { values, width, height, warning } = await readFramed(file, data.encoder.framing);
    encoder ??= data.encoderNumbers().then((numbers) => new Encoder(data.encoder, numbers));
    const { position, neighbours, far } = (await encoder).place(values, data);
    const bitmap = await createImageBitmap(greyImage(values, width, height));
    return app.add({ name: file.name || "pasted image", bitmap, position, neighbours, warning: [warning, far].filter(Boolean).join("; ") });
  };
  const take = async (files) => {
    for (const file of files) {
      try {
        await place(file);
      } catch {
        say(`${file.name} cannot be read as an image.`, true);
      }
    }
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
