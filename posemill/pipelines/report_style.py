"""The report's style sheet: light or dark as the reader's system asks, fit for printing."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --ink: #24262b; --faint: #6b7078; --line: #e2e2dd;
  --accent: #2367b0; --heat: 35, 103, 176; --good: #2a7d4f; --chance: #b8562b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #17181b; --card: #1f2125; --ink: #e6e6e3; --faint: #9a9fa8; --line: #34373d;
    --accent: #7fb2ee; --heat: 92, 152, 222; --good: #6fc797; --chance: #e59a6f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 68rem;
  background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.01em; }
h2 { font-size: 1.12rem; margin: 2.6rem 0 .7rem; }
p { margin: .3rem 0 .8rem; max-width: 46rem; }
.lead, .note, figcaption { color: var(--faint); }
.note { font-size: .88rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .7rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .75rem .9rem; }
.card b { display: block; font-size: 1.5rem; line-height: 1.25; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.card span { color: var(--faint); font-size: .85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--faint); }
td.number, th.number { text-align: right; }
code { font: .87em/1.5 ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
.confusion th, .confusion td { border: 0; padding: .3rem .5rem; text-align: center; }
.confusion tbody th { text-align: right; white-space: nowrap; }
.confusion thead th { vertical-align: bottom; }
.confusion thead th span { writing-mode: vertical-rl; transform: rotate(180deg);
  white-space: nowrap; }
.confusion td { min-width: 2.4rem; border: 1px solid var(--line);
  background: rgba(var(--heat), var(--share)); }
.confusion td.most { color: #fff; }
.confusion td.none { color: var(--faint); }
.bars td { border: 0; padding: .15rem .6rem .15rem 0; vertical-align: middle; }
.track { position: relative; width: 16rem; height: .8rem; border-radius: .2rem;
  background: var(--line); overflow: hidden; }
.track i { display: block; height: 100%; background: var(--accent); }
.track u { position: absolute; top: 0; bottom: 0; width: 4px; background: var(--ink);
  border: 1px solid var(--card); }
figure { margin: 0 0 1.4rem; }
figure img { display: block; max-width: 100%; height: auto; border: 1px solid var(--line);
  border-radius: .4rem; }
figcaption { font-size: .88rem; margin-top: .35rem; }
svg.curve { display: block; max-width: 100%; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; }
svg.curve text { fill: var(--faint); font-size: 11px; }
svg.curve line { stroke: var(--line); }
svg.curve polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg.curve .accuracy { stroke: var(--accent); }
svg.curve .loss { stroke: var(--chance); }
svg.curve text.accuracy { fill: var(--accent); stroke: none; }
svg.curve text.loss { fill: var(--chance); stroke: none; }
footer { margin-top: 3rem; color: var(--faint); font-size: .85rem; }
@media print { body { max-width: none; } figure, table { break-inside: avoid; } }
"""
