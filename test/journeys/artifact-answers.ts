const fence = '```'

/** An answer with one block for each file; a name that is empty leaves the block without one. */
function answerOf(words: string, files: Readonly<Record<string, string>>): string {
  const blocks = Object.entries(files).map(([info, code]) => `${fence}${info}\n${code}\n${fence}`)
  return [words, ...blocks, 'Done.'].join('\n\n')
}

const counter = (inside: string) =>
  `import { useState } from 'react'

export default function Counter() {
  const [count, setCount] = useState(0)
${inside}
}`

const button = (label: string) =>
  `  return <button onClick={() => setCount(count + 1)}>${label} {count}</button>`

/** A component in five states: good, one that does not build, mended, one that fails when it is clicked, mended. */
export const component = {
  good: answerOf('A counter.', { tsx: counter(button('Clicked')) }),
  unbuildable: answerOf('In blue.', {
    tsx: counter('  return <button onClick={() => setCount(count + 1>Blue {count}</button>'),
  }),
  rebuilt: answerOf('Mended.', { tsx: counter(button('Blue')) }),
  failing: answerOf('It greets.', {
    tsx: counter(
      "  const greet = () => setCount(JSON.parse('null').length)\n  return <button onClick={greet}>Greet {count}</button>",
    ),
  }),
  mended: answerOf('Mended again.', { tsx: counter(button('Greeted')) }),
}

export const pageSource = `<!doctype html>
<html lang="en">
<head><title>Tide table</title><style>button { color: teal }</style></head>
<body>
<button id="tide">Low</button>
<script>
document.getElementById('tide').addEventListener('click', event => { event.target.textContent = 'High' })
</script>
</body>
</html>`

export const page = answerOf('A page.', { html: pageSource })

/** A page in three blocks, which the server puts together. */
export const pieces = answerOf('A lamp.', {
  html: `<!doctype html>
<html lang="en">
<head><title>Lamp</title><link rel="stylesheet" href="style.css"></head>
<body><button id="lamp">Off</button><script src="script.js"></script></body>
</html>`,
  css: '#lamp {\n  color: teal;\n}\n\n#lamp:hover {\n  color: tomato;\n}',
  js: `const lamp = document.getElementById('lamp')

let isOn = false

lamp.addEventListener('click', () => {
  isOn = !isOn
  lamp.textContent = isOn ? 'On' : 'Off'
})`,
})

export const project = answerOf('A project of three files.', {
  'tsx title="src/App.tsx"': `import { useState } from 'react'
import { Shelf } from './Shelf'
import './style.css'

export default function App() {
  const [books, setBooks] = useState(['Middlemarch'])
  return (
    <main className="library">
      <Shelf books={books} />
      <button onClick={() => setBooks([...books, 'Emma'])}>Add a book</button>
    </main>
  )
}`,
  'tsx title="src/Shelf.tsx"': `export function Shelf({ books }: { books: string[] }) {
  return <ul>{books.map(book => <li key={book}>{book}</li>)}</ul>
}`,
  'css title="src/style.css"': '.library { color: rebeccapurple }',
})
