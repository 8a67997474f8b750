// A passkey device in software: makes an ES256 key, and signs what a browser would. Each field can be made wrong, so
// that tests can show what is refused. CBOR is as much of RFC 8949 as an attestation needs.
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest()

type Cbor = number | string | Buffer | Map<number | string, Cbor>

function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([major << 5 | value])
  return value < 256 ? Buffer.from([major << 5 | 24, value]) : Buffer.from([major << 5 | 25, value >> 8, value & 255])
}

function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, one]) => [cbor(key), cbor(one)])])
}

/** COSE_Key: EC2, ES256, P-256. */
function coseKey(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: 'jwk' })
  const part = (text: string | undefined): Buffer => Buffer.from(text!, 'base64url')
  return cbor(new Map<number, Cbor>([[1, 2], [3, -7], [-1, 1], [-2, part(x)], [-3, part(y)]]))
}

type Wrong = { origin?: string; rpId?: string; verified?: boolean; challenge?: string; userHandle?: string }

export class SoftwareAuthenticator {
  readonly id = randomBytes(16)
  counter = 0
  #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  #origin: string
  #userHandle: string | undefined

  constructor(origin = 'https://shop.example') { this.#origin = origin }

  #data(rpId: string, { verified = true }: Wrong, attested?: Buffer): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(this.counter)
    const flags = 0b001 | (verified ? 0b100 : 0) | (attested ? 0b0100_0000 : 0)
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), counter, attested ?? Buffer.alloc(0)])
  }

  #client(type: string, challenge: string, wrong: Wrong): Buffer {
    return Buffer.from(JSON.stringify({
      type, challenge: wrong.challenge ?? challenge, origin: wrong.origin ?? this.#origin, crossOrigin: false,
    }))
  }

  /** What `navigator.credentials.create` answers. */
  make(options: { challenge: string; rp: { id: string }; user: { id: string } }, wrong: Wrong = {}) {
    this.#userHandle = options.user.id
    const length = Buffer.from([0, this.id.length])
    const attested = Buffer.concat([Buffer.alloc(16), length, this.id, coseKey(this.#keys.publicKey)])
    const attestation = cbor(new Map<string, Cbor>([
      ['fmt', 'none'], ['attStmt', new Map()], ['authData', this.#data(wrong.rpId ?? options.rp.id, wrong, attested)],
    ]))
    return {
      id: this.id.toString('base64url'), rawId: this.id.toString('base64url'), type: 'public-key' as const,
      clientExtensionResults: {}, response: {
        clientDataJSON: this.#client('webauthn.create', options.challenge, wrong).toString('base64url'),
        attestationObject: attestation.toString('base64url'), transports: ['internal'],
      },
    }
  }

  /** What `navigator.credentials.get` answers. */
  get(options: { challenge: string; rpId?: string }, wrong: Wrong = {}) {
    this.counter++
    const client = this.#client('webauthn.get', options.challenge, wrong)
    const data = this.#data(wrong.rpId ?? options.rpId ?? '', wrong)
    const signature = sign('sha256', Buffer.concat([data, sha256(client)]), this.#keys.privateKey)
    return {
      id: this.id.toString('base64url'), rawId: this.id.toString('base64url'), type: 'public-key' as const,
      clientExtensionResults: {}, response: {
        clientDataJSON: client.toString('base64url'), authenticatorData: data.toString('base64url'),
        signature: signature.toString('base64url'), userHandle: wrong.userHandle ?? this.#userHandle,
      },
    }
  }
}
