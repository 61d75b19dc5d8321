/** What the panel asks of the chat that it stands beside. */
export interface ChatSide {
  /** The words that an answer answers; null when they are not loaded. */
  questionOf: (messageId: string) => string | null
  /** A model's name for people. */
  labelOf: (model: string) => string
  /** Brings an answer into view. */
  showMessage: (messageId: string) => void
  /** The model that is chosen for new messages; absent when it is the server's default. */
  model: string | undefined
  /** Why nothing can be sent now; null when it can. */
  obstacle: string | null
  /** A turn was begun here: the chat should show it, and follow its answer. */
  onTurn: (generationId: string) => void
}
