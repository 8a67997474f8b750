// The customers of the demo shop. Nobody of them lives: names are drawn from lists, streets are of the kind that every
// town has, and example.org is kept free for such mail.
import type { Address } from '../src/modules/orders/orders.ts'
import type { Random } from './random.ts'

export type Person = { email: string; address: Address; currency: 'EUR' | 'USD'; weight: number }

/** Who comes most often, and has an account: so there is somebody with orders to sign in as. */
export const REGULAR = { name: 'Anna Albers', email: 'anna.albers@example.org' }

const words = (text: string): string[] => text.trim().split(/\s+/)
const FIRST = words(`
  Anna Bente Carla Dörte Elif Fenja Greta Hanne Ida Jule Katrin Lena Merle Nora Okka Paula Rieke Silke Tomke Wiebke
  Arne Björn Carsten Detlef Emre Fiete Gerrit Hinnerk Ivo Jan Knut Lars Malte Niklas Ole Piet Ragnar Sönke Thies Uwe`)
const LAST = words(`
  Albers Behrens Claasen Detlefsen Ehlers Feddersen Gerdes Harms Ipsen Jessen Kröger Lorenzen Matthiesen Nissen
  Petersen Quast Rickmers Sievers Thomsen Uhlmann Voss Wulf Yilmaz Zacharias Bruhn Hinrichs Kohrs Lührs Meinert Stöver`)

type Town = { city: string; postalCode: string; country: string; region?: string; streets: string[]; weight: number }
const GERMAN = [
  'Lindenstraße', 'Bahnhofstraße', 'Deichweg', 'Am Markt', 'Mühlenweg', 'Gartenstraße', 'Hafenstraße', 'Kirchweg',
]
const town = (city: string, postalCode: string, weight: number): Town =>
  ({ city, postalCode, country: 'DE', streets: GERMAN, weight })
const TOWNS: Town[] = [
  town('Hamburg', '22765', 16), town('Berlin', '10967', 12), town('Bremen', '28203', 7), town('Kiel', '24105', 6),
  town('Lübeck', '23552', 5), town('Köln', '50672', 6), town('Leipzig', '04229', 5), town('München', '80469', 6),
  town('Rostock', '18055', 3), town('Hannover', '30451', 4),
  { city: 'Wien', postalCode: '1070', country: 'AT', streets: ['Neubaugasse', 'Lindengasse'], weight: 4 },
  {
    city: 'Amsterdam', postalCode: '1013 GZ', country: 'NL', streets: ['Haarlemmerdijk', 'Vierwindenstraat'], weight: 4,
  },
  { city: 'København', postalCode: '2200', country: 'DK', streets: ['Elmegade', 'Jægersborggade'], weight: 3 },
  { city: 'Lyon', postalCode: '69004', country: 'FR', streets: ['Rue du Mail', 'Grande Rue'], weight: 2 },
  {
    city: 'Portland', postalCode: '04101', country: 'US', region: 'ME', streets: ['Exchange Street', 'Pine Street'],
    weight: 3,
  },
  {
    city: 'Seattle', postalCode: '98107', country: 'US', region: 'WA', streets: ['Leary Avenue', 'Shilshole Avenue'],
    weight: 2,
  },
]

/** So many people; the earlier ones come back more often. */
export function people(random: Random, count: number): Person[] {
  return Array.from({ length: count }, (_, index): Person => {
    const [first, last] = [random.one(FIRST), random.one(LAST)]
    const { streets, weight, ...place } = random.weighed(TOWNS, (each) => each.weight)
    const street = random.one(streets)
    const number = random.whole(1, 140)
    const line1 = place.country === 'US' ? `${number} ${street}` : `${street} ${number}`
    const plain = `${first}.${last}`.toLowerCase().replaceAll('ö', 'oe').replaceAll('ü', 'ue')
    const { name, email } = index === 0 ? REGULAR
      : { name: `${first} ${last}`, email: `${plain}.${index + 1}@example.org` }
    return {
      email, address: { name, line1, ...place },
      currency: place.country === 'US' ? 'USD' : 'EUR', weight: 1 / (index + 8),
    }
  })
}
