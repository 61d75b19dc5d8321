import { type ComponentSource, head, heading } from './frame.ts'
import type { Look } from './wish.ts'

export function button(look: Look): ComponentSource {
  return {
    name: 'ClickButton',
    what: 'a clickable button that counts its clicks',
    code: `${head(look)}
export default function ClickButton() {
  const [clicks, setClicks] = useState(0)

  return (
    <main style={{ display: 'grid', placeItems: 'center', gap: 12, padding: 32, background: paper, color: ink }}>
      <h1 style={{ fontSize: size }}>${heading(look)}</h1>
      <button
        type="button"
        onClick={() => setClicks(clicks + 1)}
        style={{ background: accent, color: 'white', border: 0, borderRadius: 8, padding: '0.7em 1.4em', fontSize: size, cursor: 'pointer' }}
      >
        {clicks === 0 ? '${look.label}' : \`Clicked \${clicks} \${clicks === 1 ? 'time' : 'times'}\`}
      </button>
    </main>
  )
}
`,
  }
}

export function counter(look: Look): ComponentSource {
  return {
    name: 'Counter',
    what: 'a counter with plus, minus and reset',
    code: `${head(look)}
const style = { background: accent, color: 'white', border: 0, borderRadius: 8, padding: '0.5em 1em', fontSize: size, cursor: 'pointer' }

export default function Counter() {
  const [count, setCount] = useState(0)

  return (
    <main style={{ display: 'grid', justifyItems: 'center', gap: 16, padding: 32, background: paper, color: ink }}>
      <h1 style={{ fontSize: size }}>${heading(look)}</h1>
      <output style={{ fontSize: size * 3, color: accent }}>{count}</output>
      <div style={{ display: 'flex', gap: 8 }}>
        <button type="button" style={style} aria-label="Decrease" onClick={() => setCount(count - 1)}>
          −
        </button>
        <button type="button" style={style} onClick={() => setCount(0)}>
          Reset
        </button>
        <button type="button" style={style} aria-label="Increase" onClick={() => setCount(count + 1)}>
          +
        </button>
      </div>
    </main>
  )
}
`,
  }
}

export function todo(look: Look): ComponentSource {
  return {
    name: 'TodoList',
    what: 'a to-do list where tasks can be added, ticked off and removed',
    code: `${head(look, 'type FormEvent, useState')}
interface Task {
  id: number
  text: string
  isDone: boolean
}

const first: Task[] = [
  { id: 1, text: 'Try this list', isDone: true },
  { id: 2, text: 'Add a task of your own', isDone: false },
]

export default function TodoList() {
  const [tasks, setTasks] = useState(first)
  const [text, setText] = useState('')
  const open = tasks.filter(task => !task.isDone).length

  function add(event: FormEvent) {
    event.preventDefault()
    if (!text.trim()) return
    setTasks([...tasks, { id: Date.now(), text: text.trim(), isDone: false }])
    setText('')
  }

  function toggle(id: number) {
    setTasks(tasks.map(task => (task.id === id ? { ...task, isDone: !task.isDone } : task)))
  }

  return (
    <main style={{ maxWidth: 420, margin: '0 auto', padding: 24, background: paper, color: ink, fontSize: size }}>
      <h1 style={{ color: accent }}>${heading(look)}</h1>
      <p>{open} of {tasks.length} left</p>
      <form onSubmit={add} style={{ display: 'flex', gap: 8 }}>
        <input aria-label="New task" value={text} onChange={event => setText(event.target.value)} placeholder="What is next?" style={{ flex: 1, padding: 8, fontSize: size }} />
        <button type="submit" style={{ background: accent, color: 'white', border: 0, borderRadius: 8, padding: '0 1em' }}>
          Add
        </button>
      </form>
      <ul style={{ listStyle: 'none', padding: 0 }}>
        {tasks.map(task => (
          <li key={task.id} style={{ display: 'flex', gap: 8, padding: '8px 0', borderBottom: '1px solid #8884' }}>
            <label style={{ flex: 1, textDecoration: task.isDone ? 'line-through' : 'none' }}>
              <input type="checkbox" checked={task.isDone} onChange={() => toggle(task.id)} /> {task.text}
            </label>
            <button type="button" aria-label={\`Remove \${task.text}\`} onClick={() => setTasks(tasks.filter(other => other.id !== task.id))}>
              ×
            </button>
          </li>
        ))}
      </ul>
    </main>
  )
}
`,
  }
}

