"use strict";
/* Planes through volumes, on the pixels of the frame; head up, the patient's right on the left. */
(() => {
  const AXES = { axial: [0, 1, 2], coronal: [1, 0, 2], sagittal: [2, 0, 1] }; // across, down, right

  /* For each voxel of the frame along an axis, the nearest voxel of the volume. */
  const nearest = (volume, frame, axis) => Int32Array.from({ length: frame.shape[axis] }, (_, k) => {
    const mm = frame.first_mm[axis] + k * frame.step_mm[axis];
    const index = Math.round((mm - volume.first_mm[axis]) / volume.step_mm[axis]);
    return Math.min(Math.max(index, 0), volume.shape[axis] - 1);
  });

  const size = (frame, plane) => {
    const [across, down, right] = AXES[plane];
    return {
      slices: frame.shape[across],
      width: frame.shape[right],
      height: frame.shape[down],
      width_mm: frame.shape[right] * frame.step_mm[right],
      height_mm: frame.shape[down] * frame.step_mm[down],
      step_mm: frame.step_mm[across],
    };
  };

  /* Shades of one plane, row by row. Rows of coronal and sagittal planes run from head to feet. */
  const shades = (volume, frame, plane, slice) => {
    const [across, down, right] = AXES[plane];
    const { width, height } = size(frame, plane);
    const at = [0, 0, 0];
    at[across] = nearest(volume, frame, across)[slice];
    const rows = nearest(volume, frame, down);
    const columns = nearest(volume, frame, right);
    const strides = [volume.shape[1] * volume.shape[2], volume.shape[2], 1];
    const out = new Uint8Array(width * height);
    for (let y = 0; y < height; y += 1) {
      const row = rows[plane === "axial" ? y : height - 1 - y];
      const start = at[across] * strides[across] + row * strides[down];
      for (let x = 0; x < width; x += 1) {
        out[y * width + x] = volume.shades[start + columns[x] * strides[right]];
      }
    }
    return out;
  };

  const image = (width, height, colour) => {
    const made = new ImageData(width, height);
    for (let k = 0; k < width * height; k += 1) {
      const [red, green, blue] = colour(k);
      made.data.set([red, green, blue, 255], 4 * k);
    }
    return made;
  };

  const grey = (plane, values, [low, high], width, height) => {
    const table = Array.from(values, (v) =>
      Math.round(255 * Math.min(Math.max((v - low) / (high - low), 0), 1)));
    return image(width, height, (k) => { const g = table[plane[k]]; return [g, g, g]; });
  };

  /* Blue where the second is below the first, red where it is above, white where they agree. */
  const difference = (first, second, values, most, width, height) => image(width, height, (k) => {
    const share = Math.min(Math.max((values[second[k]] - values[first[k]]) / most, -1), 1);
    const [red, green, blue] = share < 0 ? [33, 102, 172] : [178, 24, 43];
    const mix = (end) => 247 + (end - 247) * Math.abs(share);
    return [mix(red), mix(green), mix(blue)];
  });

  window.thinslicePlanes = { names: Object.keys(AXES), size, shades, grey, difference };
})();
