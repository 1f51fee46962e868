/** Pictures of the gallery side by side in one PNG, for a file of their own. */
import sharp from 'sharp';

/** Pixels between two pictures, white. */
const GAP = 8;

/** `pictures` are PNGs in data URIs (`pictures.ts`), set from left to right at their upper edges. */
export async function strip(pictures: readonly string[]): Promise<Uint8Array> {
  const images = pictures.map((uri) => Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64'));
  const sizes = await Promise.all(images.map((image) => sharp(image).metadata()));
  let width = -GAP;
  const placed = images.map((input, i) => {
    const left = width + GAP;
    width = left + (sizes[i].width ?? 0);
    return { input, left, top: 0 };
  });
  const height = Math.max(...sizes.map((size) => size.height ?? 0));
  const canvas = sharp({ create: { width, height, channels: 3, background: '#ffffff' } });
  return new Uint8Array(await canvas.composite(placed).png({ compressionLevel: 9 }).toBuffer());
}
