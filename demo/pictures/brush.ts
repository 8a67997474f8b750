// The few strokes that all pictures of the demo shop are made of, so that sixty drawings look as if one hand had drawn
// them: flat shapes in one palette, light from the upper left, a wall, a table and a soft shadow.

const PALETTE: Record<string, string> = {
  Cream: '#efe6d2', Navy: '#27395c', 'Signal red': '#c23b2e', 'Bottle green': '#2f5d4a', Charcoal: '#3f4247',
  Petrol: '#2e6875',
  Oxblood: '#6e2a2e', Amber: '#dd8a2b', Honey: '#c98a1e', Mustard: '#cf9f2f', 'Signal yellow': '#e9b72b',
  Rose: '#d98a8e', Fog: '#a9b4b6',
  Beech: '#d3a876', Oak: '#a87746', Sand: '#d6c19a', Rust: '#a9512f', Hemp: '#c2a676', Brass: '#c39b45',
}

/** The hex colour of a name in the catalogue. */
export function colour(name: string): string {
  return PALETTE[name] ?? '#8a9aa0'
}

/** Mixes two hex colours; 0 is the first, 1 the second. */
export function mix(a: string, b: string, share: number): string {
  const channel = (at: number): string => {
    const [from, to] = [a, b].map((hex) => parseInt(hex.slice(at, at + 2), 16)) as [number, number]
    return Math.round(from + (to - from) * share).toString(16).padStart(2, '0')
  }
  return `#${channel(1)}${channel(3)}${channel(5)}`
}

export const darker = (hex: string, share = 0.3): string => mix(hex, '#14181c', share)
export const lighter = (hex: string, share = 0.35): string => mix(hex, '#fffaf0', share)

type Shade = 'round' | 'fall' | 'lens' | 'none'

/**
 * A filled path with the light on it: `round` for what is turned, `fall` for what is flat, `lens` for a ball or a dial.
 */
export function shape(path: string, fill: string, shade: Shade = 'fall'): string {
  return `<path d="${path}" fill="${fill}"/>` + (shade === 'none' ? '' : `<path d="${path}" fill="url(#${shade})"/>`)
}

export function line(path: string, stroke: string, width = 6, more = ''): string {
  return `<path d="${path}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round" ` +
    `stroke-linejoin="round" ${more}/>`
}

type Box = [x: number, y: number, width: number, height: number, fill: string, round?: number, shade?: Shade]
export function box(...[x, y, width, height, fill, round = 0, shade = 'fall']: Box): string {
  const r = Math.min(round, width / 2, height / 2)
  const [across, down] = [width - 2 * r, height - 2 * r]
  return shape(`M${x + r} ${y}h${across}a${r} ${r} 0 0 1 ${r} ${r}v${down}a${r} ${r} 0 0 1 ${-r} ${r}h${-across}` +
    `a${r} ${r} 0 0 1 ${-r} ${-r}v${-down}a${r} ${r} 0 0 1 ${r} ${-r}z`, fill, shade)
}

type Oval = [x: number, y: number, rx: number, ry: number, fill: string, shade?: Shade]
export function oval(...[x, y, rx, ry, fill, shade = 'none']: Oval): string {
  return shape(`M${x - rx} ${y}a${rx} ${ry} 0 1 1 ${2 * rx} 0a${rx} ${ry} 0 1 1 ${-2 * rx} 0z`, fill, shade)
}

/**
 * Words on a label. librsvg draws them with whatever serif the machine has, so a mark of bars stands for them instead.
 */
export function label(x: number, y: number, width: number, ink: string): string {
  return [1, 0.62, 0.8].map((share, row) =>
    box(x - width * share / 2, y + row * 26, width * share, row === 0 ? 12 : 7, ink, 4, 'none')).join('')
}

/** The anchor of the house: on labels, caps and covers. */
export function anchor(x: number, y: number, size: number, ink: string): string {
  const s = size / 100
  return `<g transform="translate(${x} ${y}) scale(${s})">` +
    `<circle cx="0" cy="-38" r="11" fill="none" stroke="${ink}" stroke-width="8"/>` +
    line('M0 -26V44M-24 -12H24M-42 14C-38 38 -20 46 0 46C20 46 38 38 42 14M-42 14l-8 12M-42 14l13 7M42 14l8 12M42 ' +
      '14l-13 7', ink, 8) + '</g>'
}

/** Puts a drawing on a table before a wall, or flat on the wall; the tint of the wall suits the thing. */
export function scene(drawing: string, tint: string, { flat = false, shadow = [500, 792, 270, 30] } = {}): string {
  const wall = mix(mix(tint, '#c8b08c', 0.5), '#f8f1e4', 0.7)
  const [x, y, rx, ry] = shadow as [number, number, number, number]
  const ground = flat ? `<g filter="url(#drop)">${drawing}</g>`
    : `<path d="M0 705H1000V1000H0z" fill="${darker(wall, 0.1)}"/><path d="M0 705H1000V1000H0z" fill="url(#table)"/>` +
      `<ellipse cx="${x + 26}" cy="${y}" rx="${rx}" ry="${ry}" fill="#1d2528" opacity=".34" ` +
        `filter="url(#blur)"/>${drawing}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000" width="1000" ` +
    `height="1000"><defs>${DEFINITIONS}</defs>` +
    `<path d="M0 0H1000V1000H0z" fill="${wall}"/><path d="M0 0H1000V1000H0z" fill="url(#room)"/>${ground}</svg>`
}

const stops = (...list: [number, string, number][]): string =>
  list.map(([at, ink, opacity]) => `<stop offset="${at}" stop-color="${ink}" stop-opacity="${opacity}"/>`).join('')
const gradient = (kind: 'linear' | 'radial', place: string, ...list: Parameters<typeof stops>): string =>
  `<${kind}Gradient ${place}>${stops(...list)}</${kind}Gradient>`
const DEFINITIONS =
  gradient('linear', 'id="round"', [0, '#000', 0.3], [0.16, '#000', 0.06], [0.3, '#fff', 0.26], [0.46, '#fff', 0.02],
    [1, '#000', 0.36]) +
  gradient('linear', 'id="fall" x2=".35" y2="1"', [0, '#fff', 0.16], [0.45, '#fff', 0], [1, '#000', 0.2]) +
  gradient('radial', 'id="lens" cx=".36" cy=".3" r=".8"', [0, '#fff', 0.5], [0.35, '#fff', 0.06], [0.7, '#000', 0.06],
    [1, '#000', 0.42]) +
  gradient('radial', 'id="room" cx=".38" cy=".3" r=".9"', [0, '#fff', 0.5], [1, '#5a4a38', 0.12]) +
  gradient('linear', 'id="table" x2="0" y2="1"', [0, '#000', 0.1], [0.2, '#000', 0.02], [1, '#fff', 0.18]) +
  '<filter id="blur" x="-40%" y="-200%" width="180%" height="500%"><feGaussianBlur stdDeviation="20"/></filter>' +
  '<filter id="drop" x="-20%" y="-20%" width="140%" height="150%"><feDropShadow dx="14" dy="22" stdDeviation="18" ' +
    'flood-color="#1d2528" flood-opacity=".35"/></filter>'
