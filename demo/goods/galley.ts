// The galley of the demo shop: what a small kitchen needs, and what survives a fall.
import { colours, type Department } from './product.ts'

export const galley: Department = {
  name: 'Galley',
  text: 'For kitchens with little room and much to do.',
  goods: [
    {
      handle: 'enamel-mug', title: 'Enamel Mug', category: 'Enamelware', maker: 'Emaille Werk Elbe',
      text: 'Two coats of enamel on steel, a rolled rim, and a handle that fits three fingers in a glove. It will ' +
        'chip one day, and you will remember where. 350 ml, safe on the stove and by the fire.',
      price: 1290, grams: 180, tags: ['enamel', 'bestseller'], picture: 'mug',
      options: [colours('Cream', 'Navy', 'Signal red', 'Bottle green', 'Charcoal')],
    },
    {
      handle: 'enamel-plate', title: 'Enamel Plate', category: 'Enamelware', maker: 'Emaille Werk Elbe',
      text: 'Deep enough for soup, flat enough for bread, light enough for a rucksack. The blue rim is painted by ' +
        'hand, so no two are quite round.',
      price: 1490, grams: 260, tags: ['enamel'], picture: 'plate',
      options: [
        { name: 'Size', values: ['20 cm', '26 cm'], more: [0, 500], heavier: [0, 140] }, colours('Cream', 'Navy'),
      ],
    },
    {
      handle: 'enamel-stew-pot', title: 'Enamel Stew Pot', category: 'Enamelware', maker: 'Emaille Werk Elbe',
      text: 'A pot for pea soup on Thursdays. The heavy base takes gas, induction and embers; the lid can be turned ' +
        'over and used as a pan when there is one ring and two hungry people.',
      price: 4990, grams: 1900, tags: ['enamel'], picture: 'pot',
      options: [
        { name: 'Volume', values: ['3 l', '5 l'], more: [0, 1800], heavier: [0, 800] }, colours('Navy', 'Cream'),
      ],
    },
    {
      handle: 'quay-kettle', title: 'Quay Kettle', category: 'Coffee and tea things', maker: 'Emaille Werk Elbe',
      text: 'A stove kettle with a spout that pours where it points. The knob is beech and stays cool; the whistle ' +
        'can be heard from the other end of a barge.',
      price: 5490, grams: 1150, tags: ['enamel', 'coffee'], picture: 'kettle', options: [
        colours('Signal red', 'Petrol', 'Cream'),
      ],
    },
    {
      handle: 'stoneware-dripper', title: 'Stoneware Dripper', category: 'Coffee and tea things',
      maker: 'Töpferei Wiek',
      text: 'Thrown on the island of Rügen, glazed in the grey of the Bodden. Ridges inside let the water take its ' +
        'time. Fits ordinary number 4 papers and most mugs.',
      price: 3200, grams: 420, tags: ['coffee', 'stoneware'], picture: 'dripper', options: [colours('Fog', 'Petrol')],
    },
    {
      handle: 'hand-coffee-mill', title: 'Hand Coffee Mill', category: 'Coffee and tea things',
      maker: 'Mühlenbau Kröger',
      text: 'Steel burrs in a beech box with a drawer, as on every ship before the war on quiet mornings. Eleven ' +
        'steps from Turkish to French press; two minutes for two cups.',
      price: 8900, grams: 780, tags: ['coffee', 'gift'], picture: 'mill', colour: 'Beech',
    },
    {
      handle: 'oak-cutting-board', title: 'Oak Cutting Board', category: 'Kitchen tools', maker: 'Bootswerft Priwall',
      text: 'Cut from planks that were meant for hulls: oiled oak, end grain at the corners, a hole for the hook. ' +
        'Wash it by hand and it will outlast the kitchen.',
      price: 3900, grams: 950, tags: ['wood'], picture: 'board', colour: 'Oak',
      options: [{ name: 'Size', values: ['30 × 20 cm', '45 × 28 cm'], more: [0, 2000], heavier: [0, 1100] }],
    },
    {
      handle: 'galley-knife', title: 'Galley Knife', category: 'Kitchen tools', maker: 'Messer Nordmann',
      text: 'Fourteen centimetres of carbon steel that takes a new edge on the bottom of a mug. It goes dark with ' +
        'use, as it should. The handle is smoked oak, pinned with brass.',
      price: 6900, grams: 160, tags: ['steel', 'gift'], picture: 'knife', colour: 'Oak',
    },
    {
      handle: 'linen-tea-towel', title: 'Linen Tea Towel', category: 'Kitchen textiles', maker: 'Weberei Heide',
      text: 'Half-linen with a woven stripe, 50 by 70. Stiff at first, soft after a month, indispensable after that. ' +
        'Sold one by one so that colours can be mixed.',
      price: 1390, grams: 110, tags: ['linen'], picture: 'towel', options: [
        colours('Navy', 'Signal red', 'Mustard', 'Fog'),
      ],
    },
    {
      handle: 'chandlers-apron', title: "Chandler's Apron", category: 'Kitchen textiles', maker: 'Segelmacherei Jensen',
      text: 'Cut from sailcloth by a sailmaker: bar-tacked pockets, brass eyelets, straps that cross and do not pull ' +
        'at the neck. Stands up by itself for the first week.',
      price: 4600, grams: 430, tags: ['canvas'], picture: 'apron', options: [colours('Sand', 'Navy', 'Rust')],
    },
    {
      handle: 'watch-flask', title: 'Watch Flask', category: 'Coffee and tea things', maker: 'Nordthermos',
      text: 'Keeps tea hot from Cuxhaven to Helgoland and back again. Double steel wall, a cup for a lid, a ring to ' +
        'tie it to something. The lacquer is the one they use on buoys.',
      price: 3400, grams: 380, tags: ['steel'], picture: 'flask',
      options: [{
        name: 'Volume', values: ['0.5 l', '0.75 l'], more: [0, 600], heavier: [0, 110],
      }, colours('Bottle green', 'Signal red', 'Cream')],
    },
  ],
}
