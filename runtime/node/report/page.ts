/** The page around the sections: one file, no script, nothing from elsewhere. */
import { markup, raw } from './html.ts';
import type { Content, Markup } from './html.ts';
import { CSS } from './style.ts';

export interface Section {
  title: string;
  body: Content;
}

export interface Page {
  title: string;
  about: string;
  /** Short facts below the question. */
  meta: string[];
  /** What is missing, in a sentence. */
  status?: string;
  sections: Section[];
}

export function page({ title, about, meta, status, sections }: Page): string {
  const body: Markup = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="generator" content="pivot">
<title>${title}</title>
<style>${raw(CSS)}</style>
</head>
<body>
<main>
<header>
<h1>${title}</h1>
${about.trim() !== '' && markup`<p class="about">${about.trim()}</p>`}
<p class="meta">${meta.map((fact) => markup`<span>${fact}</span>`)}</p>
${status !== undefined && markup`<p class="status">${status}</p>`}
<nav>${sections.map((section) => markup`<a href="#${anchorOf(section)}">${section.title}</a> `)}</nav>
</header>
${sections.map(
  (section) => markup`<section id="${anchorOf(section)}">
<h2>${section.title}</h2>
${section.body}</section>
`,
)}</main>
</body>
</html>
`;
  return body.text;
}

/** Titles of sections are the report's own, so they are plain words and no two are alike. */
function anchorOf({ title }: Section): string {
  return title.toLowerCase().replace(/[^a-z]+/g, '-');
}
