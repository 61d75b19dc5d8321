import type { ModelRequest } from '../index.ts'
import { heading } from './frame.ts'
import type { ContentKind, Look } from './wish.ts'

const contents: Record<ContentKind, (title: string, subject: string) => string> = {
  outline: title => `# ${title}: an outline

**Audience:** people who meet the topic for the first time. **Length:** about 1,200 words.

## 1. Why this matters now
- A situation that the reader knows
- The question that it raises

## 2. The basics in five minutes
- Three words that one has to know
- A picture or a short example

## 3. How to begin
1. Choose one small step
2. Try it for a week
3. Write down what changed

## 4. Common mistakes
- Starting too large
- Not measuring anything

## 5. Conclusion
- The one sentence to remember
- What to read next`,
  article: (title, subject) => `# ${title}

Everybody talks about ${subject}, and few people say where to begin. This article does.

## Start small

Pick one thing that you can finish today. A small result that works teaches more than a large plan that waits.

## Look at what happens

Write down what you expected and what you saw. The difference is where you learn.

> The best time to begin was yesterday; the second best is now.

## Go on

Repeat what worked, drop what did not, and tell somebody about it. That is all there is to it.`,
  description: (title, subject) => `## ${title}

Made for every day: ${subject} that does what it promises and looks good while doing it.

- **Well made** from materials that last
- **Easy to use** from the first minute
- **Easy to return** within 30 days

*Order today and find out why people keep it.*`,
  caption: (title, subject) => `✨ ${title} ✨

Some things simply make the day better, and ${subject} is one of them. 💛
Tell us in the comments: what was your moment today?

#${title.replace(/[^\p{L}\p{N}]+/gu, '')} #everyday #madewithcare`,
  email: (title, subject) => `**Subject:** ${title}

Hello,

I am writing to you about ${subject}. In short: we have something new, it is ready, and you can try it today.

If you have ten minutes this week, I would be glad to show it to you. Would Thursday suit you?

Kind regards,
The team`,
  ad: (title, subject) => `## Variant 1: the benefit
**Headline:** ${title}
**Text:** Less effort, better days: ${subject}, ready when you are.
**Call to action:** Try it today

## Variant 2: the doubt
**Headline:** Still without ${subject}?
**Text:** Most people wait too long. Begin with one small step.
**Call to action:** See how

## Variant 3: the proof
**Headline:** ${title}, made well
**Text:** Made by people who use it themselves, every day.
**Call to action:** Learn more`,
  seo: (title, subject) => `## 1
**Title:** ${title}: what to know before you begin
**Description:** A plain guide to ${subject}: how it works, what it costs and how to begin today, with examples that you can use at once.

## 2
**Title:** ${title} explained in five minutes
**Description:** Everything about ${subject} on one page: the basics, common mistakes and a first step that takes less than ten minutes.`,
}

/** Written content about a subject. */
export function contentText(kind: ContentKind, look: Look): string {
  return contents[kind](heading(look), look.subject)
}

/** The conversation in a few lines, for a memory of what was said. */
export function summaryText(request: ModelRequest): string {
  const lines = request.messages.slice(-6).map(({ role, content }) => {
    const text = content.replace(/\s+/g, ' ').trim()
    return `- ${role === 'user' ? 'The person' : 'The assistant'}: ${text.slice(0, 140)}${text.length > 140 ? '…' : ''}`
  })
  return `Summary by the sandbox model:\n${lines.join('\n')}`
}

/** An answer to anything else: what can be asked here, in Markdown that shows every form. */
export function talkText(request: ModelRequest, look: Look): string {
  const asked = request.messages.filter(message => message.role === 'user')
  const before = asked.at(-2)?.content.replace(/\s+/g, ' ').trim()
  const memory = before
    ? `\nEarlier you wrote: “${before.slice(0, 120)}${before.length > 120 ? '…' : ''}”. I keep that in mind.\n`
    : ''
  return `## About ${look.subject}

I read your message${asked.length > 1 ? ` (number ${asked.length} of this conversation)` : ''}.
${memory}
A good way to go on:

1. **Say what you want** in one sentence.
2. **Name the form**: a component, a page, a plugin, a text.
3. **Ask for changes** such as \`make it blue\`; the last thing I made is changed then.

| You ask for | You get |
|---|---|
| \`a todo list component\` | a React component with a live preview |
| \`a landing page\` | one HTML file with style and script |
| \`a project with several files\` | a small React project |
| \`a WooCommerce plugin\` | a PHP plugin that can be installed |
| \`a blog post outline\` | written content |`
}
