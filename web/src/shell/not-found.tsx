import { Button, Center, Stack, Text, Title } from '@mantine/core'
import { Link } from 'wouter'

/** The page for an address that leads nowhere. */
export function NotFound() {
  return (
    <Center h="100%" p="lg">
      <Stack align="center" gap="xs">
        <Title order={1} size="h3">
          There is nothing here
        </Title>
        <Text c="dimmed">The address may be mistyped, or the page was removed.</Text>
        <Button component={Link} href="/" mt="sm">
          Start a new chat
        </Button>
      </Stack>
    </Center>
  )
}
