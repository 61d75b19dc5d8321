import { type InfiniteData, useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { request, send } from '../../api/client.ts'
import { queryClient } from '../../api/queries.ts'
import type { Conversation, ConversationPage, Message } from '../../api/types.ts'
import { saveBlob } from '../../save-file.ts'

interface ConversationList {
  conversations: Conversation[]
  nextCursor: string | null
}

interface ConversationChange {
  id: string
  title?: string
  systemPrompt?: string | null
}

type Pages<Page> = InfiniteData<Page, string | number | null>

const listKey = ['conversations'] as const
const conversationKey = (id: string) => ['conversation', id] as const

/** The conversations whose title matches, newest first, page by page. */
export function useConversations(search: string) {
  return useInfiniteQuery({
    queryKey: [...listKey, search],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ limit: '30' })
      if (pageParam) query.set('cursor', pageParam)
      if (search) query.set('search', search)
      return request<ConversationList>(`/conversations?${query}`, { signal })
    },
    getNextPageParam: page => page.nextCursor,
    placeholderData: previous => previous,
  })
}

/** One conversation: its newest messages first, earlier ones page by page. */
export function useConversation(id: string | undefined) {
  return useInfiniteQuery({
    queryKey: conversationKey(id ?? 'new'),
    enabled: id !== undefined,
    initialPageParam: null as string | number | null,
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ limit: '50' })
      if (pageParam !== null) query.set('before', String(pageParam))
      return request<ConversationPage>(`/conversations/${id}?${query}`, { signal })
    },
    getNextPageParam: page => (page.hasMore ? (page.messages[0]?.position ?? null) : null),
  })
}

/** All answers that were given in an answer's place, oldest first. Throws ApiError. */
export function readVersions(conversationId: string, newest: Message): Promise<Message[]> {
  return queryClient.fetchQuery({
    // The earlier answers do not change any more; another newest one is another key.
    queryKey: ['versions', newest.id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const path = `/conversations/${conversationId}/messages/${newest.position}/versions`
      return (await request<{ messages: Message[] }>(path, { signal })).messages
    },
  })
}

/** Changes a conversation's title or instructions, in the list and on its page. */
export function useUpdateConversation() {
  return useMutation({
    mutationFn: ({ id, ...fields }: ConversationChange) =>
      request<{ conversation: Conversation }>(`/conversations/${id}`, { method: 'PATCH', body: fields }),
    onSuccess: ({ conversation }) => {
      void queryClient.invalidateQueries({ queryKey: listKey })
      changeNewestPage(conversation.id, page => ({ ...page, conversation }))
    },
  })
}

export function useDeleteConversation() {
  return useMutation({
    mutationFn: (id: string) => request(`/conversations/${id}`, { method: 'DELETE' }),
    onSuccess: refreshConversationList,
  })
}

/** Saves a whole conversation as a file of the person's. Throws ApiError. */
export async function exportConversation(
  { id, title }: Pick<Conversation, 'id' | 'title'>,
  format: 'markdown' | 'json',
): Promise<void> {
  const response = await send(`/conversations/${id}/export?format=${format}`)
  saveBlob(await response.blob(), `${title}.${format === 'markdown' ? 'md' : 'json'}`)
}

/** Forgets a deleted conversation, once no page shows it. */
export function forgetConversation(id: string): void {
  queryClient.removeQueries({ queryKey: conversationKey(id) })
}

/** Reads the list again: a title or an order has changed. */
export function refreshConversationList(): void {
  void queryClient.invalidateQueries({ queryKey: listKey })
}

/** Reads a conversation again. Resolves when the cache is up to date, or the read has failed. */
export function refreshConversation(id: string): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: conversationKey(id) })
}

/** Changes the cached newest page of a conversation, if it is cached. */
export function changeNewestPage(id: string, change: (page: ConversationPage) => ConversationPage): void {
  queryClient.setQueryData<Pages<ConversationPage>>(conversationKey(id), data => {
    const [newest, ...earlier] = data?.pages ?? []
    return data && newest ? { ...data, pages: [change(newest), ...earlier] } : data
  })
}

/** Puts a conversation that has just begun into the cache, so that it shows without a request. */
export function cacheNewConversation(conversation: Conversation, messages: Message[]): void {
  queryClient.setQueryData<Pages<ConversationPage>>(
    conversationKey(conversation.id),
    data => data ?? { pages: [{ conversation, messages, hasMore: false }], pageParams: [null] },
  )
}

/** The messages of all cached pages, oldest first. */
export function messagesOf(data: { pages: ConversationPage[] } | undefined): Message[] {
  return data ? data.pages.toReversed().flatMap(page => page.messages) : []
}
