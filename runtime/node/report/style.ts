/**
 * How the report looks. No file and no font from elsewhere; light and dark after the reader's system; on paper always
 * light. Colours of charts are keys here (see charts.ts), so that dark paper can have its own.
 */

/** Arms, distinguishable for all common kinds of colour blindness; and on dark paper. */
export const PALETTE = ['#2a6f97', '#c2552d', '#4f7f3f', '#7d5ba6', '#a67c00', '#a23b72'];
const PALETTE_DARK = ['#76b7dd', '#f0936b', '#9ccb88', '#bda3e3', '#e0b84c', '#e48fbd'];
/** A stage without arms. */
export const STAGE = '#5c6470';
export const INK = '#4a4f57';
export const GRID = '#e3e0d8';

const DARK: [string, string][] = [
  ...PALETTE.map((key, i): [string, string] => [key, PALETTE_DARK[i]]),
  [STAGE, '#aeb5bf'],
  [INK, '#b5b1a7'],
  [GRID, '#34332f'],
];

const swatches = (palette: readonly string[], stage: string): string =>
  `${palette.map((colour, i) => `.c${i}{background:${colour}}`).join('')}.cx{background:${stage}}`;

const darkCharts = DARK.map(([key, value]) => `.chart [stroke="${key}"]{stroke:${value}}.chart [fill="${key}"]{fill:${value}}`).join('');

