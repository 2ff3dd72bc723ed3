// arrow_read - a file's columns as Apache Arrow's own reader in JavaScript sees them.
//
//	node arrow_read.mjs MODULES FILE
//
// MODULES holds apache-arrow.  Prints {"columns": {name: [values]}, "schema": [[name, type]],
// "batches": n}; whole numbers of 64 bits are texts, times are nanoseconds, dates are days.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [modules, path] = process.argv.slice(2)
const { tableFromIPC } = createRequire(`${modules}/`)('apache-arrow')

const table = tableFromIPC(readFileSync(path))
const plain = (x) => typeof x === 'bigint' ? String(x) : x
const columns = {}
for (const { name, type } of table.schema.fields) {
  const column = table.getChild(name)
  // get() makes milliseconds of times; what stands in the file is wanted.
  const raw = /^(Timestamp|Date)/.test(String(type))
  columns[name] = column.data.flatMap((data) => {
    const out = []
    for (let i = 0; i < data.length; i++) {
      out.push(data.getValid(i) ? plain(raw ? data.values[i] : null) : null)
    }
    return out
  })
  if (!raw) columns[name] = Array.from({ length: column.length }, (_, i) => plain(column.get(i)))
}
console.log(JSON.stringify({
  columns,
  schema: table.schema.fields.map((f) => [f.name, String(f.type)]),
  batches: table.batches.length,
}))
