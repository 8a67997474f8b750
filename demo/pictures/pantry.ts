// Pictures of what is eaten and drunk.
import { anchor, box, darker, label, lighter, line, oval, scene, shape } from './brush.ts'

const PAPER = '#f3ead8'

export const pantry = {
  coffee: (c: string) => scene(
    shape('M318 330L350 250H650L682 330L700 790H300z', c) + shape('M350 250L362 205H638L650 250z', darker(c), 'fall') +
    line('M352 250H648', darker(c, 0.45), 5) + shape('M318 330L350 250L372 330L352 790H300z', darker(c, 0.25), 'none') +
    box(385, 430, 250, 235, PAPER, 8) + anchor(510, 505, 90, c) + label(510, 580, 150, darker(c, 0.1)) +
    oval(640, 765, 30, 20, '#5b3a26', 'lens') + oval(735, 800, 30, 20, '#4c2f1f', 'lens') +
      line('M715 795q20 -8 40 8', '#2e1b11', 4) +
    oval(790, 775, 26, 18, '#5b3a26', 'lens'), c, { shadow: [500, 795, 250, 26] }),

  teatin: (c: string) => scene(
    box(330, 330, 340, 460, c, 14, 'round') + box(318, 270, 364, 86, darker(c, 0.2), 16, 'round') +
      oval(500, 272, 178, 20, lighter(c, 0.2)) +
    box(330, 470, 340, 190, '#d9b66a', 0, 'round') + box(345, 485, 310, 160, PAPER, 0, 'round') +
    anchor(500, 545, 76, c) + label(500, 600, 140, c), c, { shadow: [500, 795, 220, 26] }),

  jar: (c: string) => scene(
    box(335, 340, 330, 450, c, 60, 'round') + box(
      335, 340, 330, 70, '#ffffff', 40, 'none'
    ).replace('/>', ' opacity=".25"/>') +
    box(325, 262, 350, 90, '#e9e2d2', 18, 'round') + line('M328 300H672M328 322H672', '#b9ae96', 4) +
    box(335, 480, 330, 190, PAPER, 0, 'round') + label(500, 530, 190, darker(c, 0.35)) + label(500, 605, 90, c) +
    line('M372 420V740', '#ffffff', 16, 'opacity=".4"'), c, { shadow: [500, 795, 210, 26] }),

  fishtin: (c: string) => scene(
    box(215, 560, 570, 215, darker(c, 0.25), 90, 'round') + box(215, 500, 570, 215, c, 100, 'fall') +
    box(245, 528, 510, 160, PAPER, 78, 'fall') +
    shape(
      'M330 610C400 545 560 545 620 600L680 565Q668 610 680 655L620 618C560 672 400 672 330 610z', darker(c, 0.15)
    ) +
    oval(378, 602, 9, 9, PAPER) + line(
      'M430 575Q450 610 430 645M480 566Q502 610 480 655M530 566Q550 610 530 652', PAPER, 5, 'opacity=".7"'
    ) +
    line('M690 505q60 -50 95 -5t-50 48', '#c9cdd0', 12), c, { shadow: [500, 785, 320, 30] }),

  chocolate: (c: string) => scene(
    box(300, 230, 400, 560, '#4a2c1d', 10) +
    [0, 1, 2].map((row) => [0, 1, 2].map((column) =>
      box(318 + column * 125, 246 + row * 88, 112, 74, '#5d3825', 8)).join('')).join('') +
    shape('M290 430L345 405L400 432L455 402L512 430L570 404L628 432L710 408V800H290z', '#c8cdd2') +
      box(290, 470, 420, 330, c, 4) +
    anchor(500, 560, 110, '#d9b66a') + label(500, 660, 210, PAPER), c, { shadow: [500, 800, 250, 22] }),

  bottle: (c: string) => scene(
    shape(
      'M440 190H560V330C560 400 640 420 640 510V760Q640 795 605 795H395Q360 795 360 760V510C360 420 440 400 440 330z',
      c, 'round'
    ) +
    box(430, 170, 140, 70, '#e9e2d2', 12, 'round') + line('M434 205H566', '#b9ae96', 4) +
    box(360, 540, 280, 180, PAPER, 0, 'round') + label(500, 585, 170, darker(c, 0.35)) +
      anchor(500, 680, 46, darker(c, 0.2)) +
    line('M398 520V760', '#ffffff', 14, 'opacity=".45"'), c, { shadow: [500, 800, 190, 24] }),
}
