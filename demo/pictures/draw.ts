// Draws a product of the demo shop: its kind says what, its colour in what. The same words always give the same
// picture.
import { cabin } from './cabin.ts'
import { colour } from './brush.ts'
import { deck } from './deck.ts'
import { desk } from './desk.ts'
import { galley } from './galley.ts'
import { pantry } from './pantry.ts'
import { wear } from './wear.ts'

const drawings = { ...pantry, ...galley, ...deck, ...wear, ...desk, ...cabin }
export type Kind = keyof typeof drawings

/** An SVG of 1000 × 1000. */
export function draw(kind: Kind, colourName: string): string {
  return drawings[kind](colour(colourName))
}
