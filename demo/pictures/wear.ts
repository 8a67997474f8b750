// Pictures of clothes, laid flat. What has a body and sleeves shares one outline.
import { anchor, box, darker, lighter, line, oval, scene, shape } from './brush.ts'

const BODY = 'M395 235L260 285C215 300 195 330 180 390L110 720L215 748L290 470V830Q290 850 312 850H688Q710 850 710 ' +
  '830V470L785 748L890 720' +
  'L820 390C805 330 785 300 740 285L605 235Q500 300 395 235z'
const ribs = (from: number, to: number, top: number, bottom: number, ink: string): string =>
  Array.from({ length: Math.floor((to - from) / 16) + 1 }, (_, each) => line(
    `M${from + each * 16} ${top}V${bottom}`, ink, 5, 'opacity=".5"'
  )).join('')
const cuffs = (c: string): string => line('M112 712L217 740M783 740L888 712', darker(c, 0.22), 30)
const seams = (c: string): string => line('M290 470L318 330M710 470L682 330', darker(c, 0.28), 5, 'opacity=".6"')

const SOCK = 'M400 150H560V560C560 600 600 640 680 690C740 730 730 810 650 815C560 820 400 800 400 660z'
const BOOT = 'M380 300H580V600C620 640 720 640 760 700Q785 740 780 770H380z'
const MITTEN = 'M-110 700V430C-110 250 110 250 110 430V470C140 430 200 420 205 480C205 560 150 600 110 660V700z'

