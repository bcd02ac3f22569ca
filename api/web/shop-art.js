// What the shop's products look like: small drawings made of shapes, coloured by the product's hue.
// Classes: a the thing, b its shade, c its light, w white, k a line, kb a shaded line, kw a white one.

const SVG = "http://www.w3.org/2000/svg";
const path = (kind, d) => ["path", kind, { d }];
const disc = (kind, cx, cy, r) => ["circle", kind, { cx, cy, r }];
const oval = (kind, cx, cy, rx, ry) => ["ellipse", kind, { cx, cy, rx, ry }];
const slab = (kind, x, y, width, height, rx = 0) => ["rect", kind, { x, y, width, height, rx }];

const HEART = "c-9-8-15-13-15-20a8.5 8.5 0 0 1 15-5a8.5 8.5 0 0 1 15 5c0 7-6 12-15 20Z";
const heart = (kind, x, y) => path(kind, `M${x} ${y + 12}${HEART}`);
const bigHeart = (kind) => path(kind, "M60 98C33 76 18 62 18 43a21 21 0 0 1 42-5a21 21 0 0 1 42 5c0 19-15 33-42 55Z");
const star = (kind, x, y, r) => {
  const points = Array.from({ length: 10 }, (_, i) => {
    const [angle, far] = [(Math.PI * i) / 5 - Math.PI / 2, i % 2 ? r * 0.45 : r];
    return `${(x + far * Math.cos(angle)).toFixed(1)} ${(y + far * Math.sin(angle)).toFixed(1)}`;
  });
  return path(kind, `M${points.join("L")}Z`);
};

// what is printed on a thing, by a word of its name; centred at (x, y), some 30 wide
const MOTIFS = [
  [/retrospot/i, (x, y) => [[-11, -9], [1, -11], [12, -8], [-6, 1], [6, 0], [-12, 10], [0, 11], [12, 9]].map(([i, j]) => disc("w", x + i, y + j, 3.2))],
  [/union|london/i, (x, y) => [path("kw", `M${x - 15} ${y - 12}L${x + 15} ${y + 12}M${x + 15} ${y - 12}L${x - 15} ${y + 12}`), path("kw wide", `M${x} ${y - 14}v28M${x - 17} ${y}h34`), path("kb", `M${x} ${y - 14}v28M${x - 17} ${y}h34`)]],
  [/skull/i, (x, y) => [disc("b", x, y - 3, 12), slab("b", x - 7, y + 5, 14, 9, 3), disc("w", x - 4.5, y - 3, 3.4), disc("w", x + 4.5, y - 3, 3.4), path("kw", `M${x - 3} ${y + 14}v-5M${x + 3} ${y + 14}v-5`)]],
  [/babushka/i, (x, y) => [path("w", `M${x} ${y - 16}c8 0 9 8 7 12c7 5 6 19-7 19s-14-14-7-19c-2-4-1-12 7-12Z`), disc("c", x, y - 7, 4.6), heart("b", x, y + 3)]],
  [/scottie|dog/i, (x, y) => [path("b", `M${x - 15} ${y + 12}v-10l-3-9l6 3h12l2-9l4 3h8v6l-5 3h-3v13h-5v-8h-9v8Z`)]],
  [/bird|owl/i, (x, y) => [path("w", `M${x - 16} ${y + 2}c8-14 24-12 24 0l6 3l-7 2c-3 7-17 8-23-5Z`), disc("b", x + 3, y - 1, 1.8)]],
  [/heart|poorly/i, (x, y) => [heart("w", x, y)]],
  [/christmas/i, (x, y) => [star("w", x, y, 13)]],
  [/suki|paisley|vintage/i, (x, y) => [path("kw", `M${x - 12} ${y + 8}c-4-16 18-26 22-10c2 9-10 14-13 6`), disc("w", x + 10, y + 10, 3)]],
  [/./, (x, y) => [path("kw", `M${x - 14} ${y - 6}h28M${x - 14} ${y + 4}h28`)]],
];

