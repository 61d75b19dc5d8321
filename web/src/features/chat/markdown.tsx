import { createContext, memo, type ReactNode, use } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { CodeBlock } from '../../code/code-block.tsx'
import { splitBlocks } from './blocks.ts'
import classes from './markdown.module.css'

export interface MarkdownProps {
  text: string
  isGrowing: boolean
}

const plugins = [remarkGfm]

/** Markdown that may still be growing: finished blocks are rendered once, the last one as it changes. */
export default function Markdown({ text, isGrowing }: MarkdownProps) {
  const blocks = splitBlocks(text)
  return (
    <div className={classes.prose}>
      {blocks.map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a block keeps its place while the text grows
        <Block key={index} text={block} isGrowing={isGrowing && index === blocks.length - 1} />
      ))}
    </div>
  )
}

const Growing = createContext(false)

const Block = memo(function Block({ text, isGrowing }: MarkdownProps) {
  return (
    <Growing value={isGrowing}>
      <ReactMarkdown remarkPlugins={plugins} components={components}>
        {text}
      </ReactMarkdown>
    </Growing>
  )
})

interface CodeElement {
  props: { className?: string; children?: ReactNode }
}

function Pre({ children }: { children?: ReactNode }) {
  const isGrowing = use(Growing)
  const { props } = children as CodeElement
  const language = /language-(\S+)/.exec(props.className ?? '')?.[1] ?? ''
  const code = String(props.children ?? '').replace(/\n$/, '')
  return <CodeBlock code={code} language={language} isGrowing={isGrowing} />
}

const components: Components = {
  pre: Pre,
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ),
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section className={classes.table} tabIndex={0} aria-label="Table">
      <table>{children}</table>
    </section>
  ),
  // A picture from elsewhere would tell that server who reads it: show where it leads instead.
  img: ({ src, alt }) => (
    <a href={typeof src === 'string' ? src : undefined} target="_blank" rel="noopener noreferrer nofollow">
      {alt || 'Image'}
    </a>
  ),
}
