// Pictures of lamps, instruments and what warms a room.
import { box, colour, darker, lighter, line, oval, scene, shape } from './brush.ts'

const GLOW = '#fbe7b0'
const glow = (
  x: number, y: number, radius: number
): string => `<circle cx="${x}" cy="${y}" r="${radius}" fill="${GLOW}" opacity=".35" filter="url(#blur)"/>`

export const cabin = {
  bulkhead: (c: string) => scene(
    glow(500, 500, 330) + oval(500, 500, 300, 300, darker(c, 0.15), 'lens') + oval(500, 500, 240, 240, GLOW, 'none') +
    Array.from({ length: 11 }, (_, each) => line(`M${290 + each * 42} ` +
      `${500 - Math.sqrt(230 ** 2 - (210 - each * 42) ** 2)}V${500 + Math.sqrt(230 ** 2 - (210 - each * 42) ** 2)}`,
      '#e7c877', 9, 'opacity=".5"')).join('') + oval(500, 500, 240, 240, 'none') +
    line('M500 200V800M260 500H740', c, 28) + line('M500 200V800M260 500H740', lighter(c, 0.3), 7) +
      line('M500 255a245 245 0 1 1 -1 0', c, 30) + line('M500 380a120 120 0 1 1 -1 0', c, 20) +
    [45, 135, 225, 315].map(
      (turn) => `<g transform="rotate(${turn} 500 500)">${oval(500, 218, 17, 17, '#6d7276', 'lens')}</g>`
    ).join(''), c, { flat: true }),

  tablelamp: (c: string) => scene(
    shape('M300 420L620 470L700 790H120z', GLOW, 'none').replace('/>', ' opacity=".4"/>') +
      line('M640 770V560L720 380L560 270', '#8d9497', 18) + [[720, 380], [640, 560]].map(
        ([x, y]) => oval(x!, y!, 24, 24, '#b98f45', 'lens')
      ).join('') +
    shape('M440 210Q520 190 580 240L640 400Q640 470 470 500L300 440Q300 380 440 210z', c) +
      shape('M302 436C300 400 640 400 640 410C650 470 500 510 470 500z', darker(c, 0.35)) +
        oval(455, 452, 62, 26, '#fff4cf') +
    box(500, 762, 280, 36, darker(c, 0.15), 18, 'round'), c, { shadow: [640, 800, 190, 20] }),

  blanket: (c: string) => scene(
    [0, 1, 2, 3].map((layer) => box(
      230 - layer * 3, 690 - layer * 98, 540 + layer * 6, 106, layer % 2 ? darker(c, 0.07) : c, 50
    ) +
      box(590, 690 - layer * 98, 34, 106, '#f3ead8', 0) + box(640, 690 - layer * 98, 12, 106, '#c23b2e', 0)).join('') +
    Array.from(
      { length: 22 }, (_, each) => line(`M${255 + each * 23.5} 398v-36`, darker(c, 0.05), 8)
    ).join(''), c, { shadow: [500, 798, 310, 26] }),

  candles: (c: string) => scene(
    glow(380, 190, 130) + glow(610, 260, 130) + [[340, 300], [570, 370]].map(([x, y]) => box(
      x!, y!, 84, 740 - y!, c, 18, 'round'
    ) + line(`M${x! + 42} ${y! + 4}V${y! - 34}`, '#4a3a26', 6) +
      shape(`M${x! + 42} ${y! - 150}C${x! + 92} ${y! - 80} ${x! + 82} ${y! - 30} ${x! + 42} ${y! - 24}C${x! + 2} ` +
        `${y! - 30} ${x! - 8} ${y! - 80} ${x! + 42} ${y! - 150}z`, '#f3a531', 'none') +
      shape(`M${x! + 42} ${y! - 95}C${x! + 68} ${y! - 60} ${x! + 64} ${y! - 34} ${x! + 42} ${y! - 30}C${x! + 20} ` +
        `${y! - 34} ${x! + 16} ${y! - 60} ${x! + 42} ${y! - 95}z`, '#fff2c4', 'none')).join('') +
    box(
      290, 720, 184, 76, '#a97f36', 20, 'round'
    ) + box(520, 720, 184, 76, '#a97f36', 20, 'round'), c, { shadow: [500, 798, 260, 24] }),

  soap: (c: string) => scene(
    box(250, 640, 500, 150, '#8b6a45', 20) + [320, 440, 560, 680].map(
      (x) => line(`M${x} 652V780`, '#5f472c', 6)
    ).join('') + box(285, 440, 430, 215, c, 50) + box(330, 440, 340, 215, '#f3ead8', 0) +
    line('M420 548q40 -60 80 0t80 0', colour('Petrol'), 12) + line('M420 588q40 -60 80 0t80 0', colour('Petrol'), 12) +
      line('M285 520V600M715 520V600', darker(c, 0.2), 4) +
    [[250, 400, 34], [310, 350, 22], [720, 380, 28]].map(([x, y,
    r]) => `<circle cx="${x}" cy="${y}" r="${r}" fill="#fff" opacity=".5"/><circle cx="${x! - 8}" cy="${y! - 8}" ` +
      `r="${r! / 4}" fill="#fff"/>`).join(''), c, { shadow: [500, 796, 280, 22] }),

  barometer: (c: string) => scene(
    oval(500, 500, 330, 330, darker(c, 0.2), 'lens') + oval(500, 500, 300, 300, c, 'lens') +
      oval(500, 500, 252, 252, '#f7f0df') +
    Array.from({ length: 51 }, (_, each) => `<path d="M500 ${each % 5 ? 282 : 270}V300" stroke="#4b4438" ` +
      `stroke-width="${each % 5 ? 3 : 7}" transform="rotate(${-125 + each * 5} 500 500)"/>`).join('') +
    [-90, -45, 0, 45, 90].map(
      (turn) => `<g transform="rotate(${turn} 500 500)">${box(462, 330, 76, 9, '#7a6f58', 4, 'none')}</g>`
    ).join('') +
    `<g transform="rotate(34 500 500)">${shape('M500 300L516 500L500 590L484 500z', '#27395c', 'none')}</g><g ` +
      `transform="rotate(12 500 500)">${line('M500 310V500', '#c39b45', 8)}</g>` +
    oval(500, 500, 24, 24, c, 'lens') + oval(500, 600, 52, 52, '#e6dcc4') +
      [[500, 206], [500, 794], [206, 500], [794, 500]].map(
        ([x, y]) => oval(x!, y!, 11, 11, darker(c, 0.4), 'lens')
      ).join(''), '#8fa3a8', { flat: true }),

  doormat: (c: string) => scene([0, 1, 2, 3, 4].flatMap((row) => [0, 1, 2, 3, 4, 5].map((column) => {
    const [x, y] = [215 + column * 114, 300 + row * 100]
    const path = (row + column) % 2 ? `M${x - 62} ${y}Q${x} ${y - 26} ${x + 62} ${y}`
      : `M${x} ${y - 60}Q${x - 22} ${y} ${x} ${y + 60}`
    return line(path, darker(c, 0.4), 54) + line(path, c, 46) + line(path, lighter(c, 0.35), 10, 'opacity=".6"') +
      line(path, darker(c, 0.28), 44, 'stroke-dasharray="4 15" style="stroke-linecap:butt"')
  })).join(''), c, { flat: true }),

  basket: (c: string) => scene(
    line('M250 470C200 330 330 330 330 440M750 470C800 330 670 330 670 440', darker(c, 0.2), 26) +
      shape('M230 440H770L700 780Q698 796 670 796H330Q302 796 300 780z', darker(c, 0.35), 'round') +
    [0, 1, 2, 3, 4, 5, 6, 7].map((row) => Array.from({ length: 11 }, (_, each) => {
      const left = 240 + row * 8.6, width = (520 - row * 17.2) / 11
      return box(
        left + each * width, 470 + row * 39, width + 3, 34, (row + each) % 2 ? c : lighter(c, 0.22), 15, 'fall'
      )
    }).join('')).join('') + box(222, 425, 556, 48, c, 24, 'round') + Array.from(
      { length: 22 }, (_, each) => line(`M${240 + each * 24.5} 430l14 38`, darker(c, 0.3), 5)
    ).join(''), c, { shadow: [500, 798, 250, 26] }),

  float: (c: string) => scene(
    oval(500, 555, 240, 240, c, 'lens').replaceAll('/>', ' opacity=".9"/>') +
      [-120, -40, 40, 120].map((x) => line(`M500 318Q${500 + x * 3.4} 555 500 792`, '#3c3226', 9)).join('') +
    [430, 530, 640, 720].map((y) => { const half = Math.sqrt(238 ** 2 - (y - 555) ** 2); return line(
      `M${500 - half} ${y}Q500 ${y + 50} ${500 + half} ${y}`, '#3c3226', 8
    ) }).join('') +
    line('M500 318C480 240 520 200 500 110', '#3c3226', 15) + oval(500, 318, 30, 22, '#3c3226') +
      oval(415, 450, 58, 34, '#ffffff').replace('/>', ' opacity=".55" transform="rotate(-35 415 450)"/>') +
        oval(590, 660, 12, 12, '#ffffff').replace('/>', ' opacity=".5"/>'), c,
    { shadow: [520, 796, 210, 26] }),

  model: (c: string) => scene(
    line('M470 640V130M470 230L740 560M470 140L180 600', '#7a5a3a', 12) +
      shape('M455 160V590H190C300 480 400 330 455 160z', '#f6efdf') + shape('M488 190L740 590H488z', '#efe3c8') +
        shape('M488 190C560 250 600 330 610 420L545 590H488z', '#f6efdf') +
    line('M455 160V590H190M488 590H740', darker(c, 0.2), 5) + shape(
      'M150 610H850C800 720 740 745 660 745H300C230 745 180 700 150 610z', c
    ) + line('M170 645H830', '#f3ead8', 9) + line('M205 690H792', darker(c, 0.25), 4) +
    shape('M470 130l70 18l-70 20z', '#c23b2e') + box(390, 745, 40, 50, darker(c, 0.3), 4) +
      box(580, 745, 40, 50, darker(c, 0.3), 4) + box(
        330, 785, 350, 24, darker(c, 0.4), 8
      ), c, { shadow: [500, 810, 260, 18] }),
}