const DRAWINGS = {
  bottle: (on) => [path("b", "M50 14h20v6l-3 3v9H53v-9l-3-3Z"), path("a", "M53 30h14c3 7 21 7 21 23v39c0 9-7 14-15 14H47c-8 0-15-5-15-14V53c0-16 18-16 21-23Z"), path("kb", "M38 60v34M82 60v34"), ...on(60, 74)],
  warmer: (on) => [slab("a", 24, 30, 72, 66, 18), path("kb dash", "M34 38h52M34 88h52"), ...on(60, 63), path("k", "M46 18c-4 4 4 5 0 9M60 15c-4 4 4 5 0 9M74 18c-4 4 4 5 0 9")],
  chain: () => [[22, 40, "a"], [41, 55, "b"], [60, 60, "a"], [79, 55, "b"], [98, 40, "a"]].flatMap(([x, y, kind]) => [oval(`${kind} ring`, x, y, 13, 17)]).concat([star("c", 60, 95, 12), star("c", 28, 84, 7), star("c", 92, 84, 7)]),
  hanging: () => [path("kb", "M60 8v18M60 26l-9 10M60 26l9 10"), bigHeart("a"), path("w", "M46 62h28v20c0 5-5 8-14 8s-14-3-14-8Z"), oval("c", 60, 62, 14, 4), path("flame", "M60 38c6 8 7 11 7 15a7 7 0 0 1-14 0c0-4 1-7 7-15Z")],
  lantern: () => [path("kb", "M46 26c0-16 28-16 28 0"), path("b", "M40 34l8-10h24l8 10Z"), slab("a", 38, 34, 44, 60, 6), slab("glow", 44, 42, 32, 44, 4), path("flame", "M60 48c7 9 8 13 8 17a8 8 0 0 1-16 0c0-4 1-8 8-17Z"), slab("w", 52, 73, 16, 13, 2), slab("b", 34, 94, 52, 8, 3)],
  cakestand: () => [path("kb", "M60 12v86"), disc("ring kb", 60, 12, 5), ...[[30, 20], [55, 30], [80, 40]].flatMap(([y, r]) => [oval("b", 60, y + 3, r, 5), oval("a", 60, y, r, 5)]), ...[[50, 24, "c"], [66, 24, "w"], [42, 48, "w"], [60, 47, "c"], [78, 48, "w"], [34, 73, "c"], [52, 72, "w"], [70, 72, "c"], [87, 73, "w"]].map(([x, y, kind]) => disc(kind, x, y, 5.5)), path("b", "M46 102c2-6 26-6 28 0Z")],
  jam: (on) => [path("c", "M30 34c8-8 52-8 60 0l-5 9H35Z"), path("kb dash", "M36 42h48"), path("a", "M36 44h48c6 6 6 12 6 20v28c0 8-5 12-12 12H42c-7 0-12-4-12-12V64c0-8 0-14 6-20Z"), slab("w", 38, 58, 44, 32, 4), heart("a", 60, 72)],
  cases: (on) => [[38, 82], [82, 82], [60, 50]].flatMap(([x, y]) => [path("a", `M${x - 22} ${y - 12}h44l-7 28h-30Z`), path("kw", `M${x - 14} ${y - 11}l4 26M${x - 5} ${y - 11}l1 26M${x + 5} ${y - 11}l-1 26M${x + 14} ${y - 11}l-4 26`), path("c", `M${x - 23} ${y - 12}c0-16 46-16 46 0Z`), disc("b", x, y - 25, 4)]),
  tins: (on) => [slab("b", 30, 74, 60, 28, 5), slab("a", 26, 66, 68, 11, 5), slab("a", 36, 42, 48, 24, 5), slab("b", 32, 34, 56, 10, 5), path("kw", "M38 88h44M44 55h32"), disc("c", 60, 28, 5)],
  lunchbox: (on) => [path("kb wide", "M44 34v-8c0-8 32-8 32 0v8"), slab("a", 20, 34, 80, 62, 12), path("kb", "M20 58h80"), slab("w", 52, 53, 16, 10, 3), ...on(60, 78)],
  bag: (on) => [path("kb wide", "M42 46c0-34 36-34 36 0"), path("a", "M26 42h68l7 54c1 6-3 8-7 8H26c-4 0-8-2-7-8Z"), path("kb dash", "M28 50h64"), ...on(60, 76)],
  clock: () => [disc("b", 38, 26, 12), disc("b", 82, 26, 12), path("kb wide", "M36 94l-7 10M84 94l7 10M60 16v12"), disc("a", 60, 62, 40), disc("w", 60, 62, 31), ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((i) => disc("b", 60 + 25 * Math.sin((i * Math.PI) / 6), 62 - 25 * Math.cos((i * Math.PI) / 6), i % 3 ? 1.2 : 2.4)), path("kb wide", "M60 62V44M60 62l13 8"), disc("a", 60, 62, 4)],
  popcorn: () => [[40, 34], [54, 26], [68, 30], [80, 36], [48, 42], [62, 40], [74, 44]].map(([x, y], i) => disc(i % 2 ? "w" : "c", x, y, 10)).concat([path("a", "M30 44h60l-8 60H38Z"), path("w", "M42 44h10l3 60h-8ZM68 44h10l-5 60h-8Z")]),
  bird: () => [path("kb", "M60 10v26"), path("a", "M22 62c12-34 60-36 66-6l16 7l-18 6c-6 22-44 30-60 4l-14 8Z"), path("b", "M40 60c14-12 32-8 34 6c-8 12-26 12-34-6Z"), disc("w", 80, 52, 4), disc("k-dot", 81, 52, 2), path("kb", "M52 88l-3 12M62 90l1 12")],
  sign: () => [path("kb", "M36 40l24-24l24 24"), disc("b", 60, 16, 4), slab("a", 16, 40, 88, 54, 6), slab("frame", 22, 46, 76, 42, 4), path("kw wide", "M34 58h52"), path("kw", "M40 68h40M34 78h52")],
  glass: () => [path("a", "M36 20h48l-6 40c-1 10 10 14 10 26c0 14-12 18-28 18s-28-4-28-18c0-12 11-16 10-26Z"), path("c", "M41 42h38l-3 18c-1 10 9 16 9 26c0 10-11 13-25 13s-25-3-25-13c0-10 10-16 9-26Z"), path("kw", "M48 78c6-8 18-8 24 0M44 88h32"), star("w", 60, 62, 8)],
  frame: () => [slab("a", 22, 16, 76, 88, 4), slab("b", 32, 26, 56, 68, 2), slab("w", 36, 30, 48, 60, 1), path("c", "M36 90V74l14-14l12 12l8-7l14 14v11Z"), disc("c", 70, 46, 6)],
  box: (on) => [path("b", "M24 56h72v36c0 7-4 10-10 10H34c-6 0-10-3-10-10Z"), path("a", "M22 56c0-28 76-28 76 0Z"), slab("a", 20, 52, 80, 10, 4), disc("c", 60, 64, 6), ...[[38, 44], [60, 40], [82, 44], [40, 82], [60, 86], [80, 82]].map(([x, y]) => disc("w", x, y, 2.6))],
  eggcup: () => [path("w", "M60 14c14 0 22 20 22 36H38c0-16 8-36 22-36Z"), path("a", "M32 48h56c0 20-10 32-22 34v12h14c4 0 6 3 6 8H34c0-5 2-8 6-8h14V82C42 80 32 68 32 48Z"), path("kw", "M40 56h40"), disc("b", 60, 66, 4)],
  lights: () => [path("kb", "M6 30c24 26 84 26 108 0"), ...[[22, 42], [42, 50], [62, 52], [82, 49], [100, 40]].flatMap(([x, y], i) => [slab("b", x - 4, y - 4, 8, 7, 2), path(i % 2 ? "flame" : "a", `M${x - 5} ${y + 3}h10c5 14 1 28-5 36c-6-8-10-22-5-36Z`)])],
  dolls: () => [[30, 70, 0.72, "b"], [90, 74, 0.62, "b"], [60, 58, 1, "a"]].flatMap(([x, y, s, kind]) => [oval(kind, x, y + 16 * s, 26 * s, 30 * s), disc(kind, x, y - 22 * s, 19 * s), disc("w", x, y - 21 * s, 11 * s), oval("c", x, y + 20 * s, 14 * s, 17 * s), heart("w", x, y + 18 * s)]),
  blocks: () => [["a", 14, 62], ["b", 46, 62], ["a", 78, 62], ["b", 30, 30], ["c", 62, 30]].flatMap(([kind, x, y]) => [slab(kind, x, y, 30, 30, 4), disc("w", x + 15, y + 15, 6)]),
  star: () => [path("kb", "M60 6v16"), star("a", 60, 62, 46), star("c", 60, 62, 30), star("b", 60, 62, 14)],
  towels: (on) => [slab("b", 18, 20, 84, 6, 3), path("a", "M26 26h40v70H26Z"), path("c", "M56 26h40v56H56Z"), path("kw", "M26 84h40M26 89h40M56 72h40"), ...on(46, 56), heart("b", 80, 48)],
  ribbon: () => [path("a", "M60 56C40 30 14 34 20 54c4 14 26 12 40 2Z"), path("a", "M60 56c20-26 46-22 40-2c-4 14-26 12-40 2Z"), path("b", "M54 58l-22 44l14-4l6 10l12-46ZM66 58l22 44l-14-4l-6 10l-12-46Z"), slab("c", 51, 46, 18, 20, 6)],
  heart: () => [path("kb", "M60 8v22"), bigHeart("a"), path("kw", "M30 44c20 4 34 18 36 44M44 34c20 6 32 22 34 40M90 44c-20 4-34 18-36 44M76 34c-20 6-32 22-34 40")],
};

/** An <svg> of the product, to be looked at only: its name stands beside it. */
export function draw({ kind, hue, pale, name }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-20 -20 160 160");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("art");
  svg.classList.toggle("pale", pale);
  svg.style.setProperty("--hue", hue);
  const motif = MOTIFS.find(([words]) => words.test(name))[1];
  for (const [tag, look, attributes] of (DRAWINGS[kind] ?? DRAWINGS.heart)(motif)) {
    const shape = document.createElementNS(SVG, tag);
    shape.setAttribute("class", look);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  }
  return svg;
}
