// Shows what the entry file exports. Bundled with every preview of a component.
import * as React from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'

class Boundary extends React.Component {
  state = { error: null }
  static getDerivedStateFromError(error) {
    return { error }
  }
  componentDidCatch(error) {
    window.__atelierFailed?.(error)
  }
  render() {
    if (!this.state.error) return this.props.children
    const style = { color: '#b00020', whiteSpace: 'pre-wrap', font: '13px/1.5 ui-monospace, monospace' }
    return React.createElement(
      'pre',
      { role: 'alert', style },
      String(this.state.error?.message ?? this.state.error),
    )
  }
}

const isComponent = value =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && '$$typeof' in value && !React.isValidElement(value))

/** `names` are the component-like names of the entry file in the order of their writing. */
export function mount(entry, names) {
  const named = names.map(name => entry[name]).filter(isComponent)
  const candidates = [entry.default, entry.App, named.at(-1), entry.__atelierComponent?.()]
  const found = candidates.find(value => isComponent(value) || React.isValidElement(value))
  if (found === undefined) return
  const element = React.isValidElement(found) ? found : React.createElement(found)
  const root = createRoot(document.getElementById('root'))
  flushSync(() => root.render(React.createElement(Boundary, null, element)))
}
