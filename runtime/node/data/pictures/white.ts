/**
 * Transparency laid on white, as transformers 5 does with a picture that still has it (`convert_to_rgb`): Pillow's `alpha_composite` over an
 * opaque background, in its integers (src/libImaging/AlphaComposite.c).
 */

/** u8 [pixels, 4] to u8 [pixels, 3]. */
export function overWhite(rgba: Uint8Array): Uint8Array {
  const pixels = rgba.length / 4;
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    const alpha = rgba[i * 4 + 3];
    for (let c = 0; c < 3; c++) {
      // Weights in units of 1/128; the division by 255 is Pillow's shifting one, with rounding.
      const sum = 128 * (rgba[i * 4 + c] * alpha + 255 * (255 - alpha)) + 128 * 128;
      rgb[i * 3 + c] = ((sum >> 8) + sum) >> 15;
    }
  }
  return rgb;
}
