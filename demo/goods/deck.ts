// The deck of the demo shop: rope, brass and canvas.
import { colours, type Department } from './product.ts'

export const deck: Department = {
  name: 'Deck',
  text: 'Made for boats, used in gardens, cellars and vans.',
  goods: [
    {
      handle: 'manila-rope', title: 'Manila Rope', category: 'Rope and canvas', maker: 'Reepschlägerei Teufelsbrück',
      text: 'Three strands of abaca, laid on a ropewalk three hundred metres long. Grips well, swells when wet, ' +
        'smells of tar and attics. Whipped at both ends.',
      price: 1900, grams: 700, tags: ['rope'], picture: 'rope', colour: 'Hemp', options: [
        { name: 'Diameter', values: ['8 mm', '12 mm', '18 mm'], more: [0, 900, 2600], heavier: [0, 700, 2300] },
        { name: 'Length', values: ['10 m', '25 m'], more: [0, 2200], heavier: [0, 1100] },
      ],
    },
    {
      handle: 'storm-lantern', title: 'Storm Lantern', category: 'Light', maker: 'Laternenfabrik Sieg',
      text: 'The paraffin lantern of railways, mines and allotments, made on the machines that made the first ones. ' +
        'Burns twenty hours on a filling and does not mind the wind.',
      price: 4900, grams: 620, tags: ['light', 'bestseller'], picture: 'lantern', options: [
        colours('Signal red', 'Navy', 'Charcoal', 'Brass'),
      ],
    },
    {
      handle: 'hand-bearing-compass', title: 'Hand-bearing Compass', category: 'Brass', maker: 'Nautik Peters',
      text: 'A liquid-filled card in a brass case that has the weight of a good excuse. Sight over the notch, read ' +
        'to two degrees, close the lid with a click.',
      price: 12900, grams: 340, tags: ['brass', 'gift'], picture: 'compass', colour: 'Brass',
    },
    {
      handle: 'ships-bell', title: "Ship's Bell", category: 'Brass', maker: 'Glockengießerei Lübeck',
      text: 'Cast, turned and tuned in Lübeck. The rope is worked by hand with a Turk’s head at the end. Calls ' +
        'crews, children and, mounted near the kitchen, whole streets.',
      price: 8900, grams: 1300, tags: ['brass'], picture: 'bell', colour: 'Brass',
      options: [{ name: 'Diameter', values: ['12 cm', '18 cm'], more: [0, 5600], heavier: [0, 2100] }],
    },
    {
      handle: 'canvas-bucket', title: 'Canvas Bucket', category: 'Rope and canvas', maker: 'Segelmacherei Jensen',
      text: 'Folds flat, stands full, never rattles. Waxed canvas with a hemp ring in the rim and a handle spliced ' +
        'through brass thimbles. Nine litres of water, kindling or beer on ice.',
      price: 5200, grams: 560, tags: ['canvas'], picture: 'bucket', options: [colours('Sand', 'Navy')],
    },
    {
      handle: 'deck-brush', title: 'Deck Brush', category: 'Care', maker: 'Bürstenmacherei Ost',
      text: 'Union fibre in a beech block, drilled and drawn by hand, bundle by bundle. Scrubs teak, tiles and the ' +
        'undersides of boats.',
      price: 1690, grams: 320, tags: ['wood'], picture: 'brush', colour: 'Beech',
    },
    {
      handle: 'roll-top-bag', title: 'Roll-top Bag', category: 'Bags', maker: 'Segelmacherei Jensen',
      text: 'A dry bag for people who go ashore. Welded seams, one strap across, a window for the label. Floats with ' +
        'a laptop inside; we tried it with an old one.',
      price: 5900, grams: 480, tags: ['bags'], picture: 'drybag',
      options: [{
        name: 'Volume', values: ['15 l', '25 l'], more: [0, 1400], heavier: [0, 160],
      }, colours('Signal yellow', 'Navy', 'Charcoal')],
    },
    {
      handle: 'duffel-of-sailcloth', title: 'Duffel of Old Sailcloth', category: 'Bags', maker: 'Segelmacherei Jensen',
      text: 'Every bag is cut from a sail that has been somewhere; the label says where. Number patches land where ' +
        'they land. Forty litres, hand-stitched grips.',
      price: 13900, was: 15900, grams: 900, tags: ['bags', 'canvas', 'gift'], picture: 'duffel',
      options: [colours('Cream', 'Rust')],
    },
    {
      handle: 'monkeys-fist-key-ring', title: 'Monkey’s Fist Key Ring', category: 'Rope and canvas',
      maker: 'Reepschlägerei Teufelsbrück',
      text: 'The knot that carries a line from ship to shore, small enough for a pocket. There is cork inside, so ' +
        'the keys of the boat float.',
      price: 990, grams: 40, tags: ['rope', 'gift'], picture: 'fist', options: [colours('Hemp', 'Navy', 'Signal red')],
    },
    {
      handle: 'beech-deck-chair', title: 'Beech Deck Chair', category: 'Furniture', maker: 'Bootswerft Priwall',
      text: 'Three positions: reading, looking, asleep. Oiled beech, brass hinges, a cloth that slides out for the ' +
        'wash. Folds to the thickness of a good novel, though taller.',
      price: 11900, grams: 4200, tags: ['wood', 'garden'], picture: 'deckchair', options: [
        colours('Navy', 'Signal red', 'Mustard'),
      ],
    },
  ],
}
