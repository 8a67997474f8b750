// The cabin of the demo shop: what makes a room a place to stay.
import { colours, type Department } from './product.ts'

export const cabin: Department = {
  name: 'Cabin',
  text: 'Light, warmth and something to look at while it blows outside.',
  goods: [
    {
      handle: 'bulkhead-lamp', title: 'Bulkhead Lamp', category: 'Lamps', maker: 'Laternenfabrik Sieg',
      text: 'Cast housing, prismatic glass, a cage that has seen worse than your hallway. Wall or ceiling, E27, ' +
        'tight against spray and moths.',
      price: 9900, grams: 1400, tags: ['light'], picture: 'bulkhead', options: [colours('Brass', 'Charcoal', 'Cream')],
    },
    {
      handle: 'chart-table-lamp', title: 'Chart Table Lamp', category: 'Lamps', maker: 'Laternenfabrik Sieg',
      text: 'A small enamel shade on an arm that goes exactly where it is put. Throws its light on the page and ' +
        'leaves the rest of the room to the stove.',
      price: 11900, grams: 1800, tags: ['light', 'bestseller'], picture: 'tablelamp', options: [
        colours('Bottle green', 'Signal red', 'Charcoal'),
      ],
    },
    {
      handle: 'berth-blanket', title: 'Berth Blanket', category: 'Textiles', maker: 'Weberei Heide',
      text: 'Heath wool, woven on looms that shake the house, with a stripe for the head end. 140 by 200, large ' +
        'enough for one berth or two friends.',
      price: 12900, was: 14900, grams: 1450, tags: ['wool'], picture: 'blanket', options: [
        colours('Fog', 'Navy', 'Rust'),
      ],
    },
    {
      handle: 'beeswax-candles', title: 'Beeswax Candles', category: 'Lamps', maker: 'Imkerei Brandt',
      text: 'Rolled? No: dipped, forty times, and hung up in pairs. They burn slowly, drip seldom and smell of the ' +
        'end of summer.',
      price: 1490, grams: 240, tags: ['light', 'gift'], picture: 'candles', colour: 'Honey',
      options: [{ name: 'Pack', values: ['2 candles', '6 candles'], more: [0, 2600], heavier: [0, 480] }],
    },
    {
      handle: 'tar-soap', title: 'Seaman’s Soap', category: 'Care', maker: 'Siederei Küste',
      text: 'Lathers in salt water, which is rarer than it sounds. Boiled in small kettles, cut with a wire, dried ' +
        'for six weeks.',
      price: 690, grams: 120, tags: ['soap', 'gift'], picture: 'soap',
      options: [{ name: 'Scent', values: ['Birch tar', 'Juniper', 'Unscented'] }], colour: 'Sand',
    },
    {
      handle: 'aneroid-barometer', title: 'Aneroid Barometer', category: 'Instruments', maker: 'Nautik Peters',
      text: 'Tap the glass, look grave, say nothing. A brass case, a movement of bronze, and a dial whose words are ' +
        'older than the weather service.',
      price: 15900, grams: 980, tags: ['brass', 'gift'], picture: 'barometer', colour: 'Brass',
    },
    {
      handle: 'rope-doormat', title: 'Rope Doormat', category: 'Textiles', maker: 'Reepschlägerei Teufelsbrück',
      text: 'Thirty metres of old hawser, woven into one flat knot. Takes sand from any shoe, and sheds it again ' +
        'when beaten on the rail.',
      price: 6400, grams: 3100, tags: ['rope'], picture: 'doormat', colour: 'Hemp',
    },
    {
      handle: 'willow-basket', title: 'Willow Basket', category: 'Storage', maker: 'Korbflechterei Stade',
      text: 'A fish basket by birth, at home with firewood, laundry or a cat. Unpeeled willow, a rim like a rope, ' +
        'two grips.',
      price: 5400, grams: 1300, tags: ['willow'], picture: 'basket', colour: 'Oak',
    },
    {
      handle: 'glass-float', title: 'Glass Float', category: 'Instruments', maker: 'Glashütte Baltik',
      text: 'Blown as they were for the herring nets, with bubbles, a seal at the bottom, and a net of tarred twine. ' +
        'Catches the last light on a window sill.',
      price: 3200, grams: 640, tags: ['glass', 'gift'], picture: 'float', options: [
        colours('Bottle green', 'Petrol', 'Amber'),
      ],
    },
    {
      handle: 'pilot-cutter-kit', title: 'Pilot Cutter, Model Kit', category: 'Instruments',
      maker: 'Bootswerft Priwall',
      text: 'The Elbe pilot cutter of 1883 at one to fifty: lime planks, brass fittings, cotton sails, and a plan ' +
        'that assumes you have the winter. Suitable from fourteen years, with patience from twelve.',
      price: 8900, grams: 1100, tags: ['wood', 'gift'], picture: 'model', colour: 'Oak',
    },
  ],
}
