import { type ComponentSource, head, heading } from './frame.ts'
import type { Look } from './wish.ts'

export function card(look: Look): ComponentSource {
  return {
    name: 'InfoCard',
    what: 'a card with a like button',
    code: `${head(look)}
export default function InfoCard() {
  const [isLiked, setIsLiked] = useState(false)

  return (
    <main style={{ display: 'grid', placeItems: 'center', padding: 32 }}>
      <article style={{ maxWidth: 320, borderRadius: 16, overflow: 'hidden', background: paper, color: ink, boxShadow: '0 8px 24px #0003', fontSize: size }}>
        <div style={{ height: 120, background: \`linear-gradient(135deg, \${accent}, #0ea5e9)\` }} />
        <div style={{ padding: 20 }}>
          <h2 style={{ margin: 0 }}>${heading(look)}</h2>
          <p>A short text that says what this is about and why it is worth a click.</p>
          <button type="button" aria-pressed={isLiked} onClick={() => setIsLiked(!isLiked)} style={{ background: isLiked ? accent : 'transparent', color: isLiked ? 'white' : accent, border: \`2px solid \${accent}\`, borderRadius: 8, padding: '0.5em 1em', fontSize: size, cursor: 'pointer' }}>
            {isLiked ? '♥ Liked' : '♡ Like'}
          </button>
        </div>
      </article>
    </main>
  )
}
`,
  }
}

export function form(look: Look): ComponentSource {
  return {
    name: 'ContactForm',
    what: 'a form that checks what is typed and confirms',
    code: `${head(look, 'type FormEvent, useState')}
export default function ContactForm() {
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [problem, setProblem] = useState('')
  const [isSent, setIsSent] = useState(false)

  function submit(event: FormEvent) {
    event.preventDefault()
    if (!name.trim()) return setProblem('Please tell us your name.')
    if (!/^\\S+@\\S+\\.\\S+$/.test(email)) return setProblem('Please enter an e-mail address.')
    setProblem('')
    setIsSent(true)
  }

  if (isSent) return <p role="status" style={{ padding: 24, color: accent, fontSize: size }}>Thank you, {name}!</p>

  return (
    <form onSubmit={submit} noValidate style={{ display: 'grid', gap: 12, maxWidth: 360, margin: '0 auto', padding: 24, background: paper, color: ink, fontSize: size }}>
      <h1 style={{ color: accent }}>${heading(look)}</h1>
      <label>
        Name
        <input value={name} onChange={event => setName(event.target.value)} style={{ display: 'block', width: '100%', padding: 8, fontSize: size }} />
      </label>
      <label>
        E-mail
        <input type="email" value={email} onChange={event => setEmail(event.target.value)} style={{ display: 'block', width: '100%', padding: 8, fontSize: size }} />
      </label>
      {problem && <p role="alert" style={{ color: '#dc2626', margin: 0 }}>{problem}</p>}
      <button type="submit" style={{ background: accent, color: 'white', border: 0, borderRadius: 8, padding: '0.7em', fontSize: size, cursor: 'pointer' }}>
        Send
      </button>
    </form>
  )
}
`,
  }
}

export function modal(look: Look): ComponentSource {
  return {
    name: 'ModalDemo',
    what: 'a button that opens a modal dialog',
    code: `${head(look, 'useRef, useState')}
export default function ModalDemo() {
  const dialog = useRef<HTMLDialogElement>(null)
  const [answer, setAnswer] = useState('nothing yet')

  function close(text: string) {
    setAnswer(text)
    dialog.current?.close()
  }

  return (
    <main style={{ padding: 32, textAlign: 'center', background: paper, color: ink, fontSize: size }}>
      <h1>${heading(look)}</h1>
      <button type="button" onClick={() => dialog.current?.showModal()} style={{ background: accent, color: 'white', border: 0, borderRadius: 8, padding: '0.7em 1.4em', fontSize: size, cursor: 'pointer' }}>
        Open the dialog
      </button>
      <p>Your answer: {answer}</p>
      <dialog ref={dialog} style={{ border: 0, borderRadius: 16, padding: 24 }}>
        <p>Shall we go on?</p>
        <button type="button" onClick={() => close('yes')}>Yes</button> <button type="button" onClick={() => close('no')}>No</button>
      </dialog>
    </main>
  )
}
`,
  }
}

export function tabs(look: Look): ComponentSource {
  return {
    name: 'TabView',
    what: 'a view with three tabs',
    code: `${head(look)}
const pages = [
  { title: 'Overview', text: 'What this is and whom it is for.' },
  { title: 'Details', text: 'How it works, step by step.' },
  { title: 'Help', text: 'Where to ask when something is unclear.' },
]

export default function TabView() {
  const [open, setOpen] = useState(0)

  return (
    <main style={{ padding: 24, background: paper, color: ink, fontSize: size }}>
      <h1>${heading(look)}</h1>
      <div role="tablist" style={{ display: 'flex', gap: 4, borderBottom: \`2px solid \${accent}\` }}>
        {pages.map((page, index) => (
          <button key={page.title} type="button" role="tab" aria-selected={index === open} onClick={() => setOpen(index)} style={{ border: 0, padding: '0.6em 1em', fontSize: size, cursor: 'pointer', background: index === open ? accent : 'transparent', color: index === open ? 'white' : ink }}>
            {page.title}
          </button>
        ))}
      </div>
      <p role="tabpanel">{pages[open]?.text}</p>
    </main>
  )
}
`,
  }
}

/** For everything that no other template fits: notes about the subject. */
export function panel(look: Look): ComponentSource {
  return {
    name: 'Panel',
    what: 'a small panel where notes about it can be kept',
    code: `${head(look)}
export default function Panel() {
  const [note, setNote] = useState('')
  const [notes, setNotes] = useState<string[]>([])

  function keep() {
    if (!note.trim()) return
    setNotes([...notes, note.trim()])
    setNote('')
  }

  return (
    <main style={{ maxWidth: 480, margin: '0 auto', padding: 24, background: paper, color: ink, fontSize: size }}>
      <h1 style={{ color: accent }}>${heading(look)}</h1>
      <p>A place to begin: write something down and keep it.</p>
      <div style={{ display: 'flex', gap: 8 }}>
        <input aria-label="Note" value={note} onChange={event => setNote(event.target.value)} style={{ flex: 1, padding: 8, fontSize: size }} />
        <button type="button" onClick={keep} style={{ background: accent, color: 'white', border: 0, borderRadius: 8, padding: '0 1em', cursor: 'pointer' }}>
          Keep
        </button>
      </div>
      <p>{notes.length === 0 ? 'No notes yet.' : \`\${notes.length} kept\`}</p>
      <ul>
        {notes.map((text, index) => (
          <li key={\`\${index}-\${text}\`}>{text}</li>
        ))}
      </ul>
    </main>
  )
}
`,
  }
}
