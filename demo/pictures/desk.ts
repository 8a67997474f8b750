// Pictures of paper, pencils and maps.
import { anchor, box, colour, darker, label, lighter, line, oval, scene, shape } from './brush.ts'

const PAPER = '#f3ead8'
const COAST = 'M210 160H420C400 230 470 250 440 320C410 380 330 370 320 450C312 520 380 540 360 610C340 690 260 680 ' +
  '210 760z'
const ISLES = 'M640 300q40 -30 70 10t-20 60q-60 10 -50 -70zM600 560q50 -40 90 0q40 60 -30 80q-80 0 -60 -80zM520 ' +
  '690q20 -20 40 0t-20 30z'

const volume = (c: string, turn: number, more: string): string => `<g transform="rotate(${turn} 500 500)">` +
  box(300, 180, 430, 640, '#fbf6ea', 10) + box(280, 170, 440, 640, c, 14) +
    box(280, 170, 62, 640, darker(c, 0.22), 14) + more + '</g>'

const rose = (c: string): string => Array.from({ length: 16 }, (_, each) => {
  const [reach, half] = each % 4 ? [50, 7] : [88, 13]
  const fill = each % 2 ? lighter(c, 0.2) : darker(c, 0.25)
  return `<path d="M0 -${reach}L${half} 0H-${half}z" fill="${fill}" transform="rotate(${each * 22.5})"/>`
}).join('')

/** One tide after the other, higher at spring and lower at neap. */
const tide = (row: number): string => Array.from({ length: 41 }, (_, each) => {
  const range = 16 + 14 * Math.sin(each * 0.155 + row * 1.3)
  return `${each ? 'L' : 'M'}${285 + each * 10.7} ${(360 + row * 92 - Math.sin(each * 0.62 + row) * range).toFixed(1)}`
}).join('')

export const desk = {
  notebook: (c: string) => scene(volume(c, -6, line(
    'M640 170V810', darker(c, 0.5), 13
  ) + box(400, 300, 200, 130, PAPER, 6) + label(500, 335, 130, darker(c, 0.2)) +
    line('M450 805V880l16 -18l16 18V805', '#c23b2e', 14)), c, { flat: true }),

  notebooks: (c: string) => scene([['Rust', -13], ['Mustard', -3], ['', 8]].map(([name, turn]) => {
    const cover = name ? colour(name as string) : c
    return `<g transform="rotate(${turn} 500 620)">${box(300, 210, 400, 580, cover, 12)}<g transform="translate(170 ` +
      `150) scale(.66 .72)">` +
      `${line(COAST, lighter(cover, 0.5), 7)}${line(ISLES, lighter(cover, 0.5), 7)}</g>` +
      `${box(400, 640, 200, 90, PAPER, 6)}${label(500, 660, 120, darker(cover, 0.2))}</g>`
  }).join(''), c, { flat: true }),

  pencils: (c: string) => scene(
    Array.from({ length: 7 }, (_, each) => `<g transform="rotate(${-21 + each * 7} 500 ` +
      `900)">${box(478, 190, 44, 470, each % 2 ? darker(c, 0.1) : c, 0, 'round')}` +
      `${shape('M478 192L500 110L522 192z', '#dcb98a', 'round')}` +
      `${shape('M492 138L500 108L508 138z', '#33363a', 'none')}</g>`).join('') +
    box(330, 520, 340, 290, '#9fb0b4', 16, 'round') + box(330, 520, 340, 30, '#7f9196', 10, 'round') +
      box(380, 600, 240, 140, PAPER, 8) + anchor(500, 660, 76, darker(c, 0.5)), c,
    { shadow: [500, 812, 220, 22] }),

  dividers: (c: string) => scene(
    [-1, 1].map((side) => `<g transform="translate(500 0) scale(${side} ` +
      `1)">${shape('M0 190C130 200 170 330 120 470L70 640H42L84 460C108 360 80 270 0 262z', c)}` +
      `${shape('M70 636L42 636L30 880z', '#b9c0c3')}${box(36, 620, 42, 34, darker(c, 0.2), 6)}</g>`).join('') +
    oval(500, 225, 62, 62, darker(c, 0.1), 'lens') + oval(500, 225, 26, 26, darker(c, 0.4), 'lens') +
    line('M180 860Q500 800 820 870', '#7b8a90', 4, 'stroke-dasharray="12 14"'), '#8fa3a8', { flat: true }),

  chart: (c: string) => scene(
    box(170, 120, 660, 760, '#fbf6ea', 4) + box(205, 155, 590, 690, lighter(c, 0.78), 0, 'none') +
      shape(COAST, '#e5d3a8', 'none') + shape(ISLES, '#e5d3a8', 'none') +
    '<clipPath id="sheet"><path d="M205 155H795V845H205z"/></clipPath><g clip-path="url(#sheet)">' +
    [18, 36, 58].map(
      (width) => `<path d="${COAST}${ISLES}" fill="none" stroke="${c}" stroke-width="${width}" opacity=".1"/>`
    ).join('') + '</g>' + line(COAST + ISLES, darker(c, 0.2), 4) +
    [0, 1, 2, 3, 4, 5].map(
      (each) => line(`M205 ${235 + each * 108}H795M${290 + each * 96} 155V845`, c, 1.5, 'opacity=".35"')
    ).join('') +
    `<g transform="translate(640 440)">${rose(c)}</g>` +
    line('M420 700C520 620 470 480 590 420S700 250 770 190', '#c23b2e', 5, 'stroke-dasharray="3 16"') +
      box(600, 700, 160, 105, '#fbf6ea', 4) + label(680, 722, 120, darker(c, 0.3)) +
    line('M205 155H795V845H205z', darker(c, 0.4), 5), c, { flat: true }),

  calendar: (c: string) => scene(
    box(250, 110, 500, 780, '#fbf6ea', 4) + box(250, 110, 500, 150, c, 4) + anchor(500, 185, 88, PAPER) +
    [0, 1, 2, 3, 4, 5].map((row) => line(tide(row),
      row % 2 ? lighter(c, 0.3) : c, 6) + oval(300 + row * 72, 312 + row * 92, 12, 12, '#d9b66a') + oval(306 +
        row * 72, 309 + row * 92, 11, 11, '#fbf6ea')).join(''), c, { flat: true }),

  book: (c: string) => scene(volume(c, 5, box(385, 250, 290, 330, lighter(c, 0.15), 6) +
    line('M455 470C400 350 600 330 560 430S440 510 520 540S640 470 590 400', PAPER, 26) +
      line('M455 470C400 350 600 330 560 430S440 510 520 540S640 470 590 400', lighter(c, 0.35), 8) +
    label(530, 650, 230, PAPER)), c, { flat: true }),
}
