// parquet_read - a file's columns as a reader sees them that is not built on DuckDB.
//
//	node parquet_read.mjs MODULES FILE
//
// MODULES holds hyparquet and fzstd.  Prints {"columns": {name: [values]}, "schema": ...,
// "compression": [...]}; whole numbers of 64 bits are texts, times are nanoseconds.
import { pathToFileURL } from 'node:url'

const [modules, path] = process.argv.slice(2)
const load = (name) => import(pathToFileURL(`${modules}/${name}`))
const { parquetMetadataAsync, parquetReadObjects, asyncBufferFromFile } =
  await load('hyparquet/src/node.js')
const { decompress } = await load('fzstd/esm/index.mjs')

const file = await asyncBufferFromFile(path)
const metadata = await parquetMetadataAsync(file)
const parsers = { timestampFromNanoseconds: (ns) => ns }
const compressors = { ZSTD: (bytes) => decompress(bytes) }
const rows = await parquetReadObjects({ file, metadata, compressors, parsers })
const columns = {}
for (const { name } of metadata.schema.slice(1)) {
  columns[name] = rows.map((row) => typeof row[name] === 'bigint' ? String(row[name]) : row[name])
}
const chunks = metadata.row_groups.flatMap((group) => group.columns)
console.log(JSON.stringify({
  columns,
  schema: metadata.schema.slice(1).map((e) => [e.name, e.type, e.logical_type?.type ?? null, e.logical_type?.unit ?? null]),
  compression: [...new Set(chunks.map((c) => c.meta_data.codec))],
  statistics: chunks.every((c) => c.meta_data.statistics !== undefined),
}))
