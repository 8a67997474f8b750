// The pantry of the demo shop: coffee, tea and what keeps in a cupboard.
import type { Department, Good } from './product.ts'

const bag = (first: number, half: number, whole: number): Good['options'] => [
  {
    name: 'Weight', values: ['250 g', '500 g', '1 kg'], more: [0, half - first, whole - first], heavier: [0, 250, 750],
  },
  { name: 'Grind', values: ['Whole bean', 'Filter', 'Espresso'] },
]
const food = { taxClass: 'reduced' as const }

export const pantry: Department = {
  name: 'Pantry',
  text: 'What came off the ships, and what people here made of it.',
  goods: [
    {
      handle: 'harbour-roast-espresso', title: 'Harbour Roast Espresso', category: 'Coffee and tea',
      maker: 'Rösterei Holm',
      text: 'A dark, patient roast for the machine or the moka pot: cocoa, toasted hazelnut, a little burnt sugar. ' +
        'Roasted on Tuesdays in a drum from 1958 and rested three days before it leaves the house.',
      price: 990, grams: 270, tags: ['coffee', 'bestseller'], options: bag(990, 1790, 3290), picture: 'coffee',
      colour: 'Oxblood', ...food,
    },
    {
      handle: 'pilot-boat-filter', title: 'Pilot Boat Filter Coffee', category: 'Coffee and tea',
      maker: 'Rösterei Holm',
      text: 'Light enough for a whole pot on watch. Washed beans from the slopes of Huehuetenango, roasted until ' +
        'they smell of orange peel and stop there. Good black, forgiving with milk.',
      price: 1090, grams: 270, tags: ['coffee'], options: bag(1090, 1990, 3690), picture: 'coffee', colour: 'Petrol',
      ...food,
    },
    {
      handle: 'night-watch-decaf', title: 'Night Watch Decaf', category: 'Coffee and tea', maker: 'Rösterei Holm',
      text: 'For those who like the last cup best. Decaffeinated with water and patience, so the taste stays: malt, ' +
        'dried plum, a clean finish, and then sleep.',
      price: 1090, grams: 270, tags: ['coffee', 'decaf'], options: bag(1090, 1990, 3690), picture: 'coffee',
      colour: 'Navy', ...food,
    },
    {
      handle: 'frisian-broken-tea', title: 'Frisian Broken Tea', category: 'Coffee and tea', maker: 'Teekontor Norden',
      text: 'The strong Assam blend of the coast. Put rock sugar in the cup, pour, listen to it crack, and lay a ' +
        'spoonful of cream on top. Three cups are good manners; stirring is not.',
      price: 850, grams: 180, tags: ['tea'], picture: 'teatin', colour: 'Bottle green',
      options: [{ name: 'Weight', values: ['100 g', '250 g'], more: [0, 800], heavier: [0, 170] }], ...food,
    },
    {
      handle: 'smokehouse-lapsang', title: 'Smokehouse Lapsang', category: 'Coffee and tea', maker: 'Teekontor Norden',
      text: 'Black tea dried over pine fires. It smells like a smokehouse at low tide and tastes far gentler than ' +
        'that: resin, dark honey, warm stone. Lovely with smoked fish, better with rain.',
      price: 1290, grams: 180, tags: ['tea'], picture: 'teatin', colour: 'Charcoal',
      options: [{ name: 'Weight', values: ['100 g', '250 g'], more: [0, 1300], heavier: [0, 170] }], ...food,
    },
    {
      handle: 'sea-buckthorn-jam', title: 'Sea Buckthorn Jam', category: 'Preserves', maker: 'Dünenküche',
      text: 'Berries from the dunes behind Ahrenshoop, picked by hand because nothing else gets past the thorns. ' +
        'Sharp, bright and more orange than seems likely. Try it with cheese.',
      price: 690, grams: 420, tags: ['preserves'], picture: 'jar', colour: 'Amber', ...food,
    },
    {
      handle: 'heather-honey', title: 'Heather Honey', category: 'Preserves', maker: 'Imkerei Brandt',
      text: 'Two weeks in August, when the heath turns purple, and the hives have to be there. The honey is thick as ' +
        'jelly, bitter at the edges and smells of warm evenings.',
      price: 1190, grams: 720, tags: ['preserves', 'honey'], picture: 'jar', colour: 'Honey', ...food,
    },
    {
      handle: 'dike-mustard', title: 'Dike Mustard', category: 'Preserves', maker: 'Dünenküche',
      text: 'Stone-ground seed, cider vinegar, and salt from the Baltic. Medium keeps the peace at table; Hot was ' +
        'made by the dike warden for himself.',
      price: 490, grams: 310, tags: ['preserves'], picture: 'jar', colour: 'Mustard',
      options: [{ name: 'Heat', values: ['Medium', 'Hot'] }], ...food,
    },
    {
      handle: 'sardines-olive-oil', title: 'Sardines in Olive Oil', category: 'Tinned fish',
      maker: 'Conserva Atlântica',
      text: 'Small, firm fish, packed by hand within a day of the catch, then left a year to become friends with the ' +
        'oil. Eat them from the tin with bread, standing up if you must.',
      price: 450, grams: 150, tags: ['fish', 'tins'], picture: 'fishtin', colour: 'Signal yellow',
      options: [{ name: 'Pack', values: ['1 tin', '6 tins'], more: [0, 1950], heavier: [0, 750] }], ...food,
    },
    {
      handle: 'smoked-mussels', title: 'Smoked Mussels', category: 'Tinned fish', maker: 'Limfjord Røgeri',
      text: 'Fjord mussels, steamed, smoked over beech, and laid in rapeseed oil with a thread of chilli. Warm the ' +
        'tin in your hands and keep the oil for potatoes.',
      price: 590, grams: 150, tags: ['fish', 'tins'], picture: 'fishtin', colour: 'Petrol',
      options: [{ name: 'Pack', values: ['1 tin', '6 tins'], more: [0, 2600], heavier: [0, 750] }], ...food,
    },
    {
      handle: 'salted-dark-chocolate', title: 'Dark Chocolate with Sea Salt', category: 'Sweets',
      maker: 'Schokoladenspeicher',
      text: 'Seventy-two per cent, from beans that still arrive in jute at the old warehouse. Coarse salt on the ' +
        'back, so it reaches the tongue first.',
      price: 520, grams: 90, tags: ['chocolate', 'gift'], picture: 'chocolate', colour: 'Navy', ...food,
    },
    {
      handle: 'rhubarb-cordial', title: 'Rhubarb Cordial', category: 'Preserves', maker: 'Dünenküche',
      text: 'Pink stalks from the Vierlande, lemon, not much sugar. One part to six of cold water, on the steps, in ' +
        'the first sun of the year.',
      price: 790, was: 990, grams: 900, tags: ['drinks'], picture: 'bottle', colour: 'Rose', ...food,
    },
  ],
}
