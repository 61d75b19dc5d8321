import { card, form, modal, panel, tabs } from './components-shown.ts'
import { button, counter, table, timer, todo } from './components-stateful.ts'
import type { ComponentSource } from './frame.ts'
import type { ComponentKind, Look } from './wish.ts'

const templates: Record<ComponentKind, (look: Look) => ComponentSource> = {
  button,
  counter,
  card,
  form,
  todo,
  table,
  modal,
  tabs,
  timer,
  panel,
}

/** The component of a kind, in the wanted look. */
export function componentSource(kind: ComponentKind, look: Look): ComponentSource {
  return templates[kind](look)
}
