import { componentSource } from './components.ts'
import { heading } from './frame.ts'
import type { Look } from './wish.ts'

/** A one-file page with style and script. */
export function pageSource(look: Look): string {
  const title = heading(look)
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <style>
      :root { --accent: ${look.accent}; --paper: ${look.isDark ? '#171717' : '#fafafa'}; --ink: ${look.isDark ? '#f5f5f5' : '#171717'}; }
      * { box-sizing: border-box; }
      body { margin: 0; font: ${look.isLarge ? 20 : 16}px/1.6 system-ui, sans-serif; background: var(--paper); color: var(--ink); }
      header { padding: 4rem 1.5rem; text-align: center; color: white; background: linear-gradient(135deg, var(--accent), #0ea5e9); }
      main { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1rem; max-width: 60rem; margin: 2rem auto; padding: 0 1.5rem; }
      section { padding: 1.25rem; border: 1px solid #8884; border-radius: 12px; }
      button { padding: 0.7em 1.4em; border: 0; border-radius: 8px; font: inherit; background: white; color: var(--accent); cursor: pointer; }
    </style>
  </head>
  <body>
    <header>
      <h1>${title}</h1>
      <p>One file, nothing to install.</p>
      <button id="hello" type="button">Say hello</button>
      <p id="answer" role="status"></p>
    </header>
    <main>
      <section><h2>Clear</h2><p>It says at once what it is about.</p></section>
      <section><h2>Fast</h2><p>No library, no build, no waiting.</p></section>
      <section><h2>Yours</h2><p>Change any line and look again.</p></section>
    </main>
    <script>
      let hellos = 0
      document.getElementById('hello').addEventListener('click', () => {
        hellos += 1
        document.getElementById('answer').textContent = 'Hello! You have said it ' + hellos + (hellos === 1 ? ' time.' : ' times.')
      })
    </script>
  </body>
</html>
`
}

/** A small project: an entry, an app, a component and a stylesheet. Paths as a bundler expects them. */
export function projectFiles(look: Look): { path: string; language: string; code: string }[] {
  const { code } = componentSource('todo', look)
  return [
    {
      path: 'src/main.tsx',
      language: 'tsx',
      code: `import { createRoot } from 'react-dom/client'
import App from './App'
import './styles.css'

const root = document.getElementById('root')
if (root) createRoot(root).render(<App />)
`,
    },
    {
      path: 'src/App.tsx',
      language: 'tsx',
      code: `import TodoList from './components/TodoList'
import { greeting } from './greeting'

export default function App() {
  return (
    <div className="app">
      <header>{greeting(new Date().getHours())}</header>
      <TodoList />
    </div>
  )
}
`,
    },
    { path: 'src/components/TodoList.tsx', language: 'tsx', code },
    {
      path: 'src/greeting.ts',
      language: 'ts',
      code: `/** A greeting that fits the hour of the day. */
export function greeting(hour: number): string {
  if (hour < 12) return 'Good morning'
  return hour < 18 ? 'Good afternoon' : 'Good evening'
}
`,
    },
    {
      path: 'src/styles.css',
      language: 'css',
      code: `body {
  margin: 0;
  font-family: system-ui, sans-serif;
  background: ${look.isDark ? '#0a0a0a' : '#f5f5f5'};
}

.app header {
  padding: 1rem 1.5rem;
  color: white;
  background: ${look.accent};
}
`,
    },
  ]
}

/** A short function in a language that is not shown in a browser by itself. */
export function snippetSource(language: 'python' | 'javascript' | 'typescript' | 'css', look: Look): string {
  if (language === 'css') {
    return `.button {\n  padding: 0.7em 1.4em;\n  border: 0;\n  border-radius: 8px;\n  color: white;\n  background: ${look.accent};\n}\n\n.button:hover {\n  filter: brightness(1.1);\n}\n`
  }
  if (language === 'python') {
    return `# ${look.subject}\nfrom collections import Counter\n\n\ndef most_common_words(text: str, count: int = 3) -> list[tuple[str, int]]:\n    """The words that occur most often, with how often they do."""\n    return Counter(text.lower().split()).most_common(count)\n\n\nif __name__ == "__main__":\n    print(most_common_words("the quick fox and the lazy dog and the end"))\n`
  }
  const types =
    language === 'typescript'
      ? { text: ': string', count: ': number', out: ': [string, number][]', map: '<string, number>' }
      : { text: '', count: '', out: '', map: '' }
  return `// ${look.subject}\nexport function mostCommonWords(text${types.text}, count${types.count} = 3)${types.out} {\n  const counts = new Map${types.map}()\n  for (const word of text.toLowerCase().split(/\\s+/)) counts.set(word, (counts.get(word) ?? 0) + 1)\n  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, count)\n}\n\nconsole.log(mostCommonWords('the quick fox and the lazy dog and the end'))\n`
}
