/* The images of a pair: read out of their block, and drawn in a window, all with one zoom. */
const readBlock = async (about, text) => {
  if (sha256(text) !== about.sha256) throw new Error("it was changed since the page was made");
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const view = new DataView(await new Response(stream).arrayBuffer());
  const [n, height, width] = about.shape;
  return Array.from({ length: n }, (_, k) => {
    const values = new Int16Array(height * width);
    for (let y = 0, at = k * height * width; y < height; y += 1) {
      for (let x = 0, value = 0; x < width; x += 1, at += 1) {
        value += view.getInt16(2 * at, true); // differences modulo 2 ** 16: the array wraps
        values[y * width + x] = value;
      }
    }
    return { values, height, width, mm: about.mm };
  });
};

const inWindow = (image, [low, high]) => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: image.width, height: image.height });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(image.width, image.height);
  for (let k = 0; k < image.values.length; k += 1) {
    const grey = ((image.values[k] - low) / (high - low)) * 255; // clamped by the array
    pixels.data.fill(grey, 4 * k, 4 * k + 3);
    pixels.data[4 * k + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
};

/* view: zoom, and the place in the middle as shares of the image's sides. */
const draw = (canvas, shown, mm, view) => {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * scale);
  canvas.height = Math.round(canvas.clientHeight * scale);
  const [height, width] = [shown.height * mm[0], shown.width * mm[1]];
  const fit = Math.min(canvas.width / width, canvas.height / height) * view.zoom;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(
    shown,
    canvas.width / 2 - view.x * width * fit,
    canvas.height / 2 - view.y * height * fit,
    width * fit,
    height * fit,
  );
  return { width: (width * fit) / scale, height: (height * fit) / scale };
};