export function table(look: Look): ComponentSource {
  return {
    name: 'DataTable',
    what: 'a table that can be searched and sorted',
    code: `${head(look)}
const rows = [
  { name: 'Walnut desk', category: 'Furniture', price: 420 },
  { name: 'Desk lamp', category: 'Lighting', price: 65 },
  { name: 'Office chair', category: 'Furniture', price: 280 },
  { name: 'Notebook', category: 'Paper', price: 9 },
]

type Column = keyof (typeof rows)[number]
const columns: Column[] = ['name', 'category', 'price']

export default function DataTable() {
  const [query, setQuery] = useState('')
  const [sortBy, setSortBy] = useState<Column>('name')
  const shown = rows
    .filter(row => row.name.toLowerCase().includes(query.toLowerCase()))
    .toSorted((a, b) => (a[sortBy] < b[sortBy] ? -1 : 1))

  return (
    <main style={{ padding: 24, background: paper, color: ink, fontSize: size }}>
      <h1 style={{ color: accent }}>${heading(look)}</h1>
      <input aria-label="Search" placeholder="Search…" value={query} onChange={event => setQuery(event.target.value)} style={{ padding: 8, fontSize: size }} />
      <table style={{ width: '100%', marginTop: 16, borderCollapse: 'collapse' }}>
        <thead>
          <tr>
            {columns.map(column => (
              <th key={column} style={{ textAlign: 'left' }}>
                <button type="button" onClick={() => setSortBy(column)} style={{ border: 0, background: 'none', color: column === sortBy ? accent : ink, fontSize: size, cursor: 'pointer' }}>
                  {column} {column === sortBy ? '↑' : ''}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map(row => (
            <tr key={row.name} style={{ borderTop: '1px solid #8884' }}>
              {columns.map(column => (
                <td key={column} style={{ padding: 8 }}>{row[column]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p>{shown.length} of {rows.length} rows</p>
    </main>
  )
}
`,
  }
}

export function timer(look: Look): ComponentSource {
  return {
    name: 'Timer',
    what: 'a stopwatch with start, stop and reset',
    code: `${head(look, 'useEffect, useState')}
export default function Timer() {
  const [seconds, setSeconds] = useState(0)
  const [isRunning, setIsRunning] = useState(false)

  useEffect(() => {
    if (!isRunning) return
    const interval = setInterval(() => setSeconds(before => before + 1), 1000)
    return () => clearInterval(interval)
  }, [isRunning])

  const minutes = String(Math.floor(seconds / 60)).padStart(2, '0')

  return (
    <main style={{ display: 'grid', justifyItems: 'center', gap: 16, padding: 32, background: paper, color: ink }}>
      <h1 style={{ fontSize: size }}>${heading(look)}</h1>
      <output style={{ fontSize: size * 3, color: accent }}>{minutes}:{String(seconds % 60).padStart(2, '0')}</output>
      <div style={{ display: 'flex', gap: 8 }}>
        <button type="button" onClick={() => setIsRunning(!isRunning)} style={{ background: accent, color: 'white', border: 0, borderRadius: 8, padding: '0.5em 1em', fontSize: size }}>
          {isRunning ? 'Stop' : 'Start'}
        </button>
        <button type="button" onClick={() => setSeconds(0)} style={{ fontSize: size }}>
          Reset
        </button>
      </div>
    </main>
  )
}
`,
  }
}
