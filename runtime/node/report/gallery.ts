/** The gallery: for each example the image, and beside it where each subject's loss looks. */
import { INFERNO_GRADIENT } from './colours.ts';
import { MAPS } from './examples.ts';
import type { Example, ExampleMap, Gallery } from './examples.ts';
import { markup, raw } from './html.ts';
import type { Content, Markup } from './html.ts';
import { subjectName } from './training-table.ts';
import { imagePng, mapPng } from './pictures.ts';

const MAP_NAMES: Record<(typeof MAPS)[number], string> = { gradient: 'gradient', cam: 'Grad-CAM' };

export async function galleryMarkup(gallery: Gallery): Promise<Markup> {
  const examples: Markup[] = [];
  for (const example of gallery.examples) examples.push(await exampleMarkup(example));
  return markup`<h3>${gallery.probe}</h3>
<p class="legend"><span class="scale">0 <i style="background:${raw(INFERNO_GRADIENT)}"></i> each map’s largest value</span>. ${
    gallery.examples.length === gallery.rows ? 'All rows' : `The first ${gallery.examples.length} of ${gallery.rows} rows, not chosen`
  }, seed ${gallery.seed}. “Gradient” is the size of the loss’s gradient at each patch of the encoder’s features; Grad-CAM weighs the features by it and
cuts negative values off (Selvaraju et al. 2017). White frames are the objects that the answers differ about; the per cent below a map is the
share of it that lies on them.${gallery.problems.map((problem) => markup` <strong>Missing:</strong> ${problem}.`)}</p>
<div class="examples">${examples}</div>
`;
}

async function exampleMarkup(example: Example): Promise<Markup> {
  const figures: Markup[] = [];
  if (example.image !== undefined) {
    figures.push(
      figure(await imagePng(example.image, example.boxes), `Image of row ${example.row}`, markup`<span>row ${example.row}</span>`),
    );
  }
  const image = figures.length;
  for (const map of MAPS) {
    const maps = example.maps.filter((m) => m.map === map);
    for (const one of maps) {
      const png = await mapPng(one.values, one.grid, example.image, example.boxes, example.size);
      // On a narrow page each kind of map has its own line, below and not beside the image.
      const turns = image > 0 && map !== MAPS[0] && one === maps[0];
      figures.push(figure(png, `${MAP_NAMES[map]} of ${one.subject.label}, row ${example.row}`, mapCaption(one), turns));
    }
  }
  const narrow = image + new Set(example.maps.map((m) => m.subject)).size;
  const texts: Content = example.texts.map(({ name, text }) => markup`<dt>${name}</dt><dd>${text}</dd>`);
  return markup`<div class="example"><div class="strip" style="--columns:${figures.length};--narrow:${narrow}">${figures}</div><dl>${texts}</dl></div>
`;
}

function mapCaption({ subject, map, share }: ExampleMap): Markup {
  return markup`${subjectName(subject)}${share !== undefined && markup`<span class="share">${(100 * share).toFixed(0)} %</span>`}<span class="map">${MAP_NAMES[map]}</span>`;
}

function figure(png: string, alt: string, caption: Markup, turns = false): Markup {
  return markup`<figure class="${turns ? 'turn' : ''}"><img src="${png}" alt="${alt}"><figcaption>${caption}</figcaption></figure>`;
}
