// The clothes of the demo shop: wool, oilskin, stripes.
import { colours, sizes, type Department, type Good } from './product.ts'

const boots: Good['options'] = [
  { name: 'Size', values: ['37', '38', '39', '40', '41', '42', '43', '44', '45'] }, colours('Signal yellow', 'Navy'),
]

export const wear: Department = {
  name: 'Wear',
  text: 'For standing at the rail.',
  goods: [
    {
      handle: 'trawler-jumper', title: 'Trawler Jumper', category: 'Knitwear', maker: 'Strickerei Föhr',
      text: 'Knitted in the round from oily wool, tight enough to turn a shower. The pattern over the chest is that ' +
        'of the island, so that they know where to bring you. Washes itself, more or less, in fog.',
      price: 14900, grams: 850, tags: ['wool', 'bestseller'], picture: 'jumper', options: [
        sizes(1000), colours('Navy', 'Cream', 'Rust', 'Fog'),
      ],
    },
    {
      handle: 'roll-neck', title: 'Merino Roll-neck', category: 'Knitwear', maker: 'Strickerei Föhr',
      text: 'Fine merino with a collar that stands up to the chin and to the east wind. Thin enough to go below the ' +
        'jumper when it is that sort of day.',
      price: 9900, grams: 380, tags: ['wool'], picture: 'rollneck', options: [
        sizes(), colours('Charcoal', 'Bottle green', 'Cream'),
      ],
    },
    {
      handle: 'docker-beanie', title: 'Docker Beanie', category: 'Knitwear', maker: 'Strickerei Föhr',
      text: 'Ribbed, short, over the ears when it matters. One size, because wool understands heads.',
      price: 2900, grams: 80, tags: ['wool', 'gift'], picture: 'beanie', options: [
        colours('Navy', 'Signal red', 'Mustard', 'Charcoal', 'Bottle green'),
      ],
    },
    {
      handle: 'long-scarf', title: 'Long Scarf', category: 'Knitwear', maker: 'Strickerei Föhr',
      text: 'Two metres and ten, so it goes round twice and still has something to say. Lambswool, brushed with real ' +
        'teasels.',
      price: 4900, grams: 220, tags: ['wool'], picture: 'scarf', options: [colours('Petrol', 'Rust', 'Fog')],
    },
    {
      handle: 'boot-socks', title: 'Boot Socks', category: 'Knitwear', maker: 'Strickerei Föhr',
      text: 'Terry sole, long shaft, a stripe so that pairs find each other. For rubber boots, wooden floors and ' +
        'long journeys by train.',
      price: 1790, grams: 120, tags: ['wool'], picture: 'socks',
      options: [{ name: 'Size', values: ['36–38', '39–41', '42–44', '45–47'] }, colours('Fog', 'Navy')],
    },
    {
      handle: 'breton-shirt', title: 'Striped Shirt', category: 'Shirts and jackets', maker: 'Tricots de Roscoff',
      text: 'Heavy cotton jersey, twenty-one stripes, a neck you could get out of in the water. Shrinks a little ' +
        'once, then keeps its word.',
      price: 5900, grams: 310, tags: ['cotton', 'bestseller'], picture: 'stripes', options: [
        sizes(), colours('Navy', 'Signal red'),
      ],
    },
    {
      handle: 'oilskin-jacket', title: 'Oilskin Jacket', category: 'Shirts and jackets', maker: 'Ölzeug Wilhelmsen',
      text: 'The yellow one. Taped seams, storm flap, a hood with a peak that keeps rain off the glasses. Hang it in ' +
        'the hall and guests will think you own a boat.',
      price: 12900, grams: 980, tags: ['rain'], picture: 'oilskin', options: [
        sizes(), colours('Signal yellow', 'Navy'),
      ],
    },
    {
      handle: 'harbour-boots', title: 'Harbour Boots', category: 'Boots and gloves', maker: 'Gummiwerk Harburg',
      text: 'Natural rubber, cotton lining, a sole with a wave cut into it that holds on wet steel. Short enough to ' +
        'walk in, high enough for most puddles.',
      price: 7900, was: 8900, grams: 1500, tags: ['rain'], picture: 'boots', options: boots,
    },
    {
      handle: 'fleece-mittens', title: 'Felted Mittens', category: 'Boots and gloves', maker: 'Strickerei Föhr',
      text: 'Knitted far too large and felted to size. Snow, spray and cold winches stay outside; two fingers’ worth ' +
        'of dexterity remains.',
      price: 3400, grams: 130, tags: ['wool'], picture: 'mittens', options: [
        { name: 'Size', values: ['S', 'M', 'L'] }, colours('Fog', 'Rust'),
      ],
    },
    {
      handle: 'pilots-cap', title: 'Pilot’s Cap', category: 'Knitwear', maker: 'Mützenmacher Eisenberg',
      text: 'The cap of pilots, chancellors and grandfathers: wool cloth, leather peak, cord across the front. Made ' +
        'in a workshop on the Steinstraße with the same shears since 1892.',
      price: 6900, grams: 160, tags: ['wool', 'gift'], picture: 'cap',
      options: [{ name: 'Size', values: ['55', '57', '59', '61'] }, colours('Navy', 'Charcoal')],
    },
  ],
}
