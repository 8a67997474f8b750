// Pictures of kitchen things.
import { anchor, box, darker, lighter, line, oval, scene, shape } from './brush.ts'

const RIM = '#2b3a55'
const WOOD = '#a87746'
const rimOf = (c: string): string => (c === '#27395c' ? '#e9e2d2' : RIM)

export const galley = {
  mug: (c: string) => scene(
    line('M655 470C790 455 800 690 648 680', darker(c, 0.12), 44) + line('M655 470C790 455 800 690 648 680', c, 30) +
    shape('M310 400H690L672 760Q668 795 630 795H370Q332 795 328 760z', c, 'round') + oval(500, 400, 190, 44, rimOf(c)) +
    oval(500, 402, 176, 35, darker(lighter(c), 0.25)) + oval(500, 412, 160, 26, '#4a2c1d', 'lens') +
      anchor(490, 605, 120, rimOf(c)) +
    line(
      'M430 340q-20 -40 5 -75t5 -75M520 340q-20 -40 5 -75t5 -75', '#ffffff', 13, 'opacity=".45"'
    ), c, { shadow: [510, 798, 220, 26] }),

  plate: (c: string) => scene(
    oval(500, 500, 365, 365, rimOf(c), 'lens') + oval(500, 500, 350, 350, c, 'lens') +
      oval(500, 500, 250, 250, darker(c, 0.07), 'none') +
    oval(504, 506, 238, 238, c, 'lens'), c, { flat: true }),

  pot: (c: string) => scene(
    box(165, 500, 90, 56, darker(c, 0.2), 26) + box(745, 500, 90, 56, darker(c, 0.2), 26) +
    shape('M225 430H775V720Q775 795 700 795H300Q225 795 225 720z', c, 'round') +
      box(210, 405, 580, 42, rimOf(c), 20, 'round') +
    shape('M235 405Q500 250 765 405z', c, 'fall') + oval(500, 305, 46, 32, WOOD, 'lens') +
      box(478, 318, 44, 34, darker(WOOD), 6), c,
    { shadow: [500, 798, 300, 28] }),

  kettle: (c: string) => scene(
    line('M330 400C330 170 670 170 670 400', '#3a3d40', 26) + box(400, 190, 200, 46, WOOD, 22) +
    shape('M690 560C770 540 770 430 850 410L868 450C810 500 800 640 690 690z', darker(c, 0.15)) +
    shape('M270 560C270 440 380 390 500 390S730 440 730 560L745 740Q745 795 690 795H310Q255 795 255 740z', c, 'round') +
    oval(500, 402, 120, 26, darker(c, 0.25)) + oval(500, 392, 112, 22, lighter(c, 0.15)) +
      oval(500, 365, 34, 30, WOOD, 'lens'), c,
    { shadow: [510, 798, 290, 28] }),

  dripper: (c: string) => scene(
    box(330, 600, 340, 190, '#dfe7e8', 40, 'round').replaceAll('/>', ' opacity=".75"/>') +
      box(345, 690, 310, 92, '#4a2c1d', 34, 'round') +
    shape('M255 330H745L600 600H400z', c, 'round') + oval(500, 330, 245, 52, lighter(c, 0.25)) +
      oval(500, 336, 218, 40, '#f3ead8') +
    oval(500, 346, 178, 28, '#4a2c1d', 'lens') + box(300, 588, 400, 38, darker(c, 0.15), 18, 'round') +
    [0, 1, 2].map(
      (each) => line(`M${340 + each * 60} 420L${420 + each * 30} 570`, darker(c, 0.2), 6, 'opacity=".5"')
    ).join(''), c,
    { shadow: [500, 795, 230, 26] }),

  mill: (c: string) => scene(
    line('M500 300V215H690', '#5a5d60', 20) + oval(700, 200, 38, 44, darker(c, 0.35), 'lens') +
    shape('M380 300Q500 240 620 300L650 420H350z', '#c39b45', 'round') + box(300, 415, 400, 375, c, 14) +
      box(280, 400, 440, 40, darker(c, 0.25), 10) +
    box(280, 770, 440, 36, darker(c, 0.25), 10) + box(355, 560, 290, 165, darker(c, 0.12), 8) +
      oval(500, 642, 26, 26, '#c39b45', 'lens') +
    line('M320 470H680M320 500H680', darker(c, 0.2), 3, 'opacity=".4"'), c, { shadow: [500, 805, 260, 26] }),

  board: (c: string) => scene(
    shape('M330 150H670Q720 150 720 200V810Q720 860 670 860H330Q280 860 280 810V200Q280 150 330 150z', c) +
    [0, 1, 2, 3, 4, 5].map((each) => line(`M${320 + each * 72} 165C${300 + each * 80} 400 ${345 + each * 66} 600 ` +
      `${322 + each * 72} 848`,
      darker(c, 0.28), 4, 'opacity=".5"')).join('') + oval(500, 225, 36, 36, '#e8e0d2') +
    line('M500 225C470 120 540 60 520 20', '#d9c8a0', 9), c, { flat: true }),

  knife: (c: string) => scene(
    `<g transform="rotate(-38 500 500)">${shape('M130 470H560V560H330C240 560 170 530 130 470z', '#c3ccd1')}` +
    `${line('M170 520C240 553 330 552 556 552', '#f4f7f8', 5)}${box(556, 462, 30, 104, '#c39b45', 4)}` +
    `${shape('M584 464H840Q880 464 880 500V540Q880 572 840 566L584 560z', c)}` +
    [640, 730, 820].map((x) => oval(x, 514, 11, 11, '#e2c37a')).join('') + '</g>', '#8fa3a8', { flat: true }),

  towel: (c: string) => scene(
    line('M90 250H910', '#8b6a45', 26) + line('M90 244H910', '#b98f60', 8) +
    shape('M270 235H730V820L700 812L655 824L600 812L550 826L500 814L440 826L390 812L330 824L270 814z', '#f1ead9') +
    [330, 352, 500, 648, 670].map(
      (x, each) => box(x - (each === 2 ? 45 : 7), 236, each === 2 ? 90 : 14, 580, c, 0, 'none')
    ).join('') +
    shape('M270 235H730V820L700 812L655 824L600 812L550 826L500 814L440 826L390 812L330 824L270 814z', 'none') +
    line(
      'M420 260C410 450 430 640 415 800M600 260C612 450 590 640 604 800', '#000000', 10, 'opacity=".07"'
    ), c, { flat: true }),

  apron: (c: string) => scene(
    line('M400 250C380 110 620 110 600 250', darker(c, 0.3), 16) +
      line('M262 470C180 500 150 560 120 640M738 470C820 500 850 560 880 640', darker(c, 0.3), 13) +
    shape('M385 235H615C620 330 660 420 745 450V850H255V450C340 420 380 330 385 235z', c) +
    box(335, 560, 330, 190, darker(c, 0.08), 14) + line('M335 575H665M500 560V750', darker(c, 0.35), 5) +
    [400, 600].map((x) => oval(x, 255, 11, 11, '#e2c37a')).join('') +
      anchor(500, 395, 80, darker(c, 0.4)), c, { flat: true }),

  flask: (c: string) => scene(
    box(365, 330, 270, 460, c, 34, 'round') + shape(
      'M385 340C385 290 420 280 420 250H580C580 280 615 290 615 340z', '#c9cfd2', 'round'
    ) +
    box(400, 130, 200, 140, '#d4d9db', 26, 'round') + line('M365 400H635M365 720H635', darker(c, 0.3), 7) +
      anchor(500, 560, 110, lighter(c, 0.75)) +
    line('M635 380C720 370 720 470 635 470', '#b9c0c3', 14), c, { shadow: [500, 795, 190, 24] }),
}
