"use strict";
/* Volumes of the viewer: shades decoded from their image once, when first shown. */
(() => {
  const source = document.getElementById("slices");
  const content = source ? JSON.parse(source.textContent) : {};
  const ready = new Map();

  const pixels = async (address) => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  };

  /* Slices lie left to right and down in the image; here they lie one behind the other. */
  const unpacked = (volume, image) => {
    const [n, height, width] = volume.shape;
    const shades = new Uint8Array(n * height * width);
    for (let k = 0; k < n; k += 1) {
      const left = (k % volume.across) * width;
      const top = Math.floor(k / volume.across) * height;
      for (let y = 0; y < height; y += 1) {
        const from = ((top + y) * image.width + left) * 4;
        const to = (k * height + y) * width;
        for (let x = 0; x < width; x += 1) shades[to + x] = image.data[from + 4 * x];
      }
    }
    return { ...volume, shades };
  };

  const load = (volume) => {
    if (!ready.has(volume)) {
      ready.set(volume, pixels(volume.image).then((image) => unpacked(volume, image)));
    }
    return ready.get(volume);
  };

  /* The value of each of the 256 shades. */
  const values = (knots) => Float32Array.from({ length: 256 }, (_, shade) => {
    let k = 1;
    while (k < knots.length - 1 && shade > knots[k][0]) k += 1;
    const [[s0, v0], [s1, v1]] = [knots[k - 1], knots[k]];
    return v0 + ((shade - s0) * (v1 - v0)) / (s1 - s0);
  });

  window.thinsliceVolumes = { content, load, values };
})();