export const wear = {
  jumper: (c: string) => scene(
    shape(BODY, c) + cuffs(c) + box(290, 805, 420, 46, darker(c, 0.18), 12) + ribs(304, 700, 808, 848, darker(c, 0.4)) +
    line('M392 240Q500 310 608 240', darker(c, 0.22), 34) + seams(c) +
    [0, 1, 2].map((row) => line(Array.from(
      { length: 9 }, (_, each) => `${each ? 'L' : 'M'}${310 + each * 47.5} ${385 + row * 52 + (each % 2) * 30}`
    ).join(''),
      row === 1 ? lighter(c, 0.6) : darker(c, 0.25), 10, 'opacity=".85"')).join('') +
    Array.from(
      { length: 8 }, (_, each) => oval(334 + each * 47.5, 560, 7, 7, lighter(c, 0.6))
    ).join(''), c, { flat: true }),

  rollneck: (c: string) => scene(
    shape(BODY, c) + cuffs(c) + shape('M400 130Q500 108 600 130L612 262Q500 310 388 262z', darker(c, 0.1)) +
      ribs(412, 600, 138, 275, darker(c, 0.35)) +
    line('M394 200Q500 228 606 200', darker(c, 0.3), 5) + box(290, 810, 420, 40, darker(c, 0.18), 12) +
      ribs(304, 700, 812, 848, darker(c, 0.4)) + seams(c), c, { flat: true }),

  stripes: (c: string) => scene(
    shape(BODY, '#f3ead8') + `<clipPath id="body"><path d="${BODY}"/></clipPath><g clip-path="url(#body)">` +
    Array.from({ length: 15 }, (_, each) => box(80, 345 + each * 34, 840, 13, c, 0, 'none')).join('') + '</g>' +
      shape(BODY, 'none') +
    line('M392 238Q500 306 608 238', c, 10) + line(
      'M290 470L318 330M710 470L682 330', '#bdb39c', 5
    ), c, { flat: true }),

  oilskin: (c: string) => scene(
    shape('M370 250C340 60 660 60 630 250Q500 320 370 250z', darker(c, 0.18)) +
      shape('M415 245C400 120 600 120 585 245Q500 290 415 245z', darker(c, 0.6)) +
    shape(BODY, c) + line('M112 712L217 740M783 740L888 712', darker(c, 0.2), 16) +
      box(470, 268, 62, 582, darker(c, 0.08), 6) +
    [330, 440, 550, 660, 770].map((y) => oval(501, y, 12, 12, '#e9e2d2', 'lens')).join('') +
      box(318, 620, 130, 20, darker(c, 0.18), 6) + box(552, 620, 130, 20, darker(c, 0.18), 6) +
    line('M330 640V740H438V640M564 640V740H672V640', darker(c, 0.25), 4) + seams(c), c, { flat: true }),

  beanie: (c: string) => scene(
    shape('M250 640C230 260 770 260 750 640z', c, 'round') +
    Array.from({ length: 15 }, (_, each) => line(`M${262 + each * 34} 640Q${300 + each * 28.6} 430 ` +
      `${420 + each * 11.5} ${360 - Math.round(26 * Math.sin(each / 14 * Math.PI))}`, darker(c, 0.3), 5,
      'opacity=".45"')).join('') +
    box(232, 610, 536, 160, darker(c, 0.1), 36, 'round') + ribs(262, 745, 622, 758, darker(c, 0.4)) +
      box(630, 660, 76, 52, '#f3ead8', 6) + anchor(668, 687, 36, darker(c, 0.4)), c, { flat: true }),

  scarf: (c: string) => scene(
    [0, 1].map((side) => Array.from(
      { length: 9 }, (_, each) => line(`M${(side ? 535 : 335) + each * 16} 810v70`, darker(c, 0.1), 7)
    ).join('')).join('') +
    box(525, 330, 152, 500, darker(c, 0.14), 10) + box(325, 330, 152, 500, c, 10) +
      [700, 750].map((y) => box(325, y, 152, 22, '#f3ead8', 0) + box(525, y, 152, 22, '#f3ead8', 0)).join('') +
    shape('M250 300C250 90 750 90 750 300C750 430 620 440 500 440S250 430 250 300zM360 285C380 205 620 205 640 ' +
      '285C620 335 380 335 360 285z', c).replaceAll('<path', '<path fill-rule="evenodd"') +
    line('M300 380Q500 470 700 380', darker(c, 0.25), 6, 'opacity=".6"'), c, { flat: true }),

  socks: (c: string) => scene(
    [[-90, 0.12], [90, 0]].map(([x, dark]) => `<g transform="translate(${x} ` +
      `${x! < 0 ? 30 : 0})">${shape(SOCK, darker(c, dark))}` +
      box(392, 140, 176, 90, darker(c, 0.2), 14) + ribs(406, 560, 146, 226, darker(c, 0.45)) +
        box(400, 280, 160, 22, '#c23b2e', 0) + box(400, 316, 160, 22, '#f3ead8', 0) +
      shape('M640 668C750 720 745 812 650 815C625 816 600 815 580 812Q640 770 640 668z', darker(c, 0.22)) +
        '</g>').join(''), c, { flat: true }),

  boots: (c: string) => scene(
    [[-130, 0.14], [60, 0]].map(([x, dark]) => `<g transform="translate(${x} ` +
      `${x! < 0 ? -14 : 0})">${shape(BOOT, darker(c, dark))}` +
      box(370, 765, 420, 34, '#efe6d2', 14) + box(370, 288, 220, 34, darker(c, 0.25), 12) +
        line('M400 340V740', '#ffffff', 14, 'opacity=".3"') + line(
          'M580 610C560 660 480 670 390 660', darker(c, 0.25), 5
        ) + '</g>').join(''), c, { shadow: [500, 800, 330, 24] }),

  mittens: (c: string) => scene(
    [[-1, 330, 0.1], [1, 670, 0]].map(([flip, x, dark]) => `<g transform="translate(${x} 0) rotate(${flip! * 9} 0 ` +
      `500) scale(${flip} 1)">${shape(MITTEN, darker(c, dark))}` +
      box(-118, 690, 236, 130, darker(c, 0.2), 18) + ribs(-104, 110, 700, 812, darker(c, 0.42)) +
        line('M-50 520l50 -50l50 50M-50 580l50 -50l50 50', lighter(c, 0.6), 10) + '</g>').join(''), c, { flat: true }),

  cap: (c: string) => scene(
    shape('M200 470C200 300 800 300 800 470C800 560 720 560 700 560H300C280 560 200 560 200 470z', c) +
      box(290, 520, 420, 100, darker(c, 0.2), 16, 'round') +
    line(
      'M300 575C400 600 600 600 700 575', '#d9b66a', 13
    ) + [306, 694].map((x) => oval(x, 575, 15, 15, '#e2c37a', 'lens')).join('') +
    shape('M285 610Q500 655 715 610C740 680 640 745 500 745S260 680 285 610z', '#26282b', 'fall') +
      line('M330 690Q500 740 670 690', '#ffffff', 7, 'opacity=".2"') +
        anchor(500, 450, 84, '#d9b66a'), c, { flat: true }),
}
