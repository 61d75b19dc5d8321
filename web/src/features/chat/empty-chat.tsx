import { Text, Title } from '@mantine/core'
import { IconArticle, IconBrandReact, IconBrowser, IconPlug } from '@tabler/icons-react'
import { BrandMark } from '../../shell/brand.tsx'
import classes from './messages.module.css'
import { Suggestions } from './suggestions.tsx'

const suggestions = [
  { icon: IconBrandReact, title: 'A component', text: 'Create a React button component' },
  { icon: IconBrowser, title: 'A page', text: 'Make a landing page for a small pottery studio' },
  { icon: IconPlug, title: 'A plugin', text: 'Write a WooCommerce plugin that adds a gift note to orders' },
  { icon: IconArticle, title: 'An article', text: 'Write a blog post about slow mornings' },
] as const

/** The beginning of a chat: what one could ask for. Choosing puts the words into the message field. */
export function EmptyChat({ onChoose }: { onChoose: (text: string) => void }) {
  return (
    <div className={classes.empty}>
      <BrandMark size={44} />
      <Title order={1} size="h2" ta="center" mt="md">
        What shall we make?
      </Title>
      <Text c="dimmed" ta="center" mt={4} mb="xl">
        Describe it, and watch it being made: the answer, the code and a live preview.
      </Text>
      <Suggestions of={suggestions} onChoose={onChoose} />
    </div>
  )
}
