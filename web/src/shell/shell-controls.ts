import { createContext, use } from 'react'

/** What a page may know and ask of the frame around it. */
export interface ShellControls {
  isSidebarVisible: boolean
  showSidebar: () => void
}

/** Carries the controls from the frame to its pages. */
export const ShellContext = createContext<ShellControls>({
  isSidebarVisible: true,
  showSidebar: () => undefined,
})

/** Lets a page offer the button that brings a hidden sidebar back. */
export function useShell(): ShellControls {
  return use(ShellContext)
}
