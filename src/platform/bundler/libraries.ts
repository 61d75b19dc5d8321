/** A library that previews may import. All are MIT or ISC. */
export interface Library {
  /** What code writes after `from`. */
  specifier: string
  /** The npm package whose version decides when it is built anew. */
  package: string
  /** How its bundle is written when `export *` of the specifier is not enough. */
  source?: string
  /** CommonJS: its names are found by loading it. */
  isCommonJs?: true
  /** Another name for a library of this list. */
  sameAs?: string
}

// Pages on an opaque origin have no address of their own to route by, so routers keep the address in memory.
const router = `export * from 'react-router'
export { MemoryRouter as BrowserRouter, MemoryRouter as HashRouter, createMemoryRouter as createBrowserRouter, createMemoryRouter as createHashRouter } from 'react-router'
export { RouterProvider } from 'react-router/dom'`

// React 19 has no `render`; code written for 17 still asks for it.
const legacyRender = `import { createRoot as makeRoot } from 'react-dom/client'
const roots = new WeakMap()
export function render(element, container) {
  const root = roots.get(container) ?? makeRoot(container)
  roots.set(container, root)
  root.render(element)
}
`

/** Everything that previews may import; the first of each package is named in messages. */
export const libraries: readonly Library[] = [
  { specifier: 'react', package: 'react', isCommonJs: true },
  { specifier: 'react/jsx-runtime', package: 'react', isCommonJs: true },
  { specifier: 'react/jsx-dev-runtime', package: 'react', isCommonJs: true },
  { specifier: 'react-dom', package: 'react-dom', isCommonJs: true, source: legacyRender },
  { specifier: 'react-dom/client', package: 'react-dom', isCommonJs: true },
  { specifier: 'lucide-react', package: 'lucide-react' },
  { specifier: 'recharts', package: 'recharts' },
  { specifier: 'date-fns', package: 'date-fns' },
  { specifier: 'zustand', package: 'zustand' },
  { specifier: 'zustand/middleware', package: 'zustand' },
  { specifier: 'motion/react', package: 'motion' },
  { specifier: 'framer-motion', package: 'motion', sameAs: 'motion/react' },
  { specifier: 'motion', package: 'motion' },
  { specifier: 'react-router-dom', package: 'react-router', source: router },
  { specifier: 'react-router', package: 'react-router', sameAs: 'react-router-dom' },
  { specifier: 'react-hook-form', package: 'react-hook-form' },
  { specifier: '@tanstack/react-query', package: '@tanstack/react-query' },
  { specifier: 'zod', package: 'zod' },
  { specifier: 'immer', package: 'immer' },
  { specifier: 'clsx', package: 'clsx' },
  { specifier: 'classnames', package: 'clsx', sameAs: 'clsx' },
  { specifier: 'nanoid', package: 'nanoid' },
  { specifier: 'uuid', package: 'uuid' },
  { specifier: 'prop-types', package: 'prop-types', isCommonJs: true },
]
