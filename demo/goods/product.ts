// How the demo shop writes its goods down: short enough to read, complete enough to sell. Prices are euro cents and
// grams for the first value of each option; `more` and `heavier` say what each further value adds.
import type { Kind } from '../pictures/draw.ts'

type Option = { name: string; values: string[]; more?: number[]; heavier?: number[] }

export type Good = {
  handle: string
  title: string
  text: string
  /** Below its department: 'Coffee and tea'. */
  category: string
  maker: string
  price: number
  /** Was so much, where it is reduced. */
  was?: number
  grams: number
  tags: string[]
  options?: Option[]
  /** Food and books are taxed lower in Germany. */
  taxClass?: 'reduced'
  picture: Kind
  /** Without an option Colour: what the picture is painted in. */
  colour?: string
}

export type Department = { name: string; text: string; goods: Good[] }

export const sizes = (add = 0): Option => (
  { name: 'Size', values: ['XS', 'S', 'M', 'L', 'XL', 'XXL'], more: [0, 0, 0, 0, add, add] }
)
export const colours = (...values: string[]): Option => ({ name: 'Colour', values })
