// Pictures of rope, brass and canvas.
import { anchor, box, darker, lighter, line, oval, scene, shape } from './brush.ts'

/** A strand of rope along a path: a dark cord, a lighter one, and its lay as short dashes. */
const strand = (path: string, c: string, width = 40): string =>
  line(path, darker(c, 0.4), width) + line(path, c, width - 7) +
  line(path, darker(c, 0.25), width - 8, `stroke-dasharray="5 ${width * 0.42}" style="stroke-linecap:butt"`) +
  line(path, lighter(c, 0.4), width * 0.2, 'opacity=".5"')

const bristles = (): string => Array.from({ length: 31 }, (_, each) =>
  line(`M${232 + each * 18} 610L${222 + each * 18.6} ${775 + (each % 3) * 8}`, each % 2 ? '#b98a4a' : '#d3a75f',
    13)).join('')

export const deck = {
  rope: (c: string) => scene(
    [0, 1, 2, 3].map((each) => strand(`M${500 - 300 + each * 66} 500a${300 - each * 66} ${250 - each * 55} 0 1 1 ` +
      `${600 - each * 132} 0a${300 - each * 66} ${250 - each * 55} 0 1 1 ${-600 + each * 132} 0`, c, 58)).join('') +
    strand('M205 560C190 700 260 800 420 820S640 800 700 850', c, 58), c, { flat: true }),

  lantern: (c: string) => scene(
    line('M345 330C330 90 670 90 655 330', '#6d7276', 13) + line(
      'M300 690V380Q300 300 380 290M700 690V380Q700 300 620 290', darker(c, 0.2), 30
    ) +
    shape('M440 200H560L590 300H410z', c, 'round') + oval(500, 300, 105, 20, darker(c, 0.2)) +
    shape('M400 320C350 420 355 540 410 610H590C645 540 650 420 600 320z', '#f7e9bd', 'lens') +
    shape('M500 430C540 490 545 540 500 580C455 540 460 490 500 430z', '#f3a531', 'none') +
      shape('M500 490C520 520 522 550 500 572C478 550 480 520 500 490z', '#fff2c4', 'none') +
    line('M395 340Q330 465 405 600M605 340Q670 465 595 600', '#7b8084', 6) +
      box(390, 605, 220, 50, darker(c, 0.15), 10, 'round') +
    shape(
      'M300 680Q300 645 360 645H640Q700 645 700 680L715 760Q715 795 670 795H330Q285 795 285 760z', c, 'round'
    ), c, { shadow: [500, 798, 260, 28] }),

  compass: (c: string) => scene(
    oval(500, 560, 300, 300, darker(c, 0.2), 'lens') + oval(500, 555, 272, 272, c, 'lens') +
      oval(500, 555, 232, 232, '#f4ecd9', 'none') +
    Array.from({ length: 36 }, (_, each) => `<path d="M500 ${each % 9 ? 345 : 335}V372" stroke="#4b4438" ` +
      `stroke-width="${each % 9 ? 3 : 8}" transform="rotate(${each * 10} 500 555)"/>`).join('') +
    [0, 90, 180, 270].map((turn) => `<path d="M500 390L530 555H470z" fill="#33415c" transform="rotate(${turn} 500 ` +
      `555)"/><path d="M500 390L530 555H500z" fill="#c9b98f" transform="rotate(${turn} 500 555)"/>`).join('') +
    `<g transform="rotate(28 500 555)"><path d="M500 375L522 555H478z" fill="#c23b2e"/><path d="M500 735L522 ` +
      `555H478z" fill="#e9e2d2"/></g>` +
    oval(500, 555, 18, 18, c, 'lens') + line('M470 262a34 34 0 1 1 60 0', darker(c, 0.1), 16) +
      oval(500, 555, 232, 232, 'none', 'lens').replaceAll('url(#lens)', 'url(#fall)'), '#8fa3a8', { flat: true }),

  bell: (c: string) => scene(
    line('M500 90V190', '#5a5d60', 18) + box(300, 70, 400, 34, '#7a5a3a', 10) + oval(500, 195, 34, 34, c, 'lens') +
    shape(
      'M440 215H560C590 330 610 480 700 590Q715 640 690 650H310Q285 640 300 590C390 480 410 330 440 215z', c, 'round'
    ) +
    box(285, 610, 430, 48, darker(c, 0.12), 24, 'round') + line(
      'M432 330H568M415 430H585', darker(c, 0.3), 6, 'opacity=".7"'
    ) + anchor(500, 530, 92, darker(c, 0.45)) +
    oval(500, 676, 40, 34, darker(c, 0.3), 'lens') + strand('M500 705C505 760 490 800 500 860', '#efe6d2', 24) +
      oval(500, 875, 30, 34, '#efe6d2', 'lens'), '#8fa3a8', { flat: true }),

  bucket: (c: string) => scene(
    strand('M290 400C290 110 710 110 710 400', '#c2a676', 28) +
      shape('M250 390H750L690 770Q685 795 650 795H350Q315 795 310 770z', c, 'round') +
    oval(500, 390, 250, 58, lighter(c, 0.2)) + oval(500, 398, 224, 44, darker(c, 0.5)) +
      line('M262 470Q500 540 738 470', darker(c, 0.35), 4, 'stroke-dasharray="14 10"') +
    [300, 700].map((x) => oval(x, 425, 17, 17, '#e2c37a', 'lens')).join('') +
      anchor(500, 640, 120, darker(c, 0.45)), c, { shadow: [500, 798, 240, 28] }),

  brush: (c: string) => scene(
    `<g transform="rotate(-8 500 600)">${bristles()}` +
    shape('M190 560Q190 500 260 490C380 470 430 430 500 430S620 470 740 490Q810 500 810 560V610Q810 640 780 ' +
      '640H220Q190 640 190 610z', c) +
    oval(500, 520, 34, 20, darker(c, 0.4)) + '</g>', c, { shadow: [500, 810, 320, 24] }),

  drybag: (c: string) => scene(
    line('M340 300C130 360 130 640 320 740', darker(c, 0.5), 30) +
      shape('M330 330C330 290 670 290 670 330L690 730Q690 795 620 795H380Q310 795 310 730z', c, 'round') +
    box(320, 225, 360, 110, darker(c, 0.12), 40, 'round') + line('M335 262H665M335 296H665', darker(c, 0.35), 5) +
      box(470, 205, 60, 90, '#2d3033', 10) +
    line('M320 660H680', '#2d3033', 22) + box(400, 430, 200, 130, '#f3ead8', 10) +
      anchor(500, 495, 80, darker(c, 0.4)), c, { shadow: [500, 798, 230, 26] }),

  duffel: (c: string) => scene(
    line('M330 470C360 250 640 250 670 470', '#7a5a3a', 30) + shape(
      'M170 480Q170 420 240 420H760Q830 420 830 480V730Q830 795 760 795H240Q170 795 170 730z', c, 'fall'
    ) +
    oval(232, 608, 62, 187, darker(c, 0.14)) + line('M330 425V792M670 425V792', '#7a5a3a', 34) +
      line('M300 470H700', '#4a4d50', 7, 'stroke-dasharray="12 7"') +
    `<g opacity=".85">${line('M440 540V700M500 540H560V620H500V700H565', '#27395c', 26)}</g>`, c,
    { shadow: [500, 798, 350, 28] }),

  fist: (c: string) => scene(
    oval(500, 190, 92, 92, 'none') + line('M500 110a80 80 0 1 1 -1 0', '#b9c0c3', 18) + strand('M500 270V470', c, 40) +
      oval(500, 620, 172, 172, darker(c, 0.35)) +
    [-58, 0, 58].map((y) => strand(
      `M${350 + Math.abs(y) * 0.4} ${620 + y}Q500 ${600 + y * 1.4} ${650 - Math.abs(y) * 0.4} ${620 + y}`, c, 58
    )).join('') +
    [-38, 20].map((x) => strand(`M${500 + x} 470Q${490 + x} 620 ${500 + x} 770`, c, 56)).join('') +
      oval(500, 620, 175, 175, 'none', 'lens').replace('fill="none"', 'fill="none"'), c, { flat: true }),

  deckchair: (c: string) => scene(
    line('M260 800L700 250', '#b98f60', 26) + line('M300 250L780 800', '#d3a876', 26) +
      shape('M325 270L705 262C640 430 560 520 560 620L760 740L700 790L300 640C360 520 420 430 325 270z', c) +
    [0.25, 0.5, 0.75].map((at) => line(`M${325 + 380 * at} 266C${300 + 360 * at} 430 ${360 + 230 * at} 520 ` +
      `${345 + 250 * at} ${645 + 60 * at}L${310 + 430 * at} ${650 + 130 * at}`, '#f3ead8', 24,
      'opacity=".85"')).join('') +
    line('M310 262H715M690 785L770 735', '#d3a876', 26), c, { shadow: [520, 806, 320, 20] }),
}