export const CSS = `
:root{color-scheme:light dark;--paper:#fdfcf9;--ink:#23262b;--soft:#62666d;--faint:#72757b;--line:#e3e0d8;--rule:#23262b;--panel:#f6f4ee;--warm:#8a5a12;--warm-paper:#fbf3e2;--good:#2f6f3a;--bad:#a3352b;--mask:#e3eef6;--mask-line:#2a6f97}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.6 Charter,"Bitstream Charter","Iowan Old Style","Palatino Linotype",Palatino,Georgia,"Liberation Serif",serif;font-kerning:normal;text-rendering:optimizeLegibility}
main{max-width:66rem;margin:0 auto;padding:4.5rem 2rem 5rem}
header{margin-bottom:2.6rem}
h1{font-size:2.35rem;line-height:1.15;font-weight:600;letter-spacing:-.012em;margin:0 0 .8rem;text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:1.42rem;line-height:1.25;font-weight:600;margin:3.6rem 0 .9rem;letter-spacing:-.005em}
h3{font-size:1.05rem;font-weight:600;margin:2rem 0 .5rem}
p{margin:0 0 .9rem;max-width:42rem}
.about{font-size:1.22rem;line-height:1.5;font-style:italic;color:var(--soft);white-space:pre-line;max-width:44rem;overflow-wrap:anywhere}
.meta,figcaption,.note,table,.legend,dl,.verdict,.status,nav{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif}
.meta{font-size:.84rem;color:var(--soft);margin:0;max-width:none}
.meta span+span::before{content:"·";margin:0 .55em;color:var(--faint)}
.verdict{font-size:.9rem;line-height:1.5;border-left:3px solid var(--line);padding:.15rem 0 .15rem .9rem;color:var(--soft);margin:0 0 1.4rem;max-width:48rem;text-wrap:pretty}
.verdict.one{border-color:#c58a2b;color:var(--warm)}
.status{font-size:.9rem;line-height:1.5;background:var(--warm-paper);color:var(--warm);padding:.75rem 1rem;border-radius:6px;margin:1.4rem 0 0;max-width:none;overflow-wrap:anywhere}
figure{margin:0}
figcaption{font-size:.84rem;line-height:1.45;color:var(--soft)}
.note{font-size:.8rem;line-height:1.45;color:var(--soft);margin:.1rem 0 0}
.unit,.spread{color:var(--faint)}
.scroll{overflow-x:auto}
figure.table{margin:0 0 1.6rem}
figure.table figcaption{margin-top:.65rem;max-width:46rem}
table{border-collapse:collapse;font-size:.87rem;line-height:1.4;font-variant-numeric:tabular-nums lining-nums;border-top:1.5px solid var(--rule);border-bottom:1.5px solid var(--rule);min-width:100%}
th,td{padding:.42rem .7rem;text-align:left;vertical-align:baseline;font-weight:400}
th:first-child,td:first-child{padding-left:.15rem}
th:last-child,td:last-child{padding-right:.15rem}
thead th{color:var(--soft);font-size:.8rem;border-bottom:1px solid var(--line);vertical-align:bottom}
thead .groups th{border:0;padding-bottom:.1rem;text-align:center;color:var(--ink)}
thead .groups th span{display:block;border-bottom:1px solid var(--line);padding-bottom:.25rem}
tbody tr+tr>*{border-top:1px solid var(--line)}
td.number,th.number{text-align:right;white-space:nowrap}
td.begins,th.begins{padding-left:1.5rem}
tbody th{white-space:nowrap}
.none{color:var(--faint)}
.seeds{display:block;white-space:normal;max-width:12.6rem;margin-left:auto;font-size:.74rem;color:var(--faint)}
.subject{white-space:nowrap}
.swatch{display:inline-block;width:.62em;height:.62em;border-radius:50%;margin-right:.45em;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.legend{font-size:.84rem;color:var(--soft);margin:0 0 1rem;max-width:46rem}
.legend .subject{color:var(--ink);margin-right:1.1em}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:1.9rem 2.6rem;margin-bottom:1.5rem}
.chart figcaption{margin-bottom:.35rem}
.chart figcaption strong{font-weight:600;color:var(--ink)}
.chart svg{display:block;width:100%;height:auto;overflow:visible}
.chart,.example,tr{break-inside:avoid}
.examples{display:grid;gap:1.5rem}
.strip{display:grid;grid-template-columns:repeat(var(--columns),minmax(0,1fr));gap:.55rem;max-width:calc(var(--columns)*12.2rem)}
.strip figcaption{font-size:.76rem;margin-top:.2rem;line-height:1.3;display:flex;justify-content:space-between;gap:0 .5em;flex-wrap:wrap}
.strip .map{flex-basis:100%;color:var(--faint)}
.strip .share{font-variant-numeric:tabular-nums;color:var(--faint)}
.strip img{display:block;width:100%;height:auto;border-radius:3px;background:var(--panel);print-color-adjust:exact;-webkit-print-color-adjust:exact}
.example dl{margin:.5rem 0 0;font-size:.84rem;line-height:1.45;max-width:60rem}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.1rem .9rem;margin:0}
dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
.scale{display:inline-flex;align-items:center;gap:.5em;white-space:nowrap}
.scale i{display:inline-block;width:9rem;height:.62rem;border-radius:2px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
pre{font:13.5px/1.55 ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"Liberation Mono",monospace;background:var(--panel);border-radius:6px;padding:1.1rem 1.3rem;margin:0 0 1.2rem;white-space:pre-wrap;overflow-wrap:anywhere;tab-size:2}
pre .comment{color:var(--soft);font-style:italic}
code{font:.93em ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
footer{margin-top:4rem;padding-top:1rem;border-top:1px solid var(--line)}
td.text{overflow-wrap:anywhere;min-width:5.5rem}
nav{font-size:.84rem;margin-top:1.5rem;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem}
nav a{color:var(--soft);text-decoration:none;border-bottom:1px solid var(--line)}
nav a:hover,nav a:focus-visible{color:var(--ink);border-color:var(--ink)}
h3 .swatch{font-size:.85em}
.finding{font-size:1.12rem;margin:0 0 .5rem;max-width:46rem}.finding+.table{margin-top:1.4rem}
.said{white-space:nowrap}.said.ahead,.said.behind{font-weight:600}.said.open{color:var(--soft)}
.warning{font:.88rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;color:var(--warm);background:var(--warm-paper);padding:.5rem .8rem;border-radius:5px;max-width:none;margin:0 0 .7rem}
.warning::before{content:"⚠ "}
.note.wide{max-width:52rem;margin:0 0 .9rem}
p.wide{max-width:52rem}
code.hash{display:inline-block;margin-right:1em}
table.compact{font-size:.76rem}.compact th,.compact td{padding-top:.22rem;padding-bottom:.22rem}
.drift{margin-right:1.1em}
.charts.small{grid-template-columns:repeat(3,minmax(0,1fr));gap:1.2rem 1.6rem}
.beside{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1.1fr);gap:1.2rem 2.2rem;align-items:start;margin-bottom:1.4rem}
.chosen{font-size:.78rem;color:var(--soft);white-space:nowrap}
.thumbnail{display:block;width:3.6rem;height:auto;border-radius:3px;image-rendering:pixelated;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.texts td,.texts th{vertical-align:top}
.texts td{min-width:6.5rem}
.texts table{font-size:.82rem}
.differs{font-style:normal;text-decoration:underline;text-decoration-thickness:1.5px;text-underline-offset:.18em}
.sign{font-weight:700}.sign.right{color:var(--good)}.sign.wrong{color:var(--bad)}
.rank{color:var(--faint);font-variant-numeric:tabular-nums;margin-right:.3em}
.seen{display:flex;gap:1rem;align-items:flex-start;padding:.7rem 0;border-top:1px solid var(--line);font:.84rem/1.9 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;break-inside:avoid}
.seen .thumbnail{flex:none}
.piece+.piece{display:block}
.piece b{font-weight:600;font-size:.76rem;color:var(--faint)}
.token{display:inline-block;max-width:100%;background:var(--panel);border-radius:3px;padding:.08em .32em;line-height:1.5;white-space:pre-wrap;overflow-wrap:anywhere}
.token.special,.token.image{font-size:.76rem;color:var(--soft);box-shadow:inset 0 0 0 1px var(--line)}
.token.padding,.token.place{background:none;border:1px dashed var(--line);color:var(--faint);font-size:.76rem}
.token.loss{background:var(--mask);box-shadow:inset 0 -2px 0 var(--mask-line);print-color-adjust:exact;-webkit-print-color-adjust:exact}
${swatches(PALETTE, STAGE)}
@media screen and (max-width:46rem){td.text{min-width:8.5rem}body{font-size:16px}main{padding:2.2rem 1.1rem 3rem}h1{font-size:1.8rem}.charts,.charts.small,.beside{grid-template-columns:minmax(0,1fr)}.strip{grid-template-columns:repeat(var(--narrow),minmax(0,1fr))}.strip .turn{grid-column:2}pre{font-size:12px;padding:.8rem .9rem}}
@media print{:root{--paper:#fff}html{font-size:12.5px}nav{display:none}body{font-size:10pt}h2{margin-top:2.4rem}.thumbnail{width:2.8rem}.legend{break-after:avoid}main{max-width:none;padding:0}h2{break-after:avoid}h3{break-after:avoid}pre{border:1px solid var(--line)}.scroll{overflow:visible}table{font-size:8pt}th,td{padding:.25rem .35rem}}
@media screen and (prefers-color-scheme:dark){:root{--paper:#191917;--ink:#e9e6de;--soft:#aaa69c;--faint:#97938a;--line:#34332f;--rule:#8b877d;--panel:#22221f;--warm:#e6b768;--warm-paper:#2c2618;--good:#8fce9a;--bad:#f09a8f;--mask:#1f3442;--mask-line:#76b7dd}
${darkCharts}${swatches(PALETTE_DARK, '#aeb5bf')}}
`;
