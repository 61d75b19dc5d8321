import { Button, Loader, Skeleton, Text, TextInput } from '@mantine/core'
import { useDebouncedValue, useIntersection } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { explain } from '../../api/errors.ts'
import { ConversationRow } from './conversation-row.tsx'
import classes from './conversations.module.css'
import { groupByAge } from './group-by-age.ts'
import { useConversations } from './queries.ts'

/** All conversations by age, with search; reads further pages as one scrolls. */
export function ConversationList() {
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed.trim(), 250)
  const list = useConversations(search)
  const conversations = list.data?.pages.flatMap(page => page.conversations) ?? []
  const [location] = useLocation()
  const openId = location.startsWith('/c/') ? location.slice(3) : null

  return (
    <>
      <div className={classes.search}>
        <TextInput
          type="search"
          size="sm"
          classNames={{ input: classes.searchInput ?? '' }}
          placeholder="Search chats"
          aria-label="Search chats"
          leftSection={<IconSearch size={16} aria-hidden />}
          value={typed}
          onChange={event => setTyped(event.currentTarget.value)}
        />
      </div>
      <section className={classes.list} aria-label="Chats" aria-busy={list.isPending}>
        {list.isPending && <Waiting />}
        {list.isError && conversations.length === 0 && (
          <div className={classes.empty}>
            <Text size="sm">{explain(list.error)}</Text>
            <Button size="compact-sm" variant="default" onClick={() => void list.refetch()}>
              Try again
            </Button>
          </div>
        )}
        {list.isSuccess && conversations.length === 0 && (
          <Text size="sm" c="dimmed" className={classes.empty ?? ''}>
            {search ? `No chat matches “${search}”.` : 'Your chats will appear here.'}
          </Text>
        )}
        {groupByAge(conversations).map(group => (
          <div key={group.label}>
            <h2 className={classes.age}>{group.label}</h2>
            <ul className={classes.rows}>
              {group.conversations.map(conversation => (
                <ConversationRow
                  key={conversation.id}
                  conversation={conversation}
                  isOpen={conversation.id === openId}
                />
              ))}
            </ul>
          </div>
        ))}
        <More
          isThere={list.hasNextPage}
          isLoading={list.isFetchingNextPage}
          load={() => void list.fetchNextPage()}
        />
      </section>
    </>
  )
}

function More({ isThere, isLoading, load }: { isThere: boolean; isLoading: boolean; load: () => void }) {
  const { ref, entry } = useIntersection({ rootMargin: '120px' })
  const isSeen = entry?.isIntersecting ?? false
  const loadLatest = useRef(load)
  loadLatest.current = load
  useEffect(() => {
    if (isSeen && isThere && !isLoading) loadLatest.current()
  }, [isSeen, isThere, isLoading])
  return (
    <div ref={ref} className={classes.more}>
      {isLoading && <Loader size="xs" aria-label="Loading more chats" />}
    </div>
  )
}

function Waiting() {
  return (
    <div className={classes.waiting} role="status" aria-label="Loading chats">
      {[70, 86, 58, 76].map(width => (
        <Skeleton key={width} height={12} width={`${width}%`} radius="sm" />
      ))}
    </div>
  )
}
