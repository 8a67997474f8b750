// Where the files of assets lie: in a folder, or in a bucket of anything that speaks S3. A file is written once and
// never changed, and is there whole or not at all.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AwsClient } from 'aws4fetch'
import type { Config } from '../../platform/config.ts'
import { provided } from '../../platform/provide.ts'

/** Names are `<key>/<name>`, both from a small alphabet without dots that lead elsewhere: callers check them. */
export type Storage = {
  write(key: string, name: string, data: Buffer): Promise<void>
  /** The bytes, or undefined when there is no such file. */
  read(key: string, name: string): Promise<Buffer | undefined>
  /** Removes these files; those that are not there are no error. */
  remove(key: string, names: readonly string[]): Promise<void>
}

export const mediaStorage = provided<Storage>('storage of media')

/** Files below a folder, which is made when it is first needed. */
export function diskStorage(folder: string): Storage {
  return {
    async write(key, name, data) {
      const path = join(folder, key, name)
      await mkdir(dirname(path), { recursive: true })
      // Written aside and renamed: a reader sees the whole file or none, also after the power went.
      const aside = `${path}.${randomUUID()}`
      const file = await open(aside, 'wx', 0o644)
      try {
        await file.writeFile(data)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(aside, path)
    },
    read: (key, name) => readFile(join(folder, key, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    }),
    remove: (key) => rm(join(folder, key), { recursive: true, force: true }),
  }
}

export type Bucket = { endpoint: string; bucket: string; region: string; accessKeyId: string; secretAccessKey: string }

/**
 * A bucket of S3, R2, MinIO, … addressed by path, which all of them understand. It may stay private: the server reads
 * it.
 */
export function s3Storage({ endpoint, bucket, region, accessKeyId, secretAccessKey }: Bucket): Storage {
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 2 })
  const call = async (method: string, key: string, name: string, data?: Buffer): Promise<Response> => {
    const answer = await client.fetch(`${endpoint.replace(/\/$/, '')}/${bucket}/${key}/${name}`, {
      method, signal: AbortSignal.timeout(20_000),
      ...data ? {
        body: new Uint8Array(data),
        headers: { 'content-type': 'image/webp', 'cache-control': 'public, max-age=31536000, immutable' },
      } : {},
    })
    if (answer.ok || answer.status === 404) return answer
    throw new Error(
      `The bucket ${bucket} answered ${answer.status} to ${method}: ${(await answer.text()).slice(0, 300)}`
    )
  }
  return {
    async write(key, name, data) {
      const answer = await call('PUT', key, name, data)
      await answer.body?.cancel()
      if (answer.status === 404) throw new Error(`There is no bucket ${bucket} at ${endpoint}`)
    },
    async read(key, name) {
      const answer = await call('GET', key, name)
      if (answer.status !== 404) return Buffer.from(await answer.arrayBuffer())
      await answer.body?.cancel()
      return undefined
    },
    async remove(key, names) {
      for (const name of names) await (await call('DELETE', key, name)).body?.cancel()
    },
  }
}

/** Where the configuration says that media lie; `dataDir` is the folder of this installation. */
export function configuredStorage({ s3, mediaDir }: Pick<Config, 's3' | 'mediaDir'>, dataDir: string): Storage {
  return s3 ? s3Storage(s3) : diskStorage(mediaDir ?? join(dataDir, 'media'))
}
