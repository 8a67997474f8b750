// The chart table of the demo shop: paper, pencils, maps.
import { colours, type Department, type Good } from './product.ts'

const print: Good['options'] = [
  { name: 'Format', values: ['A3', 'A2', 'A1'], more: [0, 1000, 2400], heavier: [0, 60, 180] },
]
const book = { taxClass: 'reduced' as const }

export const desk: Department = {
  name: 'Chart table',
  text: 'To know where you are, and to write it down.',
  goods: [
    {
      handle: 'log-book', title: 'Log Book', category: 'Notebooks', maker: 'Buchbinderei Specht',
      text: 'Sewn, so it lies flat; bound in cloth, so it can be wiped. Columns for wind, weather and remarks, or ' +
        'none at all. 192 pages of paper that takes ink without gossip.',
      price: 2200, grams: 420, tags: ['paper', 'bestseller'], picture: 'notebook',
      options: [{ name: 'Ruling', values: ['Log', 'Plain', 'Squared'] }, colours('Navy', 'Rust', 'Bottle green')],
    },
    {
      handle: 'pocket-notebooks', title: 'Pocket Notebooks, Set of Three', category: 'Notebooks',
      maker: 'Buchbinderei Specht',
      text: 'Three thin books with covers of misprinted sea charts: part of a sandbank, most of an anchorage. ' +
        'Forty-eight pages each, for lists that will be lost.',
      price: 1200, grams: 150, tags: ['paper', 'gift'], picture: 'notebooks', colour: 'Petrol',
    },
    {
      handle: 'navigators-pencils', title: 'Navigator’s Pencils', category: 'Writing', maker: 'Bleistiftwerk Stein',
      text: 'Twelve cedar pencils in a tin, 2B, soft enough to be rubbed off a chart a hundred times. Sharpen with a ' +
        'knife; it concentrates the mind.',
      price: 1650, grams: 140, tags: ['writing'], picture: 'pencils', colour: 'Signal yellow',
    },
    {
      handle: 'brass-dividers', title: 'Brass Dividers', category: 'Writing', maker: 'Nautik Peters',
      text: 'One-handed dividers, bowed so they open with a squeeze. For miles, for hems, for settling which island ' +
        'is nearer.',
      price: 3900, grams: 90, tags: ['brass', 'gift'], picture: 'dividers', colour: 'Brass',
    },
    {
      handle: 'chart-north-sea', title: 'Chart of the North Sea', category: 'Maps and prints',
      maker: 'Kartographie Elbufer',
      text: 'Depths in fathoms, lights in yellow, wrecks as small crosses one learns not to count. Redrawn from the ' +
        'survey of 1911 and printed on uncoated paper. Not to be used for navigation, but excellent for planning.',
      price: 2400, grams: 120, tags: ['print'], picture: 'chart', colour: 'Petrol', options: print,
    },
    {
      handle: 'chart-baltic', title: 'Chart of the Baltic', category: 'Maps and prints', maker: 'Kartographie Elbufer',
      text: 'From the Belts to Vyborg in one sheet, with every harbour that ever joined the League marked by a small ' +
        'red cog. The paper has the colour of milk tea.',
      price: 2400, grams: 120, tags: ['print'], picture: 'chart', colour: 'Rust', options: print,
    },
    {
      handle: 'tide-calendar', title: 'Tide Calendar', category: 'Maps and prints', maker: 'Kartographie Elbufer',
      text: 'A whole year of high water as one long wave, with the moons above it. Hangs in kitchens where nobody ' +
        'has a boat and everybody wants to know.',
      price: 1900, grams: 180, tags: ['print', 'gift'], picture: 'calendar', colour: 'Navy',
    },
    {
      handle: 'knots-and-splices', title: 'Knots and Splices', category: 'Books', maker: 'Verlag am Kai',
      text: 'Ninety-one knots, each on one page, each tied by the author while his daughter drew. Comes with a metre ' +
        'of cord and no excuses. 208 pages, cloth.',
      price: 2600, grams: 520, tags: ['book'], picture: 'book', colour: 'Bottle green', ...book,
    },
    {
      handle: 'cooking-at-an-angle', title: 'Cooking at an Angle', category: 'Books', maker: 'Verlag am Kai',
      text: 'Sixty dishes for one ring, two hands and a floor that moves. Written by a ship’s cook who has fed ' +
        'nineteen people in force eight, and kept the recipes short for that reason.',
      price: 2800, grams: 610, tags: ['book', 'gift'], picture: 'book', colour: 'Rust', ...book,
    },
  ],
}
