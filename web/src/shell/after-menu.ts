/**
 * Does something once the menu it was chosen from has closed and given the focus back to its button, so that a dialog
 * which opens then can give it back there, too.
 */
export function afterMenu(work: () => void): () => void {
  return () => setTimeout(work, 60)
}
