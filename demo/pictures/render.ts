// Renders the pictures of the demo shop into demo/pictures/webp/, where they are committed: drawing them takes half a
// minute, which nobody should wait for at a first start. Run it after a drawing has changed: node
// demo/pictures/render.ts [handle …]
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { goods, pictureFile, picturesOf } from '../goods.ts'
import { draw } from './draw.ts'

const folder = join(import.meta.dirname, 'webp')
const only = new Set(process.argv.slice(2))

mkdirSync(folder, { recursive: true })
for (const good of goods) {
  if (only.size > 0 && !only.has(good.handle)) continue
  for (const colour of picturesOf(good)) {
    // 900 pixels are what a product page shows on a sharp screen; flat shapes stay crisp at quality 80 and some ten
    // kilobytes.
    const picture = await sharp(
      Buffer.from(draw(good.picture, colour))
    ).resize(900).webp({ quality: 80, effort: 6 }).toBuffer()
    writeFileSync(join(folder, pictureFile(good, colour)), picture)
  }
}
