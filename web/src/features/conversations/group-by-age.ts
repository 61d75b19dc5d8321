import type { Conversation } from '../../api/types.ts'

/** Conversations under "Today", "Yesterday", "Previous 7 days", then by month; the order within is kept. */
export function groupByAge(conversations: readonly Conversation[], now = new Date()) {
  const groups: { label: string; conversations: Conversation[] }[] = []
  for (const conversation of conversations) {
    const label = ageOf(new Date(conversation.updatedAt), now)
    const group = groups.find(candidate => candidate.label === label)
    if (group) group.conversations.push(conversation)
    else groups.push({ label, conversations: [conversation] })
  }
  return groups
}

function ageOf(date: Date, now: Date): string {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime()
  const dayMs = 86_400_000
  if (date.getTime() >= midnight) return 'Today'
  if (date.getTime() >= midnight - dayMs) return 'Yesterday'
  if (date.getTime() >= midnight - 7 * dayMs) return 'Previous 7 days'
  return date.toLocaleDateString(undefined, { month: 'long', year: 'numeric' })
}
